from __future__ import annotations

import numpy as np
import pytest
from fxkit.onsets import OnsetDetector, detect, is_attack

RATE = 44_100


def pluck(frequency: float, seconds: float, peak: float, seed: int) -> np.ndarray:
    """Decaying partials, the higher the faster, and a little noise of the pick."""
    time = np.arange(round(seconds * RATE)) / RATE
    partials = range(1, min(15, int(RATE / 2 / frequency)))
    signal = sum(
        np.sin(2 * np.pi * frequency * k * time) * np.exp(-time * (2 + k)) / k for k in partials
    )
    pick = np.random.default_rng(seed).standard_normal(200) * np.linspace(0.5, 0, 200)
    signal[:200] += pick
    return (peak * signal).astype(np.float32)


def played(
    times: list[float], notes: list[float], peaks: list[float], seconds: float
) -> np.ndarray:
    """Notes that ring on, over the hiss of a preamplifier."""
    signal = 1e-4 * np.random.default_rng(0).standard_normal(round(seconds * RATE))
    for index, (at, note, peak) in enumerate(zip(times, notes, peaks, strict=True)):
        start = round(at * RATE)
        signal[start:] += pluck(note, seconds, peak, index)[: len(signal) - start]
    return signal.astype(np.float32)


TIMES = [0.5, 1.0, 1.25, 1.5, 2.3, 3.0, 3.1, 4.5]
NOTES = [110.0, 146.8, 82.4, 220.0, 440.0, 110.0, 146.8, 220.0]
PEAKS = [0.3, 0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 0.2]


@pytest.mark.parametrize("level", [1.0, 0.1])
@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_finds_every_pluck_to_within_three_milliseconds_and_nothing_else(level, rate):
    # At 48 kHz the same samples are simply played faster.
    found = detect(np.float32(level) * played(TIMES, NOTES, PEAKS, 6.0), rate)
    seconds = [onset.position / RATE for onset in found]
    assert seconds == pytest.approx(TIMES, abs=0.003)


def test_the_same_note_picked_again_while_it_rings():
    times = [0.3 + 0.15 * n for n in range(8)]
    found = detect(played(times, [110.0] * 8, [0.3] * 8, 2.0), RATE)
    assert [o.position / RATE for o in found] == pytest.approx(times, abs=0.003)


def test_vibrato_and_a_bend_are_no_attacks():
    time = np.arange(3 * RATE) / RATE
    semitones = np.sin(2 * np.pi * 5 * time) + 2 * np.minimum(time, 1)
    phase = 2 * np.pi * np.cumsum(220 * 2 ** (semitones / 12)) / RATE
    signal = sum(np.sin(k * phase) / k for k in range(1, 12)) * np.exp(-time / 2)
    signal[time < 0.25] = 0.0
    found = detect(signal.astype(np.float32), RATE)
    assert [o.position / RATE for o in found] == pytest.approx([0.25], abs=0.003)


def test_no_attack_in_silence_hiss_or_nothing():
    assert detect(np.zeros(RATE, np.float32), RATE) == []
    assert detect(np.zeros(0, np.float32), RATE) == []
    hiss = 0.01 * np.random.default_rng(1).standard_normal(3 * RATE).astype(np.float32)
    hiss[: RATE // 2] *= np.linspace(0, 1, RATE // 2, dtype=np.float32)
    assert [o for o in detect(hiss, RATE) if o.position > RATE // 2] == []


def test_a_louder_pluck_out_of_silence_is_not_weaker():
    found = detect(played([0.5, 2.5], [110.0, 110.0], [0.02, 0.3], 4.0), RATE)
    assert len(found) == 2
    assert found[1].strength > found[0].strength


def test_chunks_do_not_matter():
    signal = played(TIMES, NOTES, PEAKS, 6.0)
    detector = OnsetDetector(RATE, float(np.abs(signal).max()))
    for part in np.split(signal, [1, 2, 1000, 50_001, 50_002, 200_000]):
        detector.push(part)
    assert detector.finish() == detect(signal, RATE)


def test_an_attack_lasts_from_5_ms_before_to_50_ms_after():
    mask = is_attack(np.array([1000]), 0, 4000, 1000)
    assert np.flatnonzero(mask).tolist() == list(range(995, 1050))


@pytest.mark.parametrize("cut", [990, 997, 1000, 1020, 1050, 1100])
def test_attacks_over_a_cut(cut):
    positions = np.array([2, 1000, 1030, 1990])
    whole = is_attack(positions, 0, 2000, 1000)
    parts = [is_attack(positions, 0, cut, 1000), is_attack(positions, cut, 2000, 1000)]
    assert np.array_equal(np.concatenate(parts), whole)
    assert whole.sum() == 52 + (1080 - 995) + 15
