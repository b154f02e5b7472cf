from __future__ import annotations

import subprocess
import sys

import pytest
from fxkit.data import DataConfig
from fxkit.errors import FxkitError


def test_settings_import_no_torch() -> None:
    code = "import sys; from fxkit.data import DataConfig; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"path": "d", "clean": "a", "wet": "b"}, "either data.path or"),
        ({"path": "d", "wet": "b"}, "either data.path or"),
        ({"clean": "a"}, "data.clean is given without data.wet"),
        ({"wet": "b"}, "data.wet is given without data.clean"),
        ({"channel": 0}, "counted from 1"),
        ({"validation": 0.5, "test": 0.5}, "below 1"),
    ],
)
def test_contradictions_are_one_line(values: dict, message: str) -> None:
    with pytest.raises(FxkitError, match=message) as caught:
        DataConfig(**values)
    assert "\n" not in str(caught.value)


def test_unknown_name_in_the_package() -> None:
    import fxkit.data

    with pytest.raises(AttributeError, match="nonsense"):
        _ = fxkit.data.nonsense
    assert set(fxkit.data.__all__) <= set(dir(fxkit.data))
