from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import soundfile
from fxkit.report import tracks
from fxkit.report.loudness import SILENCE, loudness

RATE = 44_100


def sine(frequency, amplitude=1.0, seconds=1.0, rate=RATE):
    t = np.arange(round(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * frequency * t)).astype(np.float32)


def decode(track):
    head, _, body = track.uri.partition(",")
    assert head == "data:audio/flac;base64"
    return soundfile.read(io.BytesIO(base64.b64decode(body)), dtype="float32")


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_loudness_of_the_reference_tone(rate):
    # BS.1770: a full-scale sine of 997 Hz in one channel has a loudness of -3.01 LUFS.
    assert loudness(sine(997, rate=rate, seconds=3), rate) == pytest.approx(-3.01, abs=0.05)


def test_bass_counts_less_and_treble_more():
    low, middle, high = (loudness(sine(f), RATE) for f in (30, 997, 5000))
    assert low < middle - 4
    assert high == pytest.approx(middle + 3.3, abs=0.4)


def test_silence_has_a_floor():
    assert loudness(np.zeros(100, np.float32), RATE) == SILENCE
    assert loudness(np.zeros(0, np.float32), RATE) == SILENCE


def test_tracks_are_equally_loud_and_do_not_clip():
    signals = {"target": sine(200, 0.9), "prediction": sine(200, 0.3), "residual": sine(900, 1e-3)}
    packed = tracks.pack(signals, RATE)
    levels = []
    for track in packed:
        samples, rate = decode(track)
        assert rate == RATE
        assert np.abs(samples).max() <= 0.98
        levels.append(loudness(samples, rate))
    assert levels == pytest.approx([levels[0]] * 3, abs=0.05)
    assert packed[1].gain - packed[0].gain == pytest.approx(20 * np.log10(3), abs=0.01)


def test_peaks_of_one_signal_do_not_push_the_others_below_the_floor():
    click = np.zeros(RATE, np.float32)
    click[100] = 1.0
    loud, clicking = tracks.pack({"target": sine(997, 0.5), "input": click}, RATE)
    assert loudness(loud.samples, RATE) == pytest.approx(tracks.QUIETEST, abs=0.1)
    assert np.abs(clicking.samples).max() <= 0.98


def test_silence_and_nan_are_packed_as_silence():
    nan = np.full(RATE, np.nan, np.float32)
    silent, broken, _ = tracks.pack(
        {"a": np.zeros(RATE, np.float32), "b": nan, "c": sine(300)}, RATE
    )
    assert not decode(silent)[0].any()
    assert not decode(broken)[0].any()
    assert silent.gain == 0.0


def test_long_and_big_signals_are_cut_alike(monkeypatch):
    noise = np.random.default_rng(0).uniform(-1, 1, 14 * RATE).astype(np.float32)
    monkeypatch.setattr(tracks, "MOST_BYTES", 500_000)
    packed = tracks.pack({"a": noise, "b": noise[::-1].copy()}, RATE)
    lengths = {len(decode(track)[0]) for track in packed}
    assert len(lengths) == 1
    assert sum(len(track.uri) for track in packed) * 3 / 4 < 520_000
    monkeypatch.undo()
    (track,) = tracks.pack({"a": 1e-3 * sine(100, seconds=14)}, RATE)
    assert len(track.samples) == tracks.MOST_SECONDS * RATE


def test_the_residual_is_prediction_minus_target():
    target, prediction = sine(100, 0.5), sine(100, 0.75)
    np.testing.assert_allclose(tracks.residual(target, prediction), sine(100, 0.25), atol=1e-6)
