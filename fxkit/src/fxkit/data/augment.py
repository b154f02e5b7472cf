"""Variety that is not in the recordings: another level, polarity, speed or drive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fxkit.data.audio import Samples
from fxkit.data.pairs import Take
from fxkit.errors import FxkitError

__all__ = ["RUN_IN", "Augmentation", "Variation", "faster", "redrive", "rewetted"]

RUN_IN = 0.25
"""Seconds of dry guitar that an effect hears before a crop, unscored: its filters settle."""


@dataclass(frozen=True)
class Variation:
    """What is done to one crop."""

    factor: float = 1.0
    """Both sides are multiplied by it; negative turns the polarity round."""
    strength: float | None = None
    """The wet side is made anew at this strength of the effect, 0..1; None leaves it as it is."""
    speed: float = 1.0
    """Both sides are played so many times as fast, as a tape is: pitch and tempo change."""


@dataclass(frozen=True)
class Augmentation:
    """How crops are varied from epoch to epoch.

    Both sides of a pair are changed alike, which is true to life only where the dry side is the
    target: whoever takes the distortion off should do the same for a recording that is a little
    louder, or has its polarity inverted. An amplifier does not. What only bends the waveform is the
    same at any speed; an amplifier's filters move with it, so a change of speed is a small lie,
    which buys notes that were not played.

    Attributes
    ----------
    gain
        Largest change of level up or down, dB.
    polarity
        Whether to turn the polarity round every other time.
    strengths
        Whether to make the wet side anew at a random strength of the effect, from its lightest to
        its heaviest; only where the take says how (`Take.effect`).
    speed
        Largest change of speed up or down, in semitones of pitch.
    """

    gain: float = 0.0
    polarity: bool = False
    strengths: bool = False
    speed: float = 0.0

    def check(self, takes: list[Take]) -> None:
        """Raise `FxkitError` if the wet side of a take should be made anew but cannot be."""
        fixed = [take.name for take in takes if take.effect is None]
        if self.strengths and fixed:
            raise FxkitError(
                f"{fixed[0]} is a recording, which cannot be distorted anew: "
                "task.drives is for the built-in guitar; leave it out"
            )

    def draw(self, random: np.random.Generator, count: int) -> list[Variation]:
        """Return one variation for each of `count` crops."""
        levels = 10.0 ** (self.gain * random.uniform(-1.0, 1.0, count) / 20.0)
        signs = random.choice([-1.0, 1.0], count) if self.polarity else np.ones(count)
        strengths = random.uniform(0.0, 1.0, count)
        speeds = 2.0 ** (self.speed * random.uniform(-1.0, 1.0, count) / 12.0)
        return [
            Variation(
                float(level * sign), float(strength) if self.strengths else None, float(speed)
            )
            for level, sign, strength, speed in zip(levels, signs, strengths, speeds, strict=True)
        ]


def rewetted(take: Take, start: int, length: int, strength: float) -> NDArray[np.float32]:
    """Return ``[length]`` samples of the wet side from `start` on, at another strength."""
    assert take.effect is not None
    before = min(start, round(RUN_IN * take.sample_rate))
    dry: Samples = take.clean.read(start - before, start + length)
    return take.effect(dry, take.sample_rate, strength)[before:]


def faster(audio: Samples, speed: float, length: int) -> Samples:
    """Play ``[time]`` samples `speed` times as fast, and return the first `length` of them.

    What would lie above half the sample rate is left out. At both ends the filter hears silence
    beyond them, which touches a few dozen samples.
    """
    import soxr

    played: Samples = soxr.resample(audio, speed, 1.0, quality="HQ")[:length]
    return np.pad(played, (0, length - len(played)))


def redrive(audio: NDArray[np.float32], sample_rate: int, strength: float) -> NDArray[np.float32]:
    """Distort as the built-in data set is, at any strength: 0 is ``light``, 1 is ``heavy``.

    Equal steps of the strength are equal steps of the drive's gain in dB.
    """
    from fxkit.data.synth import GAINS, drive

    low, high = min(GAINS.values()), max(GAINS.values())
    return drive(audio, sample_rate, low + strength * (high - low))
