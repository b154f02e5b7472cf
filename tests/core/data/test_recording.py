from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fxkit.data import Recording, audio, recording
from fxkit.data.audio import resample
from fxkit.errors import FxkitError

Save = Callable[..., str]


def noise(frames: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(-0.9, 0.9, frames).astype(np.float32)


@pytest.mark.parametrize("hold", [True, False])
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff"])
def test_random_access_equals_reading_through(save: Save, name: str, hold: bool) -> None:
    path = save(name, noise(50_000), encoding=None)
    whole = Recording.open(path, hold=True).read(0, 50_000)
    tested = Recording.open(path, hold=hold)
    assert tested.held == hold
    random = np.random.default_rng(0)
    for _ in range(20):
        start, stop = sorted(random.integers(0, 50_001, 2))
        np.testing.assert_array_equal(tested.read(start, stop), whole[start:stop])


@pytest.mark.parametrize("rates", [(48_000, 44_100), (44_100, 96_000), (44_100, 44_101)])
def test_conversion_is_the_same_however_it_is_read(
    save: Save, monkeypatch: pytest.MonkeyPatch, rates: tuple[int, int]
) -> None:
    monkeypatch.setattr(recording, "_BLOCK", 7000)
    source, target = rates
    x = noise(60_000)
    path = save("a.wav", x, source)
    expected = resample(x, source, target)
    disk = Recording.open(path, sample_rate=target, hold=False)
    held = Recording.open(path, sample_rate=target, hold=True)
    assert disk.frames == held.frames == len(expected)
    assert disk.sample_rate == target
    whole = held.read(0, held.frames)
    # Blocks see a bounded context: they equal one pass to within the filter's far tail.
    # At its ends one pass does as it likes; the blocks see silence there.
    np.testing.assert_allclose(whole[32:-32], expected[32:-32], rtol=0, atol=2e-5)
    for start, stop in [(50_000, 50_010), (3, 20_000), (0, 1), (6990, 7010), (9, 9)]:
        np.testing.assert_array_equal(disk.read(start, stop), whole[start:stop])


def test_ogg_is_only_read_through(save: Save) -> None:
    path = save("a.ogg", noise(50_000), encoding=None)
    whole = audio.read(path)[0]
    np.testing.assert_array_equal(Recording.open(path).read(49_000, 50_000), whole[49_000:])
    assert Recording.open(path, sample_rate=48_000).held
    with pytest.raises(FxkitError, match="convert it to FLAC"):
        Recording.open(path, hold=False)


def test_part_and_read_into() -> None:
    x = noise(1000)
    part = Recording.from_array(x, 44_100).part(100, 900).part(50, 700)
    assert part.frames == 650
    np.testing.assert_array_equal(part.read(10, 20), x[160:170])
    out = np.empty((2, 5), np.float32)
    part.read_into(10, out)
    np.testing.assert_array_equal(out.ravel(), x[160:170])
    for start, stop in [(-1, 3), (0, 651), (5, 4)]:
        with pytest.raises(IndexError):
            part.read(start, stop)


def test_what_is_read_is_a_copy() -> None:
    tested = Recording.from_array(noise(10), 44_100)
    tested.read(0, 10)[:] = 0
    assert np.abs(tested.read(0, 10)).min() > 0


def test_bad_sample_far_inside_is_found_when_it_is_read(save: Save) -> None:
    x = noise(100_000)
    x[66_150] = np.nan
    tested = Recording.open(save("bad.wav", x), hold=False)
    tested.read(0, 60_000)
    with pytest.raises(FxkitError, match=r"bad\.wav.*NaN.*second 1\.500"):
        tested.read(60_000, 70_000)
    with pytest.raises(FxkitError, match="NaN"):
        Recording.from_array(x, 44_100)


def test_file_cut_short_after_opening(save: Save) -> None:
    path = Path(save("cut.flac", noise(100_000), encoding="PCM_16"))
    tested = Recording.open(path, hold=False)
    path.write_bytes(path.read_bytes()[:60_000])
    with pytest.raises(FxkitError, match=r"cut\.flac"):
        tested.read(90_000, 100_000)


def test_only_mono_arrays() -> None:
    with pytest.raises(ValueError, match="mono"):
        Recording.from_array(np.zeros((2, 5)), 44_100)
