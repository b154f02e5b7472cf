"""pluginval at its strictest, where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

import pytest
from hosting import bundles
from hosting.models import Made


@pytest.mark.parametrize("kind", [None, "gru"])
def test_strictness_10(
    no_screen: None,
    made: Callable[[str], Made],
    monkeypatch: pytest.MonkeyPatch,
    kind: str | None,
) -> None:
    bundle = bundles.find("VST3")
    program = shutil.which("pluginval")
    if not program:
        pytest.skip("pluginval is not installed")
    if kind:
        monkeypatch.setenv("FXKIT_MODEL", str(made(kind).path))
    command = [program, "--strictness-level", "10", "--skip-gui-tests", "--validate", str(bundle)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
