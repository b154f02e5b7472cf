"""The energy that a ratio is relative to: pooled over the batch, and never zero."""

from __future__ import annotations

from torch import Tensor

__all__ = ["SILENCE", "pooled_power"]

SILENCE = 1e-8
"""The power (mean square, -80 dB re full scale) below which a batch counts as silent."""


def pooled_power(target: Tensor) -> Tensor:
    """Return the mean square of a whole batch ``[batch, 1, time]``, `SILENCE` at least.

    Dividing each item's error by the power of all of them makes the mean over the batch the ratio
    of the sums, and keeps a near-silent item from blowing up. The bound keeps a silent batch
    finite and leaves every other ratio exact, which a term added to the denominator would not.
    """
    return target.square().mean().clamp_min(SILENCE)
