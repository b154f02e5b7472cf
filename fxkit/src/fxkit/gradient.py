"""What becomes of a gradient before the optimiser sees it."""

from __future__ import annotations

import math

import torch
from torch import nn

__all__ = ["GradientBound"]

OVERFLOWS = 100
"""So many gradients without a number, one after the other, are a training that has diverged."""


class GradientBound:
    """Scales long gradients down, and leaves out those beyond all numbers.

    Through hundreds of steps of a recurrent layer a gradient can grow beyond all numbers, at a high
    learning rate now and then. That window has nothing to teach, and the next one has: to scale
    infinity down would make every weight NaN.

    Parameters
    ----------
    norm
        The largest norm over all parameters; 0 for no limit.
    """

    def __init__(self, norm: float) -> None:
        self.norm = norm or math.inf
        self._overflows = 0

    def __call__(self, model: nn.Module, device: torch.device) -> bool:
        """Bound the gradients of `model` in place; say whether there is one to go along.

        Only a CPU is asked: another device would have to be waited for at every step, so there an
        infinite gradient becomes 0, and the answer is always yes.
        """
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), self.norm)
        fine = norm.isfinite()
        if device.type != "cpu":
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter.grad = torch.where(fine, parameter.grad, 0.0)
            return True
        self._overflows = 0 if fine else self._overflows + 1
        return bool(fine)

    @property
    def lost(self) -> bool:
        """Whether there has been no gradient to go along for so long that there will be none."""
        return self._overflows >= OVERFLOWS
