"""`dc`: the offset between two signals, which pre-emphasis hardly sees."""

from __future__ import annotations

from fxkit.loss import Loss
from torch import Tensor

from fxkit_losses.energy import pooled_power

__all__ = ["DC"]


class DC(Loss):
    """Square of the mean error over the mean square of the target.

    Wright & Välimäki, "Perceptual loss function for neural modeling of audio systems", ICASSP 2020.
    It measures nothing but the offset: add it to another loss (``esr+0.1*dc``).
    """

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        """Return the squared offset of each item, relative to the power of the batch; `[batch]`."""
        offset = (estimate - target).mean(dim=(1, 2))
        return offset.square() / pooled_power(target)
