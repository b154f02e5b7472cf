"""The validation loss: the training loss over the whole validation part, the model streaming."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from fxkit.data import Segment
from fxkit.device import float32_products
from fxkit.distributed import ALONE, Ranks
from fxkit.loss import Loss
from fxkit.model import Model, run_blocks
from fxkit.task import Task

__all__ = ["Validation"]

LANES = 16
BLOCK = 8192


class Validation:
    """The validation part, cut into parallel lanes that each start with an unscored warm-up.

    Parallel lanes make a pass many times cheaper than one long stream, and are what makes it
    affordable after every epoch. The lanes are scored in one call of the loss, so that a ratio is
    one of pooled energies.

    Parameters
    ----------
    segments
        The validation part; at most `seconds` of it are used, evenly from all segments.
    """

    def __init__(
        self, model: Model, segments: tuple[Segment, ...], task: Task, seconds: float
    ) -> None:
        self.warm_up = model.warm_up + model.latency
        lanes = _lanes(segments, round(seconds * model.sample_rate), self.warm_up)
        length = min(stop - start for _, start, stop in lanes)
        inputs, targets, knobs = [], [], []
        for segment, start, _ in lanes:
            source = segment.take.side(task.input)
            heard = np.zeros(self.warm_up + length, dtype=np.float32)
            first = max(0, start - self.warm_up)
            heard[first - (start - self.warm_up) :] = source.read(first, start + length)
            inputs.append(heard)
            behind = start - model.latency
            wanted = segment.take.side(task.target).read(max(0, behind), behind + length)
            targets.append(np.pad(wanted, (length - len(wanted), 0)))
            knobs.append(segment.take.controls)
        self.input = torch.from_numpy(np.stack(inputs))[:, None]
        self.target = torch.from_numpy(np.stack(targets))[:, None]
        self.controls = torch.tensor(knobs, dtype=torch.float32) if model.controls else None

    def __call__(
        self, model: Model, loss: Loss, device: torch.device, ranks: Ranks = ALONE
    ) -> float:
        """Return the validation loss of `model`; the first rank's word counts for all."""
        with torch.inference_mode():
            estimate = self.estimate(model, device, ranks)
            scored: Tensor = loss(estimate, self.target.to(device))
            return ranks.agree(float(scored.mean()))

    def estimate(self, model: Model, device: torch.device, ranks: Ranks = ALONE) -> Tensor:
        """Return what `model` makes of the lanes, warm-up left out, ``[lanes, 1, time]``.

        Several ranks run a share of the lanes each and exchange the results.
        """
        lanes = self.input.shape[0]
        each = -(-lanes // ranks.size)
        # The last rank may have too few: it repeats the last lane, which is cut off below.
        own = torch.arange(ranks.rank * each, (ranks.rank + 1) * each).clamp_max(lanes - 1)
        controls = None if self.controls is None else self.controls[own].to(device)
        was_training = model.training
        model.eval()
        try:
            with torch.inference_mode(), float32_products("fp32"):
                state = model.initial_state(each)
                made, _ = run_blocks(model, self.input[own].to(device), state, controls, BLOCK)
                return ranks.whole(made[..., self.warm_up :])[:lanes]
        finally:
            model.train(was_training)


def _lanes(
    segments: tuple[Segment, ...], budget: int, warm_up: int
) -> list[tuple[Segment, int, int]]:
    """Cut `budget` samples out of the segments as about `LANES` pieces of similar length.

    A piece is at least four warm-ups long where the material allows: little is run unscored.
    """
    total = sum(s.stop - s.start for s in segments)
    share = min(1.0, budget / total)
    length = max(1, min(int(total * share) // LANES, min(s.stop - s.start for s in segments)))
    length = max(length, min(4 * warm_up, min(s.stop - s.start for s in segments)))
    lanes = []
    for segment in segments:
        size = segment.stop - segment.start
        count = max(1, int(size * share) // length)
        # Spread over the whole segment, also where only a share of it is used.
        for i in range(count):
            start = segment.start + i * (size // count)
            lanes.append((segment, start, start + length))
    return lanes
