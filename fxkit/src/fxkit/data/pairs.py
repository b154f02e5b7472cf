"""What the data are made of: takes, data sets, and the segments that a split divides them into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fxkit.data.recording import Recording

__all__ = ["Dataset", "Effect", "Segment", "Side", "Split", "Take"]

Side = Literal["clean", "wet"]

Effect: TypeAlias = Callable[[NDArray[np.float32], int, float], NDArray[np.float32]]
"""Makes wet of dry: samples ``[time]``, their rate in Hz, strength 0..1 -> samples ``[time]``."""


@dataclass(frozen=True)
class Take:
    """A checked, aligned pair of recordings, both equally long and at one rate.

    Attributes
    ----------
    name
        For messages and the report.
    clean, wet
        The dry guitar, and the output of the effect.
    controls
        The knobs' values in 0..1, in the order of `Dataset.control_names`.
    split
        The part that the user marked the whole take for; None if it is up to the split.
    estimated
        The side that was made by a model instead of recorded: trained on, never scored.
    effect
        What made the wet side of the dry one, if it is a program that can do so again at another
        strength; None for a recording.
    """

    name: str
    clean: Recording
    wet: Recording
    controls: tuple[float, ...] = ()
    split: Literal["train", "validation", "test"] | None = None
    estimated: Side | None = None
    effect: Effect | None = None

    def __post_init__(self) -> None:
        if self.clean.frames != self.wet.frames:
            raise ValueError(
                f"{self.name}: clean has {self.clean.frames} samples, wet {self.wet.frames}"
            )
        if self.clean.sample_rate != self.wet.sample_rate:
            raise ValueError(
                f"{self.name}: clean is at {self.clean.sample_rate} Hz, wet at "
                f"{self.wet.sample_rate} Hz"
            )

    @property
    def frames(self) -> int:
        """The length in samples."""
        return self.clean.frames

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        return self.clean.sample_rate

    def side(self, side: Side) -> Recording:
        """Return the recording of one side."""
        return self.clean if side == "clean" else self.wet


@dataclass(frozen=True)
class Dataset:
    """All takes of one effect.

    Attributes
    ----------
    takes
        At least one.
    sample_rate
        In Hz, of every take.
    control_names
        The knobs' names, in the order of `Take.controls`.
    description
        What it is, in a line: ``"clean.flac -> heavy.flac"``.
    findings
        What the checks and the alignment saw, a line each.
    """

    takes: tuple[Take, ...]
    sample_rate: int
    control_names: tuple[str, ...]
    description: str
    findings: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """The length of all takes together."""
        return sum(take.frames for take in self.takes) / self.sample_rate


@dataclass(frozen=True)
class Segment:
    """The stretch of a take from sample `start` up to, not including, `stop`."""

    take: Take
    start: int
    stop: int

    @property
    def frames(self) -> int:
        """The length in samples."""
        return self.stop - self.start

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return self.frames / self.take.sample_rate


@dataclass(frozen=True)
class Split:
    """What is trained on, what chooses the best weights, and what is scored in the end.

    `test` holds recorded pairs only; it is empty where every take has an estimated side.
    """

    train: tuple[Segment, ...]
    validation: tuple[Segment, ...]
    test: tuple[Segment, ...]
