"""A weighted sum of losses, as ``loss=esr+0.1*mrstft`` asks for."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fxkit.loss import Loss
from fxkit.options import NoOptions

__all__ = ["WeightedSum"]


class WeightedSum(Loss):
    """``sum_i weight_i * loss_i(estimate, target)``; it keeps the laws that its terms keep.

    Parameters
    ----------
    terms
        Weight and loss of each summand, at least one; weights are above 0.
    sample_rate
        The rate in Hz of the signals.
    """

    def __init__(self, terms: Sequence[tuple[float, Loss]], *, sample_rate: int = 44_100) -> None:
        super().__init__(NoOptions(), sample_rate=sample_rate)
        if not terms or not all(weight > 0 for weight, _ in terms):
            raise ValueError("a weighted sum needs terms, with weights above 0")
        self.weights = tuple(float(weight) for weight, _ in terms)
        self.losses = nn.ModuleList(loss for _, loss in terms)

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        """Return the sum for each item, ``[batch]``, of ``[batch, 1, time]`` signals."""
        parts = [
            weight * loss(estimate, target)
            for weight, loss in zip(self.weights, self.losses, strict=True)
        ]
        return torch.stack(parts).sum(dim=0)
