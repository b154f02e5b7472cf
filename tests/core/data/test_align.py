from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fxkit.data import Recording, align
from scipy.signal import butter, lfilter

RATE = 44_100
SHARED = Path(__file__).parents[4] / "shared" / "data" / "jcm800"


def delayed(x: np.ndarray, by: float) -> np.ndarray:
    """Delay by a fraction of samples, exactly, through the spectrum."""
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(2 * len(x)) * by)
    return np.fft.irfft(np.fft.rfft(x, 2 * len(x)) * turn)[: len(x)]


def amp(x: np.ndarray) -> np.ndarray:
    """An asymmetric clipper between filters."""
    b, a = butter(2, [100 / 22_050, 5000 / 22_050], "band")
    return lfilter(b, a, (20 * x + 0.1).clip(-0.2, 0.6))


def pair(clean: np.ndarray, wet: np.ndarray) -> align.Alignment:
    return align.measure(Recording.from_array(clean, RATE), Recording.from_array(wet, RATE))


@pytest.mark.parametrize("by", [0.0, 5.3, -7.75, 100.25, -1200.5])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_delay_and_polarity_through_a_clipper(guitar: np.ndarray, by: float, sign: float) -> None:
    found = pair(guitar, sign * np.tanh(20 * delayed(guitar, by)))
    assert found.delay == pytest.approx(by, abs=0.25)
    assert found.inverted == (sign < 0)
    assert found.confidence > 0.8
    assert abs(found.shift - by) <= 1.5


@pytest.mark.parametrize("by", [0.0, 60.0, -60.0])
def test_filters_of_an_amp_are_no_delay(guitar: np.ndarray, by: float) -> None:
    found = pair(guitar, amp(delayed(guitar, by)))
    assert found.delay == pytest.approx(by, abs=2.5)
    # Removing too little costs a few samples; too much would put wet before clean.
    assert by - 5 <= found.shift <= by


def test_unrelated_recordings_are_not_shifted(guitar: np.ndarray) -> None:
    other = np.tanh(20 * guitar[::-1])
    found = pair(guitar[:200_000], other[:200_000])
    assert found.confidence < align.CONFIDENT
    assert found.shift == 0
    assert "no common timing" in found.describe()


@pytest.mark.parametrize("frames", [0, 10, 300, 5000])
def test_short_or_silent_recordings_do_no_harm(guitar: np.ndarray, frames: int) -> None:
    found = pair(guitar[:frames], guitar[:frames])
    assert found.shift == 0
    assert pair(np.zeros(frames), np.zeros(frames)).shift == 0


@pytest.mark.parametrize("shift", [0, 3, -3])
def test_apply_brings_the_sides_together(shift: int) -> None:
    x = np.arange(100, dtype=np.float32)
    clean = Recording.from_array(x, RATE)
    wet = Recording.from_array(np.roll(x, shift), RATE)
    clean, wet = align.apply(clean, wet, shift)
    assert clean.frames == wet.frames == 100 - abs(shift)
    np.testing.assert_array_equal(clean.read(0, clean.frames), wet.read(0, wet.frames))


@pytest.mark.skipif(not SHARED.exists(), reason="needs the recordings of a real amp")
@pytest.mark.parametrize(
    ("drive", "by"), [("light", 0), ("medium", 0), ("heavy", 0), ("heavy", 40)]
)
def test_a_real_amp(drive: str, by: int) -> None:
    clean, wet = (Recording.open(SHARED / f"{name}.flac") for name in ("clean", drive))
    clean = clean.part(by, clean.frames)
    found = align.measure(clean, wet.part(0, clean.frames))
    assert found.confidence > 0.9
    assert by - 6 <= found.shift <= by
    if by == 0:
        assert found.shift == 0


def test_the_finding_is_told(guitar: np.ndarray) -> None:
    tell: Callable[[float], str] = lambda by: pair(guitar, -delayed(guitar, by)).describe()  # noqa: E731
    assert "40.0 samples after clean" in tell(40.0)
    assert "polarity inverted" in tell(40.0)
    assert "shifted by 40" in tell(40.0)
    assert "before clean" in tell(-40.0)
    assert "not shifted" in tell(0.0)
