"""The VST3 and the LV2 in a real DAW: what Ardour exports is what `fxkit render` gives.

The session is made while the environment names a model, and exported without: what plays then is
what the session restored. Ardour runs silence through its plug-ins before the start, so the
expected output is that of a model that has heard silence. How long it ran is not known, which
matters a little where rates are converted: silence shifts the instants at which the model hears
the signal.

No session has 96 kHz: there the export command of Ardour 7.3 waits for ever with any VST3 of JUCE,
also with one that does nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hosting.ardour import Ardour, place
from hosting.models import Made
from hosting.signals import guitar

TOLERANCE = 1e-4


@pytest.fixture(scope="module", params=["VST3", "LV2"])
def ardour(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ardour:
    return Ardour(tmp_path_factory.mktemp("home"), request.param)


@pytest.mark.parametrize(
    ("kind", "rate"),
    [("lstm", 48_000), ("gru", 44_100), ("gru", 48_000), ("wavenet", 44_100), ("nam", 48_000)],
)
def test_exports_what_render_gives(
    ardour: Ardour, made: Callable[[str], Made], kind: str, rate: int, tmp_path: Path
) -> None:
    model = made(kind)
    folder = tmp_path / "song"
    converts = rate != model.rate
    latency = ardour.session(folder, rate, channels=2, model=model.path, late=converts)
    assert (latency > 0) == converts
    x = guitar(rate, rate, 2)
    place(folder, x, rate, at=rate // 2)
    heard = ardour.export(folder)
    expected = model.render(x, rate, silence=rate)
    assert heard.shape == x.shape
    assert np.abs(expected - x).max() > 0.1
    assert np.abs(heard - expected).max() <= TOLERANCE


def test_a_mono_track_plays_through_it(
    ardour: Ardour, made: Callable[[str], Made], tmp_path: Path
) -> None:
    model = made("lstm")
    folder = tmp_path / "mono"
    ardour.session(folder, 48_000, channels=1, model=model.path)
    x = guitar(48_000, 48_000, 1)
    place(folder, x, 48_000)
    heard = ardour.export(folder)
    expected = model.render(x, 48_000, silence=48_000)
    assert heard.shape[1] == x.shape[1]
    assert np.abs(heard[0] - expected[0]).max() <= TOLERANCE


def test_without_a_model_the_sound_is_dry(ardour: Ardour, tmp_path: Path) -> None:
    folder = tmp_path / "dry"
    assert ardour.session(folder, 48_000, channels=2, model=None) == 0
    x = guitar(48_000, 48_000, 2)
    place(folder, x, 48_000)
    np.testing.assert_array_equal(ardour.export(folder), x)


def test_a_model_that_is_gone_leaves_dry_sound(
    ardour: Ardour, made: Callable[[str], Made], tmp_path: Path
) -> None:
    copy = tmp_path / "gone.fxkit"
    copy.write_bytes(made("lstm").path.read_bytes())
    folder = tmp_path / "gone"
    ardour.session(folder, 48_000, channels=2, model=copy)
    copy.unlink()
    x = guitar(48_000, 48_000, 2)
    place(folder, x, 48_000)
    np.testing.assert_array_equal(ardour.export(folder), x)
