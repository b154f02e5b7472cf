"""Which processor a training runs on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, cast

import torch

from fxkit.errors import FxkitError

__all__ = ["Precision", "float32_products", "pick_device", "pick_precision", "set_threads"]

Precision = Literal["fp32", "tf32", "bf16"]


def pick_device(name: str = "auto") -> torch.device:
    """Return the device called `name`; ``auto`` is CUDA, else MPS, else the CPU.

    Raises
    ------
    FxkitError
        If there is no such device on this machine.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise FxkitError(
            f"run.device={name}: no such kind of device; use auto, cpu, cuda, cuda:N or mps"
        ) from None
    usable = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not usable.get(device.type, False):
        raise FxkitError(f"run.device={name}: this machine has none; use auto or cpu")
    return device


def pick_precision(name: str, device: torch.device, *, crops: bool) -> Precision:
    """Return what matrix products and convolutions are computed in: ``fp32``, ``tf32``, ``bf16``.

    ``auto`` is ``tf32`` for models that learn from `crops` on a GPU that computes it, else
    ``fp32``: a recurrent model that is to come within a thousandth of its target needs all its
    digits.
    """
    if name == "auto":
        pays = crops and device.type == "cuda" and torch.cuda.is_tf32_supported()
        return "tf32" if pays else "fp32"
    return cast(Precision, name)


@contextmanager
def float32_products(precision: Precision) -> Iterator[None]:
    """Compute products of float32 as `precision` says: in full, but for ``tf32``.

    A GPU of today computes them faster where their factors may be rounded to 11 bits (TF32). By
    itself PyTorch allows that in convolutions and recurrent layers and not in matrix products;
    inside of the block it is all or none. What somebody has set with torch's switches for single
    kinds of layers (``torch.backends.cudnn.rnn.fp32_precision``) stays.
    """
    switches: tuple[Any, ...] = (torch.backends.cuda.matmul, torch.backends.cudnn)
    try:
        before = [switch.allow_tf32 for switch in switches]
    except RuntimeError:
        yield
        return
    try:
        for switch in switches:
            switch.allow_tf32 = precision == "tf32"
        yield
    finally:
        for switch, allowed in zip(switches, before, strict=True):
            switch.allow_tf32 = allowed


def set_threads(threads: int) -> int:
    """Let torch use `threads` processor threads (0: what it takes by itself); return how many."""
    if threads:
        torch.set_num_threads(threads)
    return torch.get_num_threads()
