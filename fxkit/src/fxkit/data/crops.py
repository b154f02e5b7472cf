"""Random crops, for models that learn from independent excerpts instead of streams."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from fxkit.data.amplified import Amplified
from fxkit.data.audio import Samples
from fxkit.data.augment import Augmentation, Variation, faster, rewetted
from fxkit.data.pairs import Segment, Side
from fxkit.data.varied import Recipe
from fxkit.data.window import Window, fill, knobs, one_ahead, rows_of
from fxkit.errors import FxkitError

__all__ = ["Crops"]


@dataclass(frozen=True)
class _Crop:
    """Where a crop lies, and what is done to it."""

    segment: Segment
    offset: int
    variation: Variation
    recipe: Recipe | None
    """What it is made of anew; None for one that stays as it was recorded."""


class Crops:
    """Yields batches of crops in random order, every state starting afresh.

    Each epoch lays a grid of crops over the segments, at a new random offset, and shuffles it: all
    is heard about once, and never cut twice at the same place.

    Parameters
    ----------
    segments
        Where to crop from; those shorter than a crop are left out.
    input, target
        The sides that the model hears and should produce.
    batch
        Crops per window.
    length
        Samples per crop.
    seed
        Together with the number of an epoch it fixes everything in it.
    latency
        The target is delayed by so many samples, as the model's output is, and begins with silence.
    share
        Which of how many processes this is: ``(0, 2)`` reads and yields the first half of every
        batch, ``(1, 2)`` the second.
    augmentation
        How crops are varied, differently in every epoch; None for not at all.
    amplified
        Which of them are made anew, differently in every epoch; None for none.

    Attributes
    ----------
    steps
        Windows per epoch; the same in every epoch.

    Raises
    ------
    FxkitError
        No segment is as long as a crop, or the augmentation or what makes crops anew does not fit
        the recordings.
    """

    steps: int

    def __init__(
        self,
        segments: Sequence[Segment],
        *,
        input: Side,  # noqa: A002 - the word that the task contract uses
        target: Side,
        batch: int,
        length: int,
        seed: int = 0,
        latency: int = 0,
        share: tuple[int, int] = (0, 1),
        augmentation: Augmentation | None = None,
        amplified: Amplified | None = None,
    ) -> None:
        self._rows = rows_of(share, batch)
        self.batch, self.length, self.latency, self.seed = batch, length, latency, seed
        self._sides = input, target
        self._segments = [segment for segment in segments if segment.frames >= length]
        if not self._segments:
            longest = max((segment.seconds for segment in segments), default=0.0)
            raise FxkitError(
                f"no training part is as long as a crop ({length} samples; the longest has "
                f"{longest:.2f} s): lower train.crop or record more"
            )
        frames = np.array([segment.frames for segment in self._segments], np.int64)
        self._counts = frames // length
        self._slack = frames - self._counts * length
        # A short data set still fills one batch: crops are drawn more than once.
        self.steps = max(1, int(self._counts.sum()) // batch)
        self._augmentation = Augmentation() if augmentation is None else augmentation
        takes = [segment.take for segment in self._segments]
        self._augmentation.check(takes)
        self._amplified = amplified
        if amplified is not None:
            amplified.check(takes)
        # Another drive, speed or playing takes as long to make as reading from disk.
        self._threaded = (
            amplified is not None
            or self._augmentation.strengths
            or self._augmentation.speed > 0
            or not all(
                segment.take.clean.held and segment.take.wet.held for segment in self._segments
            )
        )

    def epoch(self, number: int) -> Iterator[Window]:
        """Go through the segments about once; deterministic in the seed and `number`."""
        random = np.random.default_rng((self.seed, number))
        phases = random.integers(0, self._slack + 1)
        places = [
            (segment, int(phase) + i * self.length)
            for segment, phase, count in zip(self._segments, phases, self._counts, strict=True)
            for i in range(count)
        ]
        wanted = self.steps * self.batch
        order = random.permutation(len(places))
        while len(order) < wanted:
            order = np.concatenate([order, random.permutation(len(places))])
        chosen = [places[k] for k in order[:wanted]]
        varied = self._augmentation.draw(random, wanted)
        recipes: list[Recipe | None] = [None] * wanted
        if self._amplified is not None:
            # Dice of its own: what is made is the same however the others are varied.
            dice = np.random.default_rng((self.seed, number, 1))
            recipes = self._amplified.draw(dice, chosen, places)
        crops = [
            _Crop(segment, offset, variation, recipe)
            for (segment, offset), variation, recipe in zip(chosen, varied, recipes, strict=True)
        ]
        jobs = [[crops[k + row] for row in self._rows] for k in range(0, wanted, self.batch)]
        yield from one_ahead(jobs, self._read, threaded=self._threaded)

    def _read(self, crops: list[_Crop]) -> Window:
        shape = len(crops), 1, self.length
        inputs, targets = torch.empty(shape), torch.empty(shape)
        made = self._made(crops)
        for b, crop in enumerate(crops):
            factor = crop.variation.factor
            if b in made:
                # The pair has a polarity of its own; turned round, it would be another amplifier's.
                factor = abs(factor)
            for side, rows, lag in zip(
                self._sides, (inputs, targets), (0, self.latency), strict=True
            ):
                # The model starts from silence: what came before the crop is silence to it.
                out = rows.numpy()[b, 0]
                out[:lag] = 0.0
                if b in made:
                    out[lag:] = made[b][side][: self.length - lag]
                else:
                    self._play(crop.segment, side, crop.offset, out[lag:], crop.variation)
                if factor != 1.0:
                    out *= factor
        return Window(
            inputs,
            targets,
            knobs(crop.segment for crop in crops),
            scored=True,
            reset=torch.ones(len(crops), dtype=torch.bool),
        )

    def _made(self, crops: list[_Crop]) -> dict[int, dict[Side, Samples]]:
        """Return both sides of each crop that is made anew, by its place in the batch."""
        recipes = {b: crop.recipe for b, crop in enumerate(crops) if crop.recipe is not None}
        if self._amplified is None or not recipes:
            return {}
        pairs = self._amplified.pairs(list(recipes.values()), self.length)
        return {b: {"clean": dry, "wet": wet} for b, (dry, wet) in zip(recipes, pairs, strict=True)}

    def _play(
        self, segment: Segment, side: Side, offset: int, out: Samples, variation: Variation
    ) -> None:
        """Fill `out` with one side from `offset` of the segment on, at the crop's speed."""
        # A faster crop takes more of the segment, so it may have to begin earlier.
        speed = min(variation.speed, segment.frames / self.length)
        taken = min(math.ceil(self.length * speed), segment.frames)
        start = segment.start + min(offset, segment.frames - taken)
        if side == "wet" and variation.strength is not None:
            heard = rewetted(segment.take, start, taken, variation.strength)
        elif speed == 1.0:
            fill(segment, side, start, out, first=start)
            return
        else:
            heard = np.empty(taken, np.float32)
            fill(segment, side, start, heard, first=start)
        out[...] = heard[: len(out)] if speed == 1.0 else faster(heard, speed, len(out))
