import numpy as np
import pytest
from fxkit.data import Recording, Segment, Take
from fxkit.provenance import environment, level

RATE = 44_100


def segment(samples):
    recording = Recording.from_array(samples.astype(np.float32), RATE)
    return Segment(Take("t", recording, recording), 0, len(samples))


def test_the_level_of_a_sine():
    sine = 0.5 * np.sin(2 * np.pi * 997 * np.arange(RATE) / RATE)
    measured = level([segment(sine)], "clean", RATE)
    assert measured.rms == pytest.approx(0.5 / 2**0.5, rel=1e-4)
    assert measured.peak == pytest.approx(0.5, rel=1e-3)
    # BS.1770: a full-scale 997 Hz sine reads -3.01 LUFS.
    assert measured.loudness == pytest.approx(-3.01 - 6.02, abs=0.05)


def test_silence_has_no_loudness():
    measured = level([segment(np.zeros(1000))], "wet", RATE)
    assert (measured.rms, measured.peak, measured.loudness) == (0.0, 0.0, None)


def test_segments_are_pooled():
    measured = level([segment(np.full(100, 0.2)), segment(np.full(100, -0.4))], "clean", RATE)
    assert measured.rms == pytest.approx(np.sqrt((0.04 + 0.16) / 2), rel=1e-6)
    assert measured.peak == pytest.approx(0.4)


def test_the_environment_says_what_is_needed_to_do_it_again():
    found = environment(7)
    assert found["seed"] == "7"
    assert {"fxkit", "torch", "python", "system"} <= set(found)
