"""What the recurrent models hear: a block of samples with the knobs beside every sample."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["with_controls"]


def with_controls(x: Tensor, controls: Tensor | None) -> Tensor:
    """Put constant channels, one per knob, behind the channels of the signal.

    Parameters
    ----------
    x
        ``[batch, channels, time]``.
    controls
        ``[batch, K]`` in 0..1, or None for an effect without knobs.

    Returns
    -------
    Tensor
        ``[batch, time, channels + K]``, the layout of the recurrent layers.
    """
    sequence = x.transpose(1, 2)
    if controls is None:
        return sequence
    knobs = controls.unsqueeze(1).expand(-1, x.shape[-1], -1)
    return torch.cat((sequence, knobs), dim=-1)
