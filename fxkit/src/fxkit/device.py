"""Which processor a training runs on."""

from __future__ import annotations

import torch

from fxkit.errors import FxkitError

__all__ = ["pick_device", "pick_precision", "set_threads"]


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


def pick_precision(name: str, device: torch.device, *, crops: bool) -> torch.dtype:
    """Return the type that matrix products are computed in: float32, or bfloat16 for ``bf16``.

    ``auto`` is bfloat16 for models that learn from `crops` on a GPU that computes it, else float32:
    a recurrent model that is to come within a thousandth of its target needs all its digits.
    """
    if name == "auto":
        # Emulated it would only be slower.
        pays = crops and device.type == "cuda" and torch.cuda.is_bf16_supported(False)
        return torch.bfloat16 if pays else torch.float32
    return torch.bfloat16 if name == "bf16" else torch.float32


def set_threads(threads: int) -> int:
    """Let torch use `threads` processor threads (0: what it takes by itself); return how many."""
    if threads:
        torch.set_num_threads(threads)
    return torch.get_num_threads()
