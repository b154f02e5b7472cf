"""Dry guitar that was not played: another speed, strength and polarity, two stretches at once.

A wet recording cannot be varied like this, since the amplifier answers each of it differently. The
dry side can; what makes it wet again is up to `fxkit.data.amplified`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.fft import next_fast_len

from fxkit.data.audio import Samples
from fxkit.data.augment import faster
from fxkit.data.pairs import Segment

__all__ = ["PIVOT", "Place", "Recipe", "Variety", "Voice", "tilted", "varied"]

PIVOT = 700.0
"""The frequency in Hz that a tilt leaves alone."""

Place = tuple[Segment, int]
"""A segment, and samples behind its start."""


@dataclass(frozen=True)
class Voice:
    """One stretch of the recording, and how it is played."""

    place: Place
    speed: float = 1.0
    """So many times as fast, as a tape is: pitch and tempo change."""
    factor: float = 1.0
    """Multiplies it; negative turns the polarity round."""


@dataclass(frozen=True)
class Recipe:
    """What one stretch of varied guitar is made of."""

    voices: tuple[Voice, ...]
    """Played at once."""
    tilt: float = 0.0
    """How much louder the highs become against the lows, dB."""


@dataclass(frozen=True)
class Variety:
    """How far dry guitar is varied so that it stays guitar.

    Attributes
    ----------
    speed
        Largest change of speed up or down, in semitones of pitch.
    gain
        Largest change of level up or down, dB: played harder or softer.
    mix
        Share of stretches on top of which another one is played, 0..1: chords that are denser.
    tilt
        Largest tilt of the highs against the lows up or down, dB: another pickup, older strings.
    """

    speed: float = 3.0
    gain: float = 6.0
    mix: float = 0.25
    tilt: float = 3.0

    def draw(
        self, random: np.random.Generator, places: Sequence[Place], others: Sequence[Place]
    ) -> list[Recipe]:
        """Return one recipe for each of `places`; what is played on top is one of `others`."""
        count = len(places)
        speeds = 2.0 ** (self.speed * random.uniform(-1.0, 1.0, (count, 2)) / 12.0)
        levels = 10.0 ** (self.gain * random.uniform(-1.0, 1.0, (count, 2)) / 20.0)
        factors = levels * random.choice([-1.0, 1.0], (count, 2))
        tilts = self.tilt * random.uniform(-1.0, 1.0, count)
        second = random.integers(0, len(others), count)
        mixed = random.uniform(0.0, 1.0, count) < self.mix
        recipes = []
        for i, place in enumerate(places):
            voices = [
                Voice(at, float(speed), float(factor))
                for at, speed, factor in zip(
                    (place, others[second[i]]), speeds[i], factors[i], strict=True
                )
            ]
            recipes.append(Recipe(tuple(voices[: 1 + mixed[i]]), float(tilts[i])))
        return recipes


def varied(recipe: Recipe, length: int, run_in: int) -> Samples:
    """Play a recipe.

    Parameters
    ----------
    recipe
        What to play.
    length
        Samples from the recipe's places on. A voice does not leave its segment: where that ends
        sooner it begins earlier, and it is never played faster than the segment lasts.
    run_in
        Samples before them, of what was played there; silence before the segment begins.

    Returns
    -------
    Samples
        ``[run_in + length]``.
    """
    rate = recipe.voices[0].place[0].take.sample_rate
    dry = np.zeros(run_in + length, np.float32)
    for voice in recipe.voices:
        played = _played(voice, length, run_in)
        dry[len(dry) - len(played) :] += np.float32(voice.factor) * played
    return tilted(dry, rate, recipe.tilt) if recipe.tilt else dry


def _played(voice: Voice, length: int, run_in: int) -> Samples:
    """Return the voice at its speed, and what comes before it as far as there is any."""
    segment, offset = voice.place
    speed = min(voice.speed, segment.frames / length)
    taken = min(math.ceil(length * speed), segment.frames)
    start = segment.start + min(offset, segment.frames - taken)
    before = min(start - segment.start, math.floor(run_in * speed))
    heard = segment.take.clean.read(start - before, start + taken)
    if speed == 1.0:
        return heard
    return faster(heard, speed, length + math.floor(before / speed))


def tilted(audio: Samples, sample_rate: int, tilt: float) -> Samples:
    """Raise the highs of ``[time]`` samples by half of `tilt` dB and lower the lows by as much.

    A shelf of first order around `PIVOT`, ``H(s) = (a s + w) / (s + a w)`` with `a` the gain of
    the highs: 1 at the pivot, `a` far above and 1/a far below. Its memory is a fraction of a
    millisecond.
    """
    gain = 10.0 ** (tilt / 40.0)
    # Silence behind the end, so that nothing wraps around.
    size = next_fast_len(len(audio) + round(0.01 * sample_rate), real=True)
    s, w = 2j * np.pi * np.fft.rfftfreq(size, 1.0 / sample_rate), 2.0 * np.pi * PIVOT
    response = (gain * s + w) / (s + gain * w)
    shaped = np.fft.irfft(np.fft.rfft(audio, size) * response, size)
    return shaped[: len(audio)].astype(np.float32)
