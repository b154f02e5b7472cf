"""The dry side: a synthetic electric guitar, straight from its pickups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from fxkit.data.synth.score import OPEN_STRINGS, Note, Phrase, score
from fxkit.data.synth.string import Pluck, loop_for, pluck

if TYPE_CHECKING:
    from fxkit.progress import Step

__all__ = ["guitar"]

Array = NDArray[np.float64]

PEAK = 0.7  # full scale
HISS = 1e-5  # full scale RMS: the noise of a good interface, -100 dBFS
_CHANGE = 0.03  # seconds before its next stroke at which a string is damped, at most
_CONCERT_A = 440.0


def guitar(
    seed: int, seconds: float, sample_rate: int, *, step: Step | None = None
) -> NDArray[np.float32]:
    """Play a synthetic electric guitar.

    Parameters
    ----------
    seed
        What is played and how; equal seeds give equal samples on one machine, and samples equal
        within rounding on another.
    seconds
        How long.
    sample_rate
        In Hz.
    step
        Told of every second that is done.

    Returns
    -------
    np.ndarray
        ``[time]``, float32, with a peak of 0.7.
    """
    if seconds <= 0 or sample_rate < 8000:
        raise ValueError("the guitar needs a positive length and a rate of at least 8000 Hz")
    rng = np.random.default_rng([seed, 0x6775_6974])
    length = round(seconds * sample_rate)
    out = np.zeros(length)
    for phrase in score(seconds, rng):
        played = _perform(phrase, sample_rate, rng)
        start = round(phrase.start * sample_rate)
        played = played[: length - start]
        out[start : start + len(played)] += played
        if step is not None:
            step.advance(phrase.seconds)
    peak = np.abs(out).max()
    if peak > 0:
        out *= PEAK / peak
    out += HISS * rng.standard_normal(length)
    return out.astype(np.float32)


def _perform(phrase: Phrase, sample_rate: int, rng: np.random.Generator) -> Array:
    """Return the phrase as the pickup hears it, ``[time]``, a little longer than its slot."""
    out = np.zeros(round((phrase.seconds + 0.5) * sample_rate))
    for note, seconds in _without_overlaps(phrase.notes):
        wave = _hear(phrase, note, seconds, sample_rate, rng)
        start = round(note.start * sample_rate)
        wave = wave[: max(len(out) - start, 0)]
        out[start : start + len(wave)] += wave
    heard = signal.sosfilt(_pickup(phrase, sample_rate), out)
    return np.asarray(phrase.level * heard)


def _without_overlaps(notes: tuple[Note, ...]) -> list[tuple[Note, float]]:
    """End each note when its string is struck again."""
    following: dict[int, float] = {}
    ended = []
    for note in sorted(notes, key=lambda n: n.start, reverse=True):
        free = following.get(note.string, np.inf) - note.start
        ended.append((note, max(min(note.seconds, free - min(_CHANGE, free / 4)), 0.005)))
        following[note.string] = note.start
    return ended[::-1]


def _hear(
    phrase: Phrase, note: Note, seconds: float, sample_rate: int, rng: np.random.Generator
) -> Array:
    """Pluck one note and pick it up where the pickup sits."""
    # Nobody frets perfectly in tune, and a string that is struck hard begins a little sharp.
    detune = rng.normal(0, 0.03)
    midi = OPEN_STRINGS[note.string] + note.fret + detune
    frequency = float(_CONCERT_A * 2 ** ((midi - 69) / 12))
    pitch: float | Array = frequency
    if note.bend or note.vibrato:
        time = np.arange(max(round(seconds * sample_rate), 1)) / sample_rate
        rise = np.clip(time / note.bend_seconds, 0, 1)
        semitones = note.bend * rise * rise * (3 - 2 * rise)
        swell = np.clip((time - 0.2) / 0.3, 0, 1)
        semitones += note.vibrato * swell * np.sin(2 * np.pi * note.vibrato_rate * (time - 0.2))
        pitch = frequency * 2 ** (semitones / 12)
    # Positions are fractions of the open string: a fretted one is shorter.
    longer = 2 ** (note.fret / 12)
    stroke = Pluck(
        frequency=pitch,
        seconds=seconds,
        loop=loop_for(note.string, note.fret, note.mute),
        strength=note.strength,
        position=min(phrase.position * longer, 0.45),
        pick_noise=phrase.pick_noise,
    )
    wave = pluck(stroke, sample_rate, rng)
    away = min(phrase.pickup * longer, 0.5) * sample_rate / frequency
    whole, part = int(away), away - int(away)
    reflected = np.convolve(wave, [1 - part, part])[: len(wave)]
    wave[whole:] -= reflected[: len(wave) - whole]
    return 0.5 * wave


def _pickup(phrase: Phrase, sample_rate: int) -> Array:
    """Coil against cable: a resonant low-pass of second order."""
    omega = 2 * np.pi * min(phrase.resonance, 0.4 * sample_rate)
    damping = omega / phrase.quality
    b, a = signal.bilinear([omega**2], [1.0, damping, omega**2], fs=sample_rate)
    return np.concatenate((b, a))[None, :]
