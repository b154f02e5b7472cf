"""What an evaluation found, as plain data: scores, aliasing, and an excerpt to look at and hear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Aliasing", "AliasingPoint", "Evaluation", "Excerpt", "Scores"]


@dataclass(frozen=True)
class Scores:
    """How far an estimate is from its target; None where a number is not defined.

    docs/metrics.md has the formula, the range and the meaning of each. None appears, never a NaN,
    where the target is silent, say, or where there is no attack to measure.
    """

    esr: float | None
    """Squared error over squared target: 0 is perfect, 1 is as bad as silence."""
    esr_pre_emphasised: float | None
    """The same after ``y[i] = x[i] - 0.85 x[i-1]``, which weighs treble as an ear does."""
    dc: float | None
    """Squared mean of the error over the mean square of the target."""
    mrstft: float | None
    """Multi-resolution STFT distance: spectral convergence plus log magnitude L1."""
    si_sdr: float | None
    """Scale-invariant signal-to-distortion ratio, dB, clamped to +-100; higher is better."""
    esr_attack: float | None
    """ESR from 5 ms before to 50 ms after each note attack."""
    esr_elsewhere: float | None
    """ESR everywhere else."""
    bands: dict[str, float] = field(default_factory=dict)
    """Octave band centre in Hz (``"63"`` to ``"16000"``) -> error over target energy, dB.

    A band in which the target holds next to nothing is left out.
    """

    def to_plain(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Scores:
        """Read what `to_plain` wrote."""
        return cls(**{**plain, "bands": dict(plain["bands"])})


@dataclass(frozen=True)
class AliasingPoint:
    """One sine through the model."""

    frequency: float
    """Of the sine, Hz."""
    level: float
    """Peak of the sine, dB relative to full scale."""
    ratio: float
    """Energy that is not at a multiple of the frequency, over all energy, dB; lower is better."""


@dataclass(frozen=True)
class Aliasing:
    """What a model adds at frequencies that are no harmonics, measured on a sweep of sines."""

    points: tuple[AliasingPoint, ...]
    """One for each frequency and level, in the order they were played."""
    worst: float
    """The highest ratio of all points, dB."""
    mean: float
    """The mean of the points' energy ratios, dB."""

    def to_plain(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "points": [asdict(point) for point in self.points],
            "worst": self.worst,
            "mean": self.mean,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Aliasing:
        """Read what `to_plain` wrote."""
        points = tuple(AliasingPoint(**point) for point in plain["points"])
        return cls(points=points, worst=plain["worst"], mean=plain["mean"])


@dataclass(frozen=True, eq=False)
class Excerpt:
    """A representative phrase of the held-out part: three mono arrays of one length."""

    take: str
    """Name of the take it comes from."""
    start: float
    """Where it starts in that take's recording, seconds."""
    sample_rate: int
    """Hz."""
    input: NDArray[np.float32]
    """What the model heard, ``[time]``."""
    target: NDArray[np.float32]
    """What it should have made of it, ``[time]``."""
    prediction: NDArray[np.float32]
    """What it made of it, latency removed, ``[time]``."""
    attack: int | None
    """Position of the clearest note attack, samples into the excerpt; None if it has none."""


@dataclass(frozen=True)
class Evaluation:
    """The scores of a model over the whole held-out part, beside those of doing nothing."""

    scores: Scores
    """Of the model."""
    baseline: Scores
    """Of the unprocessed input at its best gain."""
    baseline_gain: float
    """That gain: the least-squares one, negative where the effect inverts the polarity."""
    aliasing: Aliasing | None
    """None where the model answers sines with silence."""
    seconds: float
    """Length of what was scored."""
    esr_over_time: tuple[tuple[float, float], ...]
    """(second at which it starts, ESR of that second), silent seconds left out."""
    attacks: int
    """How many note attacks were found in all that was scored."""
    onsets: tuple[int, ...]
    """The note attacks of the excerpt, samples into it."""
    excerpt: Excerpt | None
    """The audio to look at and hear; None in an evaluation that was read back from JSON."""

    def to_plain(self) -> dict[str, Any]:
        """Return JSON values: everything but the audio."""
        return {
            "scores": self.scores.to_plain(),
            "baseline": self.baseline.to_plain(),
            "baseline_gain": self.baseline_gain,
            "aliasing": None if self.aliasing is None else self.aliasing.to_plain(),
            "seconds": self.seconds,
            "esr_over_time": [list(pair) for pair in self.esr_over_time],
            "attacks": self.attacks,
            "onsets": list(self.onsets),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Evaluation:
        """Read what `to_plain` wrote; the excerpt is None."""
        aliasing = plain["aliasing"]
        return cls(
            scores=Scores.from_plain(plain["scores"]),
            baseline=Scores.from_plain(plain["baseline"]),
            baseline_gain=plain["baseline_gain"],
            aliasing=None if aliasing is None else Aliasing.from_plain(aliasing),
            seconds=plain["seconds"],
            esr_over_time=tuple((float(t), float(esr)) for t, esr in plain["esr_over_time"]),
            attacks=plain["attacks"],
            onsets=tuple(plain["onsets"]),
            excerpt=None,
        )
