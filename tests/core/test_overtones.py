"""What distortion adds, on signals whose overtones are known."""

import math

import numpy as np
import pytest
from fxkit.metrics.overtones import overtones

RATE = 44_100


def tone(frequency, level=1.0, seconds=1.0):
    return level * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)


def test_a_harmonic_of_known_level_is_found_in_its_octave():
    true = tone(500)
    distorted = true + tone(4000, 0.1)
    cleaned = true + tone(4000, 0.01)
    whole, octaves = overtones(distorted, cleaned, true, RATE)
    # Energy 0.01 and 0.0001 of the true tone; bringing the level of the first to fit costs 1 %.
    assert whole.added == pytest.approx(0.01, rel=0.05)
    assert octaves["4000"].added == pytest.approx(0.01, rel=0.05)
    assert octaves["4000"].left == pytest.approx(0.0001, rel=0.05)
    assert octaves["4000"].removed == pytest.approx(20.0, abs=0.3)
    assert whole.lost < 1e-4


def test_what_is_taken_from_the_true_sound_is_lost_not_left():
    true = tone(500) + tone(2000, 0.5)
    whole, octaves = overtones(true, tone(500), true, RATE)
    assert octaves["2000"].lost == pytest.approx(0.25 / 1.25, rel=0.02)
    assert whole.left < 1e-4
    assert whole.added < 1e-6


def test_level_and_polarity_of_the_distorted_signal_do_not_matter():
    true, distorted = tone(300), np.tanh(5 * tone(300))
    one = overtones(distorted, true, true, RATE)
    other = overtones(-0.01 * distorted, true, true, RATE)
    assert one[0].added == pytest.approx(other[0].added, rel=1e-6)
    assert one[0].removed == 100.0


def test_doing_nothing_removes_nothing():
    true = tone(300, 0.5)
    distorted = true + tone(900, 0.2) + tone(1500, 0.1)
    whole, _ = overtones(distorted, distorted, true, RATE)
    assert whole.removed == pytest.approx(0.0, abs=0.5)


def test_octaves_in_which_nothing_sounds_are_left_out():
    _, octaves = overtones(tone(500), tone(500), tone(500), RATE)
    assert set(octaves) == {"500"}


@pytest.mark.parametrize("which", [0, 2])
def test_silence_and_shortness_have_no_answer(which):
    signals = [tone(500), tone(500), tone(500)]
    signals[which] = np.zeros(RATE)
    assert overtones(*signals, RATE) is None
    short = tone(500)[:2000]
    assert overtones(short, short, short, RATE) is None


def test_nan_in_the_estimate_counts_as_silence():
    broken = tone(500)
    broken[100] = math.nan
    whole, _ = overtones(tone(500), broken, tone(500), RATE)
    assert math.isfinite(whole.left)
