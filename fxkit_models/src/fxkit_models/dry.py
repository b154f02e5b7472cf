"""The dry path of the recurrent models: the input, added to the output."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["DRY_GAINS", "dry_gain"]

DRY_GAINS = ("learned", "fixed")


def dry_gain(kind: str) -> Tensor:
    """Return the gain, ``[1]``: a parameter that starts at 0, or a buffer that stays 1."""
    return nn.Parameter(torch.zeros(1)) if kind == "learned" else nn.Buffer(torch.ones(1))
