"""Overlapping frames, added up to one signal."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

__all__ = ["overlap_add"]


def overlap_add(frames: Tensor, hop: int) -> Tensor:
    """Add frames up, each `hop` samples later than the one before.

    Every frame is cut into pieces of a hop; the first pieces of all frames lie side by side in the
    sum, and so do the second, a hop later. That is a few additions of whole signals, forwards and
    backwards, where `torch.nn.functional.fold` goes sample by sample. Nothing in it waits for a
    GPU.

    Parameters
    ----------
    frames
        ``[..., count, length]``, at least one.
    hop
        In samples, at least 1.

    Returns
    -------
    Tensor
        ``[..., (count - 1) * hop + length]``.
    """
    count, length = frames.shape[-2:]
    pieces = -(-length // hop)
    cut = functional.pad(frames, (0, pieces * hop - length))
    cut = cut.reshape(*frames.shape[:-1], pieces, hop)
    total = functional.pad(cut[..., 0, :], (0, 0, 0, pieces - 1))
    for i in range(1, pieces):
        total = total + functional.pad(cut[..., i, :], (0, 0, i, pieces - 1 - i))
    return total.flatten(-2)[..., : (count - 1) * hop + length]
