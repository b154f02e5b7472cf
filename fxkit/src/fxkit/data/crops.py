"""Random crops, for models that learn from independent excerpts instead of streams."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from fxkit.data.audio import Samples
from fxkit.data.augment import Augmentation, Variation, faster, rewetted
from fxkit.data.pairs import Segment, Side
from fxkit.data.window import Window, fill, knobs, one_ahead, rows_of
from fxkit.errors import FxkitError

__all__ = ["Crops"]


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

    Attributes
    ----------
    steps
        Windows per epoch; the same in every epoch.

    Raises
    ------
    FxkitError
        No segment is as long as a crop, or the augmentation does not fit the recordings.
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
        self._augmentation.check([segment.take for segment in self._segments])
        # Another drive or speed takes as long to make as reading from disk.
        self._threaded = (
            self._augmentation.strengths
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
            (index, int(phases[index]) + i * self.length)
            for index, count in enumerate(self._counts)
            for i in range(count)
        ]
        wanted = self.steps * self.batch
        order = random.permutation(len(places))
        while len(order) < wanted:
            order = np.concatenate([order, random.permutation(len(places))])
        varied = self._augmentation.draw(random, wanted)
        jobs = [
            [(*places[order[k + row]], varied[k + row]) for row in self._rows]
            for k in range(0, wanted, self.batch)
        ]
        yield from one_ahead(jobs, self._read, threaded=self._threaded)

    def _read(self, places: list[tuple[int, int, Variation]]) -> Window:
        shape = len(places), 1, self.length
        inputs, targets = torch.empty(shape), torch.empty(shape)
        for b, (index, offset, variation) in enumerate(places):
            segment = self._segments[index]
            for side, out, lag in zip(
                self._sides, (inputs, targets), (0, self.latency), strict=True
            ):
                # The model starts from silence: what came before the crop is silence to it.
                crop = out.numpy()[b, 0]
                crop[:lag] = 0.0
                self._play(segment, side, offset, crop[lag:], variation)
                if variation.factor != 1.0:
                    crop *= variation.factor
        return Window(
            inputs,
            targets,
            knobs(self._segments[index] for index, _, _ in places),
            scored=True,
            reset=torch.ones(len(places), dtype=torch.bool),
        )

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
