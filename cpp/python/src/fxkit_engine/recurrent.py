"""GRU and LSTM over a window as PyTorch operators: `gru` and `lstm`, differentiable once.

They compute what `torch.nn.GRU` and `torch.nn.LSTM` compute (unidirectional, batch first, without
dropout between layers), float32 on a CPU, with the batch over the vector lanes and over threads:
`torch.get_num_threads` of them, or what `set_threads` says. The same seed gives the same numbers
for the same number of threads.

The first call that saves something for a gradient tells the C library to keep freed memory in the
process, because a training step allocates the same tensors again and again.

States are ``[layers, batch, hidden]``; weights are listed as in ``nn.GRU.all_weights``, layer by
layer: input, hidden and, with biases, input bias, hidden bias.
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


def _has_bias(weights: Sequence[Tensor], layers: int) -> bool:
    return len(weights) == 4 * layers


def _saved_size(cell: str, x: Tensor, h: Tensor, threads: int, isa: str) -> int:
    layers, batch, hidden = h.shape
    return _kernels.saved_size(cell, batch, x.shape[1], x.shape[2], hidden, layers, threads, isa)


def _run_forward(
    cell: str,
    x: Tensor,
    h: Tensor,
    c: Tensor | None,
    weights: Sequence[Tensor],
    save: bool,
    threads: int,
    isa: str,
) -> tuple[Tensor, Tensor, Tensor | None, Tensor]:
    y = x.new_empty(x.shape[0], x.shape[1], h.shape[2])
    last_h = torch.empty_like(h, memory_format=torch.contiguous_format)
    last_c = None if c is None else torch.empty_like(c, memory_format=torch.contiguous_format)
    saved = x.new_empty(_saved_size(cell, x, h, threads, isa) if save else 0)
    _kernels.forward(
        cell,
        _plain(x),
        _plain(h),
        None if c is None else _plain(c),
        _plain_list(weights),
        _has_bias(weights, h.shape[0]),
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
    saved: Tensor,
    dy: Tensor,
    dh: Tensor,
    dc: Tensor | None,
    want_dx: bool,
    threads: int,
    isa: str,
) -> tuple[Tensor, Tensor, Tensor | None, list[Tensor]]:
    dx = x.new_empty(x.shape if want_dx else (0,))
    first_dh = torch.empty_like(dh, memory_format=torch.contiguous_format)
    first_dc = None if dc is None else torch.empty_like(dc, memory_format=torch.contiguous_format)
    gradients = [torch.empty_like(w, memory_format=torch.contiguous_format) for w in weights]
    _kernels.backward(
        cell,
        _plain(x),
        _plain_list(weights),
        _has_bias(weights, dh.shape[0]),
        _plain(saved),
        _plain(dy),
        _plain(dh),
        None if dc is None else _plain(dc),
        dx if want_dx else None,
        first_dh,
        first_dc,
        [gradient.detach() for gradient in gradients],
        threads,
        isa,
    )
    return dx, first_dh, first_dc, gradients


@torch.library.custom_op("fxkit::gru", mutates_args=(), device_types="cpu")
def _gru(
    x: Tensor, h: Tensor, weights: Sequence[Tensor], save: bool, threads: int, isa: str
) -> tuple[Tensor, Tensor, Tensor]:
    y, last_h, _, saved = _run_forward("gru", x, h, None, weights, save, threads, isa)
    return y, last_h, saved


@_gru.register_fake
def _(
    x: Tensor, h: Tensor, weights: Sequence[Tensor], save: bool, threads: int, isa: str
) -> tuple[Tensor, Tensor, Tensor]:
    y = x.new_empty(x.shape[0], x.shape[1], h.shape[2])
    saved = x.new_empty(_saved_size("gru", x, h, threads, isa) if save else 0)
    return y, h.new_empty(h.shape), saved


@torch.library.custom_op("fxkit::gru_backward", mutates_args=(), device_types="cpu")
def _gru_backward(
    x: Tensor,
    weights: Sequence[Tensor],
    saved: Tensor,
    dy: Tensor,
    dh: Tensor,
    want_dx: bool,
    threads: int,
    isa: str,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    dx, first_dh, _, gradients = _run_backward(
        "gru", x, weights, saved, dy, dh, None, want_dx, threads, isa
    )
    return dx, first_dh, gradients


@_gru_backward.register_fake
def _(
    x: Tensor,
    weights: Sequence[Tensor],
    saved: Tensor,
    dy: Tensor,
    dh: Tensor,
    want_dx: bool,
    threads: int,
    isa: str,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    dx = x.new_empty(x.shape if want_dx else (0,))
    return dx, dh.new_empty(dh.shape), [w.new_empty(w.shape) for w in weights]


def _or_zeros(gradient: Tensor | None, like: Tensor, *shape: int) -> Tensor:
    """Stand in for the gradient of an output that nobody used."""
    return like.new_zeros(shape) if gradient is None else gradient


def _sizes(x: Tensor, weights: Sequence[Tensor]) -> tuple[int, int, int, int]:
    """Read batch, time, hidden size and layers off the shapes."""
    hidden = weights[1].shape[1]
    bias = len(weights) > 2 and weights[2].dim() == 1
    return x.shape[0], x.shape[1], hidden, len(weights) // (4 if bias else 2)


def _gru_setup(ctx: Any, inputs: tuple[Any, ...], output: tuple[Any, ...]) -> None:
    x, _, weights, save, threads, isa = inputs
    if not save:
        raise RuntimeError("fxkit::gru was called with save=False, so it has no gradient")
    ctx.save_for_backward(x, output[2], *weights)
    ctx.mark_non_differentiable(output[2])
    ctx.set_materialize_grads(False)
    ctx.threads, ctx.isa = threads, isa


def _gru_gradient(ctx: Any, dy: Tensor | None, dh: Tensor | None, _: None) -> tuple[Any, ...]:
    x, saved, *weights = ctx.saved_tensors
    batch, time, hidden, layers = _sizes(x, weights)
    dy = _or_zeros(dy, x, batch, time, hidden)
    dh = _or_zeros(dh, x, layers, batch, hidden)
    want_dx = ctx.needs_input_grad[0]
    dx, first_dh, gradients = _gru_backward(
        x, weights, saved, dy, dh, want_dx, ctx.threads, ctx.isa
    )
    return dx if want_dx else None, first_dh, gradients, None, None, None


_gru.register_autograd(_gru_gradient, setup_context=_gru_setup)


@torch.library.custom_op("fxkit::lstm", mutates_args=(), device_types="cpu")
def _lstm(
    x: Tensor, h: Tensor, c: Tensor, weights: Sequence[Tensor], save: bool, threads: int, isa: str
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    y, last_h, last_c, saved = _run_forward("lstm", x, h, c, weights, save, threads, isa)
    assert last_c is not None
    return y, last_h, last_c, saved


@_lstm.register_fake
def _(
    x: Tensor, h: Tensor, c: Tensor, weights: Sequence[Tensor], save: bool, threads: int, isa: str
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    y = x.new_empty(x.shape[0], x.shape[1], h.shape[2])
    saved = x.new_empty(_saved_size("lstm", x, h, threads, isa) if save else 0)
    return y, h.new_empty(h.shape), c.new_empty(c.shape), saved


@torch.library.custom_op("fxkit::lstm_backward", mutates_args=(), device_types="cpu")
def _lstm_backward(
    x: Tensor,
    weights: Sequence[Tensor],
    saved: Tensor,
    dy: Tensor,
    dh: Tensor,
    dc: Tensor,
    want_dx: bool,
    threads: int,
    isa: str,
) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
    dx, first_dh, first_dc, gradients = _run_backward(
        "lstm", x, weights, saved, dy, dh, dc, want_dx, threads, isa
    )
    assert first_dc is not None
    return dx, first_dh, first_dc, gradients


@_lstm_backward.register_fake
def _(
    x: Tensor,
    weights: Sequence[Tensor],
    saved: Tensor,
    dy: Tensor,
    dh: Tensor,
    dc: Tensor,
    want_dx: bool,
    threads: int,
    isa: str,
) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
    dx = x.new_empty(x.shape if want_dx else (0,))
    gradients = [w.new_empty(w.shape) for w in weights]
    return dx, dh.new_empty(dh.shape), dc.new_empty(dc.shape), gradients


def _lstm_setup(ctx: Any, inputs: tuple[Any, ...], output: tuple[Any, ...]) -> None:
    x, _, _, weights, save, threads, isa = inputs
    if not save:
        raise RuntimeError("fxkit::lstm was called with save=False, so it has no gradient")
    ctx.save_for_backward(x, output[3], *weights)
    ctx.mark_non_differentiable(output[3])
    ctx.set_materialize_grads(False)
    ctx.threads, ctx.isa = threads, isa


def _lstm_gradient(
    ctx: Any, dy: Tensor | None, dh: Tensor | None, dc: Tensor | None, _: None
) -> tuple[Any, ...]:
    x, saved, *weights = ctx.saved_tensors
    batch, time, hidden, layers = _sizes(x, weights)
    dy = _or_zeros(dy, x, batch, time, hidden)
    dh = _or_zeros(dh, x, layers, batch, hidden)
    dc = _or_zeros(dc, x, layers, batch, hidden)
    want_dx = ctx.needs_input_grad[0]
    dx, first_dh, first_dc, gradients = _lstm_backward(
        x, weights, saved, dy, dh, dc, want_dx, ctx.threads, ctx.isa
    )
    return dx if want_dx else None, first_dh, first_dc, gradients, None, None, None


_lstm.register_autograd(_lstm_gradient, setup_context=_lstm_setup)


@cache
def _keep_freed_memory() -> None:
    _kernels.keep_freed_memory()


def _wants_gradient(*tensors: Tensor) -> bool:
    wants = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
    if wants:
        _keep_freed_memory()
    return wants


def gru(x: Tensor, h: Tensor, weights: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Run a GRU over ``x [batch, time, input]`` from the state ``h``.

    Returns
    -------
    y
        The top layer at every step, ``[batch, time, hidden]``.
    h
        The last state of every layer, ``[layers, batch, hidden]``.
    """
    save = _wants_gradient(x, h, *weights)
    y, last_h, _ = _gru(x, h, weights, save, _threads(), _isa_name())
    return y, last_h


def lstm(
    x: Tensor, h: Tensor, c: Tensor, weights: Sequence[Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Run an LSTM over `x` from the states ``h`` and ``c``; see `gru`."""
    save = _wants_gradient(x, h, c, *weights)
    y, last_h, last_c, _ = _lstm(x, h, c, weights, save, _threads(), _isa_name())
    return y, last_h, last_c
