"""`esr`: the error-to-signal ratio, optionally of pre-emphasised signals."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from fxkit.loss import Loss
from fxkit.options import option
from torch import Tensor

from fxkit_losses.energy import pooled_power

__all__ = ["ESR", "pre_emphasis"]


def pre_emphasis(signal: Tensor, coefficient: float) -> Tensor:
    """Weigh the treble up and the bass down: ``p[i] = s[i+1] - a s[i]``.

    The same as ``(1 - a) s[i+1] + a (s[i+1] - s[i])``: a mixture of the signal and its slope.
    Wright & Välimäki, "Perceptual loss function for neural modeling of audio systems", ICASSP 2020,
    use it with a = 0.85. The output is one sample shorter, so that the edge of a training window,
    before which nothing is known, adds no click. A single sample is taken as a constant signal.

    Parameters
    ----------
    signal
        ``[..., time]``.
    coefficient
        a, from 0 (the signal itself) up to, not including, 1 (its slope).
    """
    if coefficient == 0.0:
        return signal
    if signal.shape[-1] == 1:
        return (1.0 - coefficient) * signal
    return torch.sub(signal[..., 1:], signal[..., :-1], alpha=coefficient)


class ESR(Loss):
    """Sum of squared error over sum of squared target: 0 is exact, 1 is as good as silence.

    Both sums run over the whole batch: the mean of the items is the ratio of the sums. With
    `pre_emphasis` both signals are filtered first, see the function of that name.
    """

    @dataclass(frozen=True)
    class Config:
        """The settings of the loss ``esr``."""

        pre_emphasis: float = option(
            0.0,
            "coefficient of the pre-emphasis filter; 0 for none, 0.85 is usual",
            low=0,
            high=0.99,
        )

    config: Config

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        """Return the ESR of each item, relative to the energy of the batch; `[batch]`."""
        coefficient = self.config.pre_emphasis
        # The filter is linear: filtering the error once replaces filtering the estimate.
        error = pre_emphasis(estimate - target, coefficient)
        power = pooled_power(pre_emphasis(target, coefficient))
        return error.square().mean(dim=(1, 2)) / power
