"""The recurrent layers that models call: one place, so that a faster kernel can take over here."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["gru", "lstm"]


def gru(x: Tensor, h: Tensor, module: nn.GRU) -> tuple[Tensor, Tensor]:
    """Run a GRU over one block.

    Parameters
    ----------
    x
        ``[batch, time, features]``.
    h
        The hidden state, ``[layers, batch, hidden]``.
    module
        The weights, a unidirectional `torch.nn.GRU` made with ``batch_first=True``.

    Returns
    -------
    y
        The hidden state of the last layer at every sample, ``[batch, time, hidden]``.
    h
        The state after the block, ``[layers, batch, hidden]``.
    """
    y, h = module(x, h.contiguous())
    return y, h


def lstm(x: Tensor, h: Tensor, c: Tensor, module: nn.LSTM) -> tuple[Tensor, Tensor, Tensor]:
    """Run an LSTM over one block; shapes as in `gru`, `c` is the cell state, shaped like `h`."""
    y, (h, c) = module(x, (h.contiguous(), c.contiguous()))
    return y, h, c
