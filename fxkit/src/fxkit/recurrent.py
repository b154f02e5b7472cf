"""The recurrent layers that models call: one place, so that a faster kernel can take over here.

Where the distribution fxkit-engine is installed, float32 on a CPU runs through its fused kernels,
which train a GRU several times faster than PyTorch and give the same numbers up to rounding.
Everything else (other devices and types, layers that the kernels do not cover,
``FXKIT_KERNELS=off``) runs through PyTorch.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from fxkit.errors import FxkitError

__all__ = ["Readout", "gru", "kernels", "lstm", "threads_for_kernels"]


@cache
def _engine() -> ModuleType | None:
    try:
        return importlib.import_module("fxkit_engine.recurrent")
    except ImportError:
        return None
    except ValueError as error:  # FXKIT_KERNELS names what this machine does not have
        raise FxkitError(f"FXKIT_KERNELS: {error}") from None


def kernels() -> ModuleType | None:
    """Return the fused kernels, or None where they are not installed or turned off."""
    engine = _engine()
    return engine if engine is not None and engine.enabled() else None


@contextmanager
def threads_for_kernels(model: nn.Module) -> Iterator[None]:
    """While training, give PyTorch's threads to the fused kernels, if `model` runs through them.

    What else is in a step of a small recurrent model is too short for PyTorch to share out: with
    two threads of its own a step takes longer than with one. Afterwards all is as it was.
    """
    engine = kernels()
    if engine is None or not any(isinstance(m, nn.GRU | nn.LSTM) for m in model.modules()):
        yield
        return
    count = torch.get_num_threads()
    engine.set_threads(count)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(count)
        engine.set_threads(None)


def _fused(module: nn.GRU | nn.LSTM, *inputs: Tensor, readout: Readout | None) -> ModuleType | None:
    """Return the kernels if they compute exactly this layer on these tensors."""
    weights = [*(w for w in module._flat_weights if w is not None), *(readout or ())]
    plain = (
        module.batch_first
        and not module.bidirectional
        and module.proj_size == 0
        and (module.dropout == 0 or not module.training or module.num_layers == 1)
        and all(t.dtype == torch.float32 and t.device.type == "cpu" for t in (*inputs, *weights))
        and all(t.dim() == 3 and t.numel() > 0 for t in inputs)
        and not torch.is_autocast_enabled("cpu")
        and not torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
        and not torch.compiler.is_exporting()
    )
    return kernels() if plain else None


Readout = tuple[Tensor, Tensor]
"""Weight ``[outputs, hidden]`` and bias ``[outputs]`` of a linear layer."""


def gru(
    x: Tensor, h: Tensor, module: nn.GRU, readout: Readout | None = None
) -> tuple[Tensor, Tensor]:
    """Run a GRU over one block.

    Parameters
    ----------
    x
        ``[batch, time, features]``.
    h
        The hidden state, ``[layers, batch, hidden]``.
    module
        The weights, a unidirectional `torch.nn.GRU` made with ``batch_first=True``.
    readout
        A linear layer on top. Given here, it is computed while the state is at hand.

    Returns
    -------
    y
        The hidden state of the last layer at every sample, ``[batch, time, hidden]``, or what is
        read out of it, ``[batch, time, outputs]``.
    h
        The state after the block, ``[layers, batch, hidden]``.
    """
    engine = _fused(module, x, h, readout=readout)
    if engine is not None:
        weights = module._flat_weights
        return cast("tuple[Tensor, Tensor]", engine.gru(x, h, weights, readout or ()))
    y, h = module(x, h.contiguous())
    return _read(y, readout), h


def lstm(
    x: Tensor, h: Tensor, c: Tensor, module: nn.LSTM, readout: Readout | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Run an LSTM over one block; shapes as in `gru`, `c` is the cell state, shaped like `h`."""
    engine = _fused(module, x, h, c, readout=readout)
    if engine is not None:
        weights = module._flat_weights
        return cast("tuple[Tensor, Tensor, Tensor]", engine.lstm(x, h, c, weights, readout or ()))
    y, (h, c) = module(x, (h.contiguous(), c.contiguous()))
    return _read(y, readout), h, c


def _read(y: Tensor, readout: Readout | None) -> Tensor:
    return y if readout is None else functional.linear(y, *readout)
