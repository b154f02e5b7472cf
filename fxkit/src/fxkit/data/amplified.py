"""Pairs made anew: dry guitar varied, and played through a learned model of the amplifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Protocol

import numpy as np

from fxkit.data.audio import Samples
from fxkit.data.check import excerpts
from fxkit.data.pairs import Segment, Take
from fxkit.data.varied import Place, Recipe, Variety, varied
from fxkit.errors import FxkitError

__all__ = ["HEARD_SECONDS", "Amplified", "Player"]

HEARD_SECONDS = 10
"""About so much is played to tell whether the amplifier sounds like the recordings."""


class Player(Protocol):
    """What makes wet of dry: a `fxkit.amplifier.Amplifier`."""

    @property
    def description(self) -> str:
        """Which one it is, in a line."""

    @property
    def sample_rate(self) -> int:
        """In Hz."""

    @property
    def run_in(self) -> int:
        """Samples that it has to hear before what it makes counts."""

    @property
    def peak(self) -> float:
        """The loudest sample that it knows, linear; infinity if there is no limit."""

    def play(self, stretches: Sequence[Samples]) -> list[Samples]:
        """Play ``[time]`` stretches, each from silence; not delayed against them, as long."""


@dataclass(frozen=True)
class Amplified:
    """A share of crops that is made anew in every epoch.

    The amplifier answers each variation of the dry side as the real one would, which no change of
    the wet side does: a pair made like this is true to life, as far as the model of it is.

    Attributes
    ----------
    amplifier
        Makes the wet side.
    share
        Of the crops, 0..1.
    variety
        How the dry side is varied.
    """

    amplifier: Player
    share: float = 0.5
    variety: Variety = field(default_factory=Variety)

    def check(self, takes: Sequence[Take]) -> None:
        """Raise `FxkitError` if the amplifier does not fit the recordings."""
        rate = self.amplifier.sample_rate
        for take in takes:
            if take.sample_rate != rate:
                raise FxkitError(
                    f"task.amplifier is a model for {rate} Hz, the recordings are at "
                    f"{take.sample_rate} Hz: train it on the same recordings"
                )
            if take.controls:
                raise FxkitError(
                    "task.amplifier makes pairs without knobs, and the recordings have some: "
                    "leave it out"
                )

    def draw(
        self, random: np.random.Generator, places: Sequence[Place], others: Sequence[Place]
    ) -> list[Recipe | None]:
        """Return what each crop is made of; None for those that stay as they were recorded.

        Parameters
        ----------
        random
            Fixes everything.
        places
            Of the crops; one that is made anew varies what was played there.
        others
            Where that may come from which is played on top.
        """
        count = len(places)
        made = np.sort(random.permutation(count)[: round(self.share * count)])
        recipes: list[Recipe | None] = [None] * count
        drawn = self.variety.draw(random, [places[i] for i in made], others)
        for i, recipe in zip(made, drawn, strict=True):
            recipes[i] = recipe
        return recipes

    def pairs(self, recipes: Sequence[Recipe], length: int) -> list[tuple[Samples, Samples]]:
        """Return the dry and the wet side of each recipe, both ``[length]``, sample on sample."""
        run_in = self.amplifier.run_in
        dry = [self._within(varied(recipe, length, run_in)) for recipe in recipes]
        wet = self.amplifier.play(dry)
        return [(d[run_in:], w[run_in:]) for d, w in zip(dry, wet, strict=True)]

    def esr(self, segments: Sequence[Segment]) -> float:
        """Return the ESR of what the amplifier makes of the dry side, against the wet side.

        About `HEARD_SECONDS` are heard, in excerpts of a second spread evenly.
        """
        total = sum(segment.frames for segment in segments)
        stride = max(1, len(segments) // HEARD_SECONDS)
        error = energy = 0.0
        for segment in segments[::stride]:
            share = max(1, round(HEARD_SECONDS * stride * segment.frames / total))
            for start, stop in excerpts(segment.frames, segment.take.sample_rate, share):
                first, last = segment.start + start, segment.start + stop
                before = min(start, self.amplifier.run_in)
                [made] = self.amplifier.play([segment.take.clean.read(first - before, last)])
                wet = segment.take.wet.read(first, last)
                error += float(np.square(made[before:] - wet, dtype=np.float64).sum())
                energy += float(np.square(wet, dtype=np.float64).sum())
        return error / energy if energy else inf

    def _within(self, dry: Samples) -> Samples:
        """Turn down what is louder than anything that the amplifier's model has learned from."""
        peak, most = float(np.abs(dry).max()), self.amplifier.peak
        return dry * np.float32(most / peak) if peak > most else dry
