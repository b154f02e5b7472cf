"""What the synthetic guitarist plays: phrases in many styles, drawn from a random generator.

The phrases come in rounds of about 18 seconds. Each round has every style once, in a new order, and
spreads level, pickup and tempo evenly over its phrases. So no stretch of the recording is special:
its last tenth, held out as the test part, resembles the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["OPEN_STRINGS", "STYLES", "Note", "Phrase", "score"]

OPEN_STRINGS = (40, 45, 50, 55, 59, 64)
"""The MIDI numbers of the open strings, E2 to E4."""

ROUND_SECONDS = 18.0
_MINOR_PENTATONIC = (0, 3, 5, 7, 10)
_SHAPES = {  # fret of each string relative to the barre, None for a string not played
    "E major": (0, 2, 2, 1, 0, 0),
    "E minor": (0, 2, 2, 0, 0, 0),
    "E seventh": (0, 2, 0, 1, 0, 0),
    "A major": (None, 0, 2, 2, 2, 0),
    "A minor": (None, 0, 2, 2, 1, 0),
    "D major": (None, None, 0, 2, 3, 2),
}


@dataclass(frozen=True)
class Note:
    """One stroke: when (seconds into the phrase), where, and how.

    A bend reaches `bend` semitones after `bend_seconds`; vibrato is +-`vibrato` semitones.
    """

    start: float
    seconds: float
    string: int
    fret: int
    strength: float = 0.7
    mute: float = 0.0
    bend: float = 0.0
    bend_seconds: float = 0.2
    vibrato: float = 0.0
    vibrato_rate: float = 5.5


@dataclass(frozen=True)
class Phrase:
    """A few notes in one style with one setting of the guitar.

    Parameters
    ----------
    start, seconds
        When it begins and how long it has, in seconds of the recording.
    style
        A key of `STYLES`.
    notes
        What is played.
    level
        The guitar's volume knob, as an amplitude.
    pickup
        The pickup's place, as a fraction of the open string's length from the bridge.
    resonance, quality
        The pickup's resonance in Hz with its cable, and its Q; the tone knob lowers both.
    position
        Where the strings are picked, as a fraction from the bridge.
    pick_noise
        The scrape of the pick.
    """

    start: float
    seconds: float
    style: str
    notes: tuple[Note, ...]
    level: float
    pickup: float
    resonance: float
    quality: float
    position: float
    pick_noise: float


Rng = np.random.Generator


def _place(midi: int, rng: Rng, lowest: int = 0, highest: int = 5) -> tuple[int, int]:
    """Choose a string and fret for a pitch, low on the neck rather than high."""
    options = [
        (string, midi - OPEN_STRINGS[string])
        for string in range(lowest, highest + 1)
        if 0 <= midi - OPEN_STRINGS[string] <= 17
    ]
    return options[-1 - int(rng.random() < 0.3) * (len(options) > 1)]


def _stroke(rng: Rng, centre: float = 0.7, spread: float = 0.12) -> float:
    return float(np.clip(rng.normal(centre, spread), 0.2, 1.0))


def _beat(rng: Rng) -> float:
    return float(60 / rng.uniform(80, 165))


def _chord(
    start: float, seconds: float, frets: dict[int, int], rng: Rng, *, up: bool, strength: float
) -> list[Note]:
    """Strum strings one after the other; hard strokes are quick."""
    gap = rng.uniform(0.004, 0.022) * (1.3 - strength)
    order = sorted(frets, reverse=up)
    return [
        Note(
            start + i * gap,
            max(seconds - i * gap, 0.05),
            string,
            frets[string],
            float(np.clip(strength * rng.uniform(0.85, 1.1), 0.15, 1)),
        )
        for i, string in enumerate(order)
    ]


def _shape(rng: Rng) -> dict[int, int]:
    name = list(_SHAPES)[int(rng.integers(len(_SHAPES)))]
    barre = int(rng.choice([0, 0, 2, 3, 5, 7]))
    return {s: barre + fret for s, fret in enumerate(_SHAPES[name]) if fret is not None}


def _chugs(seconds: float, rng: Rng) -> list[Note]:
    """Palm-muted low strokes with a power chord now and then."""
    step = _beat(rng) / rng.choice([2, 4])
    root = int(rng.choice([0, 0, 1, 3, 5]))
    mute = rng.uniform(0.3, 0.95)
    notes: list[Note] = []
    time = 0.0
    while time < seconds - 0.08:
        if rng.random() < 0.15:
            ring = min(step * 2, seconds - time)
            notes += _chord(
                time, ring, {0: root, 1: root + 2, 2: root + 2}, rng, up=False, strength=0.9
            )
            time += 2 * step
        else:
            strength = _stroke(rng, 0.8)
            notes.append(Note(time, step * 0.95, 0, root, strength, mute))
            if rng.random() < 0.5:
                notes.append(Note(time + 0.004, step * 0.95, 1, root + 2, strength, mute))
            time += step
    return notes


def _riff(seconds: float, rng: Rng) -> list[Note]:
    """Single low notes of a minor pentatonic, some muted, some slurred up."""
    step = _beat(rng) / 2
    root = 40 + int(rng.integers(0, 6))
    scale = [root + 12 * octave + tone for octave in (0, 1) for tone in _MINOR_PENTATONIC]
    degree = int(rng.integers(0, 4))
    notes = []
    time = 0.0
    while time < seconds - 0.1:
        length = step * float(rng.choice([1, 1, 1, 2]))
        if rng.random() > 0.12:
            string, fret = _place(scale[degree], rng, highest=2)
            muted = float(rng.choice([0, 0, 0.5]))
            bend = float(rng.choice([0, 0, 0, 0.5]))
            notes.append(
                Note(time, length * rng.uniform(0.6, 1), string, fret, _stroke(rng), muted, bend)
            )
        degree = int(np.clip(degree + rng.integers(-2, 3), 0, len(scale) - 1))
        time += length
    return notes


def _power_chords(seconds: float, rng: Rng) -> list[Note]:
    """Root, fifth and octave, held."""
    beat = _beat(rng)
    string = int(rng.choice([0, 0, 1]))
    notes: list[Note] = []
    time = 0.0
    while time < seconds - 0.15:
        length = beat * float(rng.choice([1, 1.5, 2, 3]))
        root = int(rng.choice([0, 1, 3, 5, 7, 8]))
        octave = root + 2 + (string == 2)
        frets = {string: root, string + 1: root + 2, string + 2: octave}
        ring = min(length * rng.uniform(0.8, 1), seconds - time)
        strength = _stroke(rng, 0.8)
        notes += _chord(time, ring, frets, rng, up=False, strength=strength)
        time += length
    return notes


def _strums(seconds: float, rng: Rng) -> list[Note]:
    """Open and barre chords, down and up."""
    step = _beat(rng) / 2
    frets = _shape(rng)
    notes: list[Note] = []
    time, count = 0.0, 0
    while time < seconds - 0.1:
        length = step * float(rng.choice([1, 1, 2, 3]))
        strength = _stroke(rng, 0.6 if count % 2 else 0.75)
        ring = min(length, seconds - time)
        notes += _chord(time, ring, frets, rng, up=bool(count % 2), strength=strength)
        if rng.random() < 0.2:
            frets = _shape(rng)
        time += length
        count += 1
    return notes


def _arpeggio(seconds: float, rng: Rng) -> list[Note]:
    """Pick the notes of a chord one by one and let them ring."""
    step = _beat(rng) / float(rng.choice([2, 3, 4]))
    frets = _shape(rng)
    strings = sorted(frets)
    order = strings + strings[-2:0:-1]
    notes = []
    count = 0
    while count * step < seconds - 0.1:
        string = order[count % len(order)]
        ring = min(step * len(order) * 0.95, seconds - count * step)
        notes.append(Note(count * step, ring, string, frets[string], _stroke(rng, 0.55)))
        count += 1
    return notes


def _lead(seconds: float, rng: Rng) -> list[Note]:
    """Play a melody high on the neck, with bends and vibrato."""
    step = _beat(rng) / 2
    root = 57 + int(rng.integers(0, 10))
    scale = [root + 12 * octave + tone for octave in (0, 1) for tone in _MINOR_PENTATONIC]
    scale = [midi for midi in scale if midi <= 81]
    degree = int(rng.integers(2, len(scale)))
    notes = []
    time = 0.0
    while time < seconds - 0.1:
        length = min(step * float(rng.choice([0.5, 1, 1, 2, 3])), seconds - time)
        string, fret = _place(scale[degree], rng, lowest=2)
        held = length > 0.3
        notes.append(
            Note(
                time,
                length * rng.uniform(0.85, 1),
                string,
                fret,
                _stroke(rng),
                bend=float(rng.choice([0, 0, 1, 2])) if held else 0.0,
                bend_seconds=rng.uniform(0.08, 0.25),
                vibrato=rng.uniform(0.1, 0.4) if held and rng.random() < 0.7 else 0.0,
                vibrato_rate=rng.uniform(4.5, 6.5),
            )
        )
        degree = int(np.clip(degree + rng.integers(-2, 3), 0, len(scale) - 1))
        time += length
    return notes


def _held(seconds: float, rng: Rng) -> list[Note]:
    """One note anywhere on the neck, left to die."""
    string = int(rng.integers(0, 6))
    shake = rng.uniform(0.08, 0.3) if rng.random() < 0.5 else 0.0
    fret = int(rng.integers(0, 15))
    return [Note(0.0, seconds, string, fret, _stroke(rng, 0.8), vibrato=shake)]


def _double_stops(seconds: float, rng: Rng) -> list[Note]:
    """Two strings together in the middle of the neck, now and then slurred."""
    step = _beat(rng) / 2
    notes: list[Note] = []
    time = 0.0
    while time < seconds - 0.1:
        length = min(step * float(rng.choice([1, 2])), seconds - time)
        string = int(rng.integers(2, 5))
        fret = int(rng.integers(2, 13))
        frets = {string: fret, string + 1: fret + int(rng.integers(0, 2))}
        notes += _chord(time, length * 0.95, frets, rng, up=False, strength=_stroke(rng, 0.65))
        time += length
    return notes


def _scratches(seconds: float, rng: Rng) -> list[Note]:
    """Strings damped by the left hand, with rests: little but attacks."""
    step = _beat(rng) / 4
    notes: list[Note] = []
    time = 0.0
    while time < seconds - 0.1:
        if rng.random() < 0.65:
            low = int(rng.integers(0, 3))
            strength = _stroke(rng, 0.6, 0.2)
            notes += [
                Note(time + 0.004 * i, 0.09, low + i, 7, strength, mute=1.0) for i in range(3)
            ]
        time += step * float(rng.choice([1, 1, 2]))
    return notes


STYLES: dict[str, Callable[[float, Rng], list[Note]]] = {
    "chugs": _chugs,
    "riff": _riff,
    "power chords": _power_chords,
    "strums": _strums,
    "arpeggio": _arpeggio,
    "lead": _lead,
    "held": _held,
    "double stops": _double_stops,
    "scratches": _scratches,
}


def score(seconds: float, rng: Rng) -> list[Phrase]:
    """Write what is played in that many seconds."""
    rounds = max(round(seconds / ROUND_SECONDS), 1)
    length = seconds / rounds
    phrases: list[Phrase] = []
    for number in range(rounds):
        phrases += _round(number * length, length, rng)
    return phrases


def _round(start: float, seconds: float, rng: Rng) -> list[Phrase]:
    """Every style once, or as many as two seconds each leave room for."""
    count = int(np.clip(round(seconds / 2), 1, len(STYLES)))
    names = [list(STYLES)[i] for i in rng.permutation(len(STYLES))[:count]]
    share = rng.uniform(0.7, 1.3, count)
    lengths = seconds * share / share.sum()
    starts = start + np.concatenate(([0.0], np.cumsum(lengths)[:-1]))
    # Spread evenly over the round, in an order of their own.
    loudness = rng.permutation((np.arange(count) + rng.random(count)) / count)
    places = rng.permutation(np.resize([0.065, 0.15, 0.24], count))
    phrases = []
    for name, begin, length, loud, place in zip(
        names, starts, lengths, loudness, places, strict=True
    ):
        rest = float(rng.choice([0.0, 0.0, 0.15, 0.4])) * rng.uniform(0.5, 1.0)
        played = max(float(length) - rest, 0.3)
        notes = STYLES[name](played, rng)
        phrases.append(
            Phrase(
                start=float(begin),
                seconds=float(length),
                style=name,
                notes=tuple(notes),
                level=float(10 ** (-14 * (1 - loud) / 20)),
                pickup=float(place),
                resonance=float(rng.uniform(2200, 5000)),
                quality=float(rng.uniform(0.8, 2.5)),
                position=float(rng.uniform(0.06, 0.22)),
                pick_noise=float(rng.uniform(0.05, 0.4)),
            )
        )
    return phrases
