from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from fxkit.report.spectrum import power_spectrum, spectrogram, spectrogram_uri
from matplotlib.image import imread

RATE = 44_100


def sine(frequency, seconds=2.0):
    t = np.arange(round(seconds * RATE)) / RATE
    return np.sin(2 * np.pi * frequency * t).astype(np.float32)


@pytest.mark.parametrize("frequency", [110.0, 1000.0, 9000.0])
def test_the_spectrum_peaks_at_a_sine(frequency):
    frequencies, power = power_spectrum(sine(frequency), RATE, low=40, high=20_000)
    assert frequencies[np.argmax(power)] == pytest.approx(frequency, rel=0.04)


def test_twice_the_amplitude_is_six_decibels():
    x = np.random.default_rng(1).standard_normal(RATE).astype(np.float32)
    _, one = power_spectrum(x, RATE, low=40, high=20_000)
    _, two = power_spectrum(2 * x, RATE, low=40, high=20_000)
    np.testing.assert_allclose(two / one, 4, rtol=1e-5)


def test_white_noise_is_flat():
    x = np.random.default_rng(2).standard_normal(10 * RATE).astype(np.float32)
    _, power = power_spectrum(x, RATE, low=500, high=20_000)
    assert np.ptp(10 * np.log10(power)) < 3


def test_too_short_a_signal_has_no_spectrum():
    frequencies, power = power_spectrum(np.ones(10, np.float32), RATE, low=40, high=20_000)
    assert len(frequencies) == len(power) == 0


def test_the_spectrogram_shows_pitch_upwards_and_time_to_the_right():
    x = np.concatenate((sine(200, 1), sine(5000, 1)))
    energy = spectrogram(x, RATE, low=60, high=20_000)
    rows = energy.argmax(axis=0)
    early, late = rows[: len(rows) // 3], rows[-len(rows) // 3 :]
    assert early.min() > late.max()
    expected = 176 * (1 - np.log(200 / 60) / np.log(20_000 / 60))
    assert np.median(early) == pytest.approx(expected, abs=3)


def test_the_picture_is_a_png_of_the_energies():
    energy = np.array([[1.0, 1e-4], [0.0, 1e-8]])
    head, _, body = spectrogram_uri(energy, reference=1.0, span=80).partition(",")
    assert head == "data:image/png;base64"
    pixels = imread(io.BytesIO(base64.b64decode(body)), format="png")
    assert pixels.shape[:2] == (2, 2)
    light = pixels[..., :3].sum(axis=-1)
    assert light[0, 0] > light[0, 1] > light[1, 0]
    assert light[1, 0] == light[1, 1]
