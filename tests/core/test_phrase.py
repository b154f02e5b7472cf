from __future__ import annotations

import numpy as np
import pytest
from fxkit.onsets import Onset
from fxkit.phrase import Envelope, choose_attack, choose_phrase

RATE = 1000


def chosen(signal, onsets):
    envelope = Envelope(RATE)
    for part in np.array_split(signal.astype(np.float32), 7):
        envelope.push(part)
    return choose_phrase(envelope.finish(), envelope.grain, onsets, len(signal), RATE)


def at(*seconds, strength=5.0):
    return [Onset(round(s * RATE), strength) for s in seconds]


def test_the_envelope_holds_all_energy():
    envelope = Envelope(RATE)
    envelope.push(np.ones(123, np.float32))
    envelope.push(np.full(7, 2.0, np.float32))
    assert envelope.finish() == pytest.approx([50, 50, 51])


def test_the_louder_stretch_wins():
    signal = np.full(30 * RATE, 0.01)
    signal[15 * RATE : 22 * RATE] = 0.3
    start, stop, _ = chosen(signal, at(2.0, 15.1, 25.0 - 2))
    assert (start, stop) == (15_100 - 150, 21_100 - 150)


def test_of_two_alike_the_one_after_a_pause_wins():
    signal = np.full(30 * RATE, 0.3)
    signal[18 * RATE - 300 : 18 * RATE - 10] = 0.0
    start, _, _ = chosen(signal, at(5.0, 18.0))
    assert start == 18_000 - 150


def test_of_two_alike_the_busier_wins():
    signal = np.full(30 * RATE, 0.3)
    start, _, _ = chosen(signal, at(5.0, 15.0, 16.0, 17.0, 18.0))
    assert start == 15_000 - 150


def test_without_attacks_the_loudest_is_taken():
    signal = np.full(30 * RATE, 0.01)
    signal[10 * RATE : 16 * RATE] = 0.3
    assert chosen(signal, [])[:2] == (10 * RATE, 16 * RATE)


def test_a_short_recording_is_taken_whole():
    assert chosen(np.ones(2000), at(1.0))[:2] == (0, 2000)


def test_the_strongest_attack_that_can_be_shown():
    onsets = [Onset(100, 9.0), Onset(500, 5.0), Onset(800, 7.0), Onset(1990, 20.0)]
    assert choose_attack(onsets, 90, 2000, RATE) == 800 - 90
    assert choose_attack(onsets, 90, 400, RATE) == 10
    assert choose_attack(onsets, 3000, 4000, RATE) is None
