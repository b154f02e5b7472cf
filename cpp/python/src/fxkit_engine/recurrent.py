"""GRU and LSTM over a window as PyTorch operators: `gru` and `lstm`, differentiable once.

They compute what `torch.nn.GRU` and `torch.nn.LSTM` compute (unidirectional, batch first, without
dropout between layers), float32 on a CPU, with the batch over the vector lanes and over threads:
`torch.get_num_threads` of them, or what `set_threads` says. The same seed gives the same numbers
for the same number of threads.

The first call that saves something for a gradient tells the C library to keep freed memory in the
process, because a training step allocates the same tensors again and again.

States are ``[layers, batch, hidden]``; weights are listed as in ``nn.GRU.all_weights``, layer by
layer: input, hidden and, with biases, input bias, hidden bias. A linear readout of the top layer,
given as ``[weight, bias]``, is computed on the way, so that the states of a window need not pass
through memory.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor

from fxkit_engine import _kernels

__all__ = ["enabled", "gru", "lstm", "set_isa", "set_threads"]

_isas = _kernels.available_isas()
_isa: str | None = _isas[-1]


def set_isa(name: str | None) -> None:
    """Choose the instruction set: one of `fxkit_engine.available_isas`, or None to use none."""
    global _isa
    if name is not None and name not in _isas:
        raise ValueError(f"kernels for {name!r} are not available here; there are {_isas}")
    _isa = name


_thread_count: int | None = None


def set_threads(count: int | None) -> None:
    """Choose how many threads share the batch; None for as many as PyTorch uses.

    The rest of a training step on a small model is too short for several threads, so the fastest
    is often ``torch.set_num_threads(1)`` with all cores here.
    """
    global _thread_count
    if count is not None and count < 1:
        raise ValueError("the number of threads must be at least 1")
    _thread_count = count


def _threads() -> int:
    return _thread_count or torch.get_num_threads()


_wish = os.environ.get("FXKIT_KERNELS", "")
if _wish:
    set_isa(None if _wish == "off" else _wish)


def enabled() -> bool:
    """Say whether the kernels are to be used; ``FXKIT_KERNELS=off`` turns them off."""
    return _isa is not None


def _isa_name() -> str:
    if _isa is None:
        raise RuntimeError("the kernels are turned off")
    return _isa


def _plain(tensor: Tensor) -> Tensor:
    """Make what the kernels read: contiguous, and without a gradient of its own."""
    return tensor.detach().contiguous()


def _plain_list(tensors: Sequence[Tensor]) -> list[Tensor]:
    return [_plain(tensor) for tensor in tensors]


def _empty_list(tensors: Sequence[Tensor]) -> list[Tensor]:
    return [torch.empty_like(t, memory_format=torch.contiguous_format) for t in tensors]


def _has_bias(weights: Sequence[Tensor], layers: int) -> bool:
    return len(weights) == 4 * layers


def _saved_size(
    cell: str, x: Tensor, h: Tensor, readout: Sequence[Tensor], threads: int, isa: str
) -> int:
    layers, batch, hidden = h.shape
    outputs = readout[0].shape[0] if readout else 0
    return _kernels.saved_size(
        cell, batch, x.shape[1], x.shape[2], hidden, layers, outputs, threads, isa
    )


def _y_shape(x: Tensor, h: Tensor, readout: Sequence[Tensor]) -> tuple[int, int, int]:
    return x.shape[0], x.shape[1], readout[0].shape[0] if readout else h.shape[2]


def _pair(readout: Sequence[Tensor]) -> tuple[Tensor | None, Tensor | None]:
    """Return weight and bias of a readout as the kernels read them, or neither."""
    if not readout:
        return None, None
    weight, bias = readout
    return _plain(weight), _plain(bias)


def _run_forward(
    cell: str,
    x: Tensor,
    h: Tensor,
    c: Tensor | None,
    weights: Sequence[Tensor],
    readout: Sequence[Tensor],
    save: bool,
    threads: int,
    isa: str,
) -> tuple[Tensor, Tensor, Tensor | None, Tensor]:
    y = x.new_empty(_y_shape(x, h, readout))
    last_h = torch.empty_like(h, memory_format=torch.contiguous_format)
    last_c = None if c is None else torch.empty_like(c, memory_format=torch.contiguous_format)
    saved = x.new_empty(_saved_size(cell, x, h, readout, threads, isa) if save else 0)
    _kernels.forward(
        cell,
        _plain(x),
        _plain(h),
        None if c is None else _plain(c),
        _plain_list(weights),
        _has_bias(weights, h.shape[0]),
        *_pair(readout),
        y,
        last_h,
        last_c,
        saved if save else None,
        threads,
        isa,
    )
    return y, last_h, last_c, saved


def _run_backward(
    cell: str,
    x: Tensor,
    weights: Sequence[Tensor],
    readout: Sequence[Tensor],
    saved: Tensor,
    dy: Tensor,
    dh: Tensor,
    dc: Tensor | None,
    want_dx: bool,
    threads: int,
    isa: str,
) -> tuple[Tensor, Tensor, Tensor | None, list[Tensor], list[Tensor]]:
    dx = x.new_empty(x.shape if want_dx else (0,))
    first_dh = torch.empty_like(dh, memory_format=torch.contiguous_format)
    first_dc = None if dc is None else torch.empty_like(dc, memory_format=torch.contiguous_format)
    gradients = _empty_list(weights)
    read = _empty_list(readout)
    _kernels.backward(
        cell,
        _plain(x),
        _plain_list(weights),
        _has_bias(weights, dh.shape[0]),
        *_pair(readout),
        _plain(saved),
        _plain(dy),
        _plain(dh),
        None if dc is None else _plain(dc),
        dx if want_dx else None,
        first_dh,
        first_dc,
        [gradient.detach() for gradient in gradients],
        *_pair(read),
        threads,
        isa,
    )
    return dx, first_dh, first_dc, gradients, read


@torch.library.custom_op("fxkit::gru", mutates_args=(), device_types="cpu")
def _gru(
    x: Tensor,
    h: Tensor,
    weights: Sequence[Tensor],
    readout: Sequence[Tensor],
    save: bool,
    threads: int,
    isa: str,
) -> tuple[Tensor, Tensor, Tensor]:
    y, last_h, _, saved = _run_forward("gru", x, h, None, weights, readout, save, threads, isa)
    return y, last_h, saved


@_gru.register_fake
def _(
    x: Tensor,
    h: Tensor,
    weights: Sequence[Tensor],
    readout: Sequence[Tensor],
    save: bool,
    threads: int,
    isa: str,
) -> tuple[Tensor, Tensor, Tensor]:
    y = x.new_empty(_y_shape(x, h, readout))
    saved = x.new_empty(_saved_size("gru", x, h, readout, threads, isa) if save else 0)
    return y, h.new_empty(h.shape), saved


@torch.library.custom_op("fxkit::gru_backward", mutates_args=(), device_types="cpu")
def _gru_backward(
    x: Tensor,
    weights: Sequence[Tensor],
    readout: Sequence[Tensor],
    saved: Tensor,
    dy: Tensor,
    dh: Tensor,
    want_dx: bool,
    threads: int,
    isa: str,
) -> tuple[Tensor, Tensor, list[Tensor], list[Tensor]]:
    dx, first_dh, _, gradients, read = _run_backward(
        "gru", x, weights, readout, saved, dy, dh, None, want_dx, threads, isa
    )
    return dx, first_dh, gradients, read


@_gru_backward.register_fake
def _(
    x: Tensor,
    weights: Sequence[Tensor],
    readout: Sequence[Tensor],
    saved: Tensor,
    dy: Tensor,
    dh: Tensor,
    want_dx: bool,
    threads: int,
    isa: str,
) -> tuple[Tensor, Tensor, list[Tensor], list[Tensor]]:
    dx = x.new_empty(x.shape if want_dx else (0,))
    return dx, dh.new_empty(dh.shape), _fake_list(weights), _fake_list(readout)


def _fake_list(tensors: Sequence[Tensor]) -> list[Tensor]:
    return [t.new_empty(t.shape) for t in tensors]


def _or_zeros(gradient: Tensor | None, like: Tensor, *shape: int) -> Tensor:
    """Stand in for the gradient of an output that nobody used."""
    return like.new_zeros(shape) if gradient is None else gradient


def _sizes(x: Tensor, weights: Sequence[Tensor]) -> tuple[int, int, int, int]:
    """Read batch, time, hidden size and layers off the shapes."""
    hidden = weights[1].shape[1]
    bias = len(weights) > 2 and weights[2].dim() == 1
    return x.shape[0], x.shape[1], hidden, len(weights) // (4 if bias else 2)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: tuple[Any, ...]) -> None:
    """Keep what the backward pass of either operator needs."""
    x, weights, readout, save, threads, isa = inputs[0], *inputs[-5:]
    if not save:
        raise RuntimeError("fxkit::gru or lstm was called with save=False: it has no gradient")
    ctx.save_for_backward(x, output[-1], *weights, *readout)
    ctx.mark_non_differentiable(output[-1])
    ctx.set_materialize_grads(False)
    ctx.reads, ctx.threads, ctx.isa = len(readout), threads, isa


def _unpack(ctx: Any, dy: Tensor | None, *states: Tensor | None) -> tuple[Any, ...]:
    """Return what was kept, and the gradients of all outputs, zeros where nobody used them."""
    x, saved, *rest = ctx.saved_tensors
    weights, readout = rest[: len(rest) - ctx.reads], rest[len(rest) - ctx.reads :]
    batch, time, hidden, layers = _sizes(x, weights)
    dy = _or_zeros(dy, x, batch, time, readout[0].shape[0] if readout else hidden)
    return (
        x,
        weights,
        readout,
        saved,
        dy,
        *(_or_zeros(state, x, layers, batch, hidden) for state in states),
    )


def _gru_gradient(ctx: Any, dy: Tensor | None, dh: Tensor | None, _: None) -> tuple[Any, ...]:
    want_dx = ctx.needs_input_grad[0]
    dx, first_dh, gradients, read = _gru_backward(
        *_unpack(ctx, dy, dh), want_dx, ctx.threads, ctx.isa
    )
    return dx if want_dx else None, first_dh, gradients, read, None, None, None


_gru.register_autograd(_gru_gradient, setup_context=_setup)


@torch.library.custom_op("fxkit::lstm", mutates_args=(), device_types="cpu")
def _lstm(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    weights: Sequence[Tensor],
    readout: Sequence[Tensor],
    save: bool,
    threads: int,
    isa: str,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    y, last_h, last_c, saved = _run_forward("lstm", x, h, c, weights, readout, save, threads, isa)
    assert last_c is not None
    return y, last_h, last_c, saved


@_lstm.register_fake
def _(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    weights: Sequence[Tensor],
    readout: Sequence[Tensor],
    save: bool,
    threads: int,
    isa: str,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    y = x.new_empty(_y_shape(x, h, readout))
    saved = x.new_empty(_saved_size("lstm", x, h, readout, threads, isa) if save else 0)
    return y, h.new_empty(h.shape), c.new_empty(c.shape), saved


@torch.library.custom_op("fxkit::lstm_backward", mutates_args=(), device_types="cpu")
def _lstm_backward(
    x: Tensor,
    weights: Sequence[Tensor],
    readout: Sequence[Tensor],
    saved: Tensor,
    dy: Tensor,
    dh: Tensor,
    dc: Tensor,
    want_dx: bool,
    threads: int,
    isa: str,
) -> tuple[Tensor, Tensor, Tensor, list[Tensor], list[Tensor]]:
    dx, first_dh, first_dc, gradients, read = _run_backward(
        "lstm", x, weights, readout, saved, dy, dh, dc, want_dx, threads, isa
    )
    assert first_dc is not None
    return dx, first_dh, first_dc, gradients, read


@_lstm_backward.register_fake
def _(
    x: Tensor,
    weights: Sequence[Tensor],
    readout: Sequence[Tensor],
    saved: Tensor,
    dy: Tensor,
    dh: Tensor,
    dc: Tensor,
    want_dx: bool,
    threads: int,
    isa: str,
) -> tuple[Tensor, Tensor, Tensor, list[Tensor], list[Tensor]]:
    dx = x.new_empty(x.shape if want_dx else (0,))
    states = dh.new_empty(dh.shape), dc.new_empty(dc.shape)
    return dx, *states, _fake_list(weights), _fake_list(readout)


def _lstm_gradient(
    ctx: Any, dy: Tensor | None, dh: Tensor | None, dc: Tensor | None, _: None
) -> tuple[Any, ...]:
    want_dx = ctx.needs_input_grad[0]
    dx, first_dh, first_dc, gradients, read = _lstm_backward(
        *_unpack(ctx, dy, dh, dc), want_dx, ctx.threads, ctx.isa
    )
    return dx if want_dx else None, first_dh, first_dc, gradients, read, None, None, None


_lstm.register_autograd(_lstm_gradient, setup_context=_setup)


@cache
def _keep_freed_memory() -> None:
    _kernels.keep_freed_memory()


def _wants_gradient(*tensors: Tensor) -> bool:
    wants = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
    if wants:
        _keep_freed_memory()
    return wants


def gru(
    x: Tensor, h: Tensor, weights: Sequence[Tensor], readout: Sequence[Tensor] = ()
) -> tuple[Tensor, Tensor]:
    """Run a GRU over ``x [batch, time, input]`` from the state ``h``.

    Parameters
    ----------
    readout
        ``[outputs, hidden]`` and ``[outputs]``: weight and bias of a linear layer on top.

    Returns
    -------
    y
        The top layer at every step, ``[batch, time, hidden]``, or what is read out of it,
        ``[batch, time, outputs]``.
    h
        The last state of every layer, ``[layers, batch, hidden]``.
    """
    save = _wants_gradient(x, h, *weights, *readout)
    y, last_h, _ = _gru(x, h, weights, readout, save, _threads(), _isa_name())
    return y, last_h


def lstm(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    weights: Sequence[Tensor],
    readout: Sequence[Tensor] = (),
) -> tuple[Tensor, Tensor, Tensor]:
    """Run an LSTM over `x` from the states ``h`` and ``c``; see `gru`."""
    save = _wants_gradient(x, h, c, *weights, *readout)
    y, last_h, last_c, _ = _lstm(x, h, c, weights, readout, save, _threads(), _isa_name())
    return y, last_h, last_c
