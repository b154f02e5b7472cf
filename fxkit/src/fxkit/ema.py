"""An exponential moving average of the weights: what a noisy training wanders around."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

__all__ = ["Average"]


class Average:
    """A running mean of the trained weights of a model.

    The mean starts short and grows: after n updates it reaches back over a ninth of them, up to
    what `decay` allows, so that the random start is soon forgotten. Polyak & Juditsky,
    "Acceleration of stochastic approximation by averaging", 1992, in its exponential form.

    Parameters
    ----------
    model
        Whose weights; the mean starts as they are now.
    decay
        0..1, the share of the old mean in the new one: 0.99 reaches back over about 100 updates.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self._updates = torch.zeros((), dtype=torch.int64)
        self._mean = {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take in the weights that `model` has now."""
        self._updates += 1
        count = int(self._updates)
        share = 1.0 - min(self.decay, (1.0 + count) / (10.0 + count))
        parameters = dict(model.named_parameters())
        own = [parameters[name].detach() for name in self._mean]
        # All at once: a GPU takes as long to be told of a tensor as to go through it.
        take_in = get_ema_multi_avg_fn(1.0 - share)  # type: ignore[no-untyped-call]
        take_in(list(self._mean.values()), own, None)

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """Let `model` have the mean for its weights inside of the block."""
        self._swap(model)
        try:
            yield
        finally:
            self._swap(model)

    @torch.no_grad()
    def _swap(self, model: nn.Module) -> None:
        parameters = dict(model.named_parameters())
        for name, mean in self._mean.items():
            own = parameters[name].detach().clone()
            parameters[name].copy_(mean)
            mean.copy_(own)

    def tensors(self) -> dict[str, Tensor]:
        """Return all that has to be kept to go on later, by name; not copies."""
        return {"updates": self._updates, **{f"mean.{n}": m for n, m in self._mean.items()}}

    @torch.no_grad()
    def load(self, tensors: dict[str, Tensor]) -> None:
        """Go on from what `tensors` returned earlier, of a model of the same form."""
        for name, own in self.tensors().items():
            own.copy_(tensors[name])
