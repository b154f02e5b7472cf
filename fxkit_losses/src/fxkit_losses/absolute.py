"""`l1`: the mean absolute error, which forgives single large errors more than a square does."""

from __future__ import annotations

from fxkit.loss import Loss
from torch import Tensor

from fxkit_losses.energy import SILENCE

__all__ = ["L1"]


class L1(Loss):
    """Sum of absolute error over sum of absolute target: 0 is exact, 1 is as good as silence.

    Both sums run over the whole batch: the mean of the items is the ratio of the sums, so that the
    loss does not depend on the level of the recording and can be added to another one
    (``l1+0.1*mrstft``, what Demucs was trained with but for the scale).
    """

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        """Return the absolute error of each item, relative to that of silence; `[batch]`."""
        size = target.abs().mean().clamp_min(SILENCE**0.5)
        return (estimate - target).abs().mean(dim=(1, 2)) / size
