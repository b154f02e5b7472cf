"""Checkpoints: a safetensors file of plain tensors with JSON beside them, written atomically.

Nothing in it is pickled, so that a checkpoint from a stranger can be opened without running code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.optim import Optimizer

from fxkit import container
from fxkit.errors import FxkitError
from fxkit.files import replacing

__all__ = ["Progress", "load_average", "load_into", "save"]

FORMAT = 1


@dataclass
class Progress:
    """Where a training stands, as far as it is not tensors."""

    epoch: int = 0
    """Epochs finished."""
    step: int = 0
    """Optimiser steps taken."""
    seconds: float = 0.0
    """Training time spent, over all sittings."""
    best_loss: float | None = None
    """The lowest validation loss so far; None before the first epoch ends."""
    best_epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    rate: float = 1.0
    """What the learning rate is multiplied by: halved whenever the training diverged."""


def save(
    path: Path,
    model: nn.Module,
    optimizer: Optimizer | None,
    progress: Progress,
    average: Mapping[str, Tensor] | None = None,
) -> None:
    """Write model, optimiser moments, random state and progress to `path`, complete or not at all.

    `average` is what `fxkit.ema.Average` has to keep, if there is one.

    Raises
    ------
    OSError
        If the directory cannot be written to or the disk is full.
    """
    tensors: dict[str, Tensor] = {f"model.{k}": v for k, v in model.state_dict().items()}
    numbers: dict[str, Any] = {}
    tensors |= {f"average.{name}": tensor for name, tensor in (average or {}).items()}
    if optimizer is not None:
        names = _parameter_names(model, optimizer)
        for parameter, moments in optimizer.state.items():
            for key, value in moments.items():
                where = f"optimizer.{names[id(parameter)]}.{key}"
                if isinstance(value, Tensor):
                    tensors[where] = value
                else:
                    numbers[where] = value
        tensors["random.cpu"] = torch.get_rng_state()
        if torch.cuda.is_available():
            for i, state in enumerate(torch.cuda.get_rng_state_all()):
                tensors[f"random.cuda.{i}"] = state
    metadata = {
        "fxkit.checkpoint": str(FORMAT),
        "progress": json.dumps(asdict(progress)),
        "numbers": json.dumps(numbers),
    }
    with replacing(path) as temporary:
        temporary.write_bytes(container.pack(tensors, metadata))


def load_into(path: Path, model: nn.Module, optimizer: Optimizer | None = None) -> Progress:
    """Load a checkpoint into `model` (and `optimizer`) and return where it stood.

    Raises
    ------
    FxkitError
        If the file is missing, damaged, of another version, or of another model.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("fxkit.checkpoint") != str(FORMAT):
                raise FxkitError(f"{path}: not a checkpoint that this fxkit can resume")
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no dict
        progress = Progress(**json.loads(metadata["progress"]))
        numbers = json.loads(metadata["numbers"])
    except FileNotFoundError:
        raise FxkitError(f"{path}: no such checkpoint") from None
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise FxkitError(f"{path}: damaged checkpoint ({error})") from None
    try:
        model.load_state_dict(_below(tensors, "model."))
    except RuntimeError:
        raise FxkitError(
            f"{path}: the checkpoint is of a model with other settings; resume with the same ones"
        ) from None
    if optimizer is not None:
        _restore(
            optimizer, model, {**_below(tensors, "optimizer."), **_below(numbers, "optimizer.")}
        )
        torch.set_rng_state(tensors["random.cpu"])
        cuda = [tensors[k] for k in sorted(tensors) if k.startswith("random.cuda.")]
        if cuda and torch.cuda.device_count() == len(cuda):
            torch.cuda.set_rng_state_all(cuda)
    return progress


def load_average(path: Path) -> dict[str, Tensor]:
    """Return what `save` was given as `average`; empty if it was given none.

    For a checkpoint that `load_into` has just opened, and so found to be sound.
    """
    with safe_open(path, framework="pt") as file:
        names = [key for key in file.keys() if key.startswith("average.")]  # noqa: SIM118 - no dict
        return {key.removeprefix("average."): file.get_tensor(key) for key in names}


def _below(values: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {k.removeprefix(prefix): v for k, v in values.items() if k.startswith(prefix)}


def _parameter_names(model: nn.Module, optimizer: Optimizer) -> dict[int, str]:
    trained = {id(p) for group in optimizer.param_groups for p in group["params"]}
    return {id(p): name for name, p in model.named_parameters() if id(p) in trained}


def _restore(optimizer: Optimizer, model: nn.Module, moments: dict[str, Any]) -> None:
    """Give each parameter its moments back; they are keyed by the parameter's name."""
    parameters = dict(model.named_parameters())
    # A fused step counts where the parameters are, any other on the CPU.
    counts_there = any(group.get("fused") for group in optimizer.param_groups)
    for where, value in moments.items():
        name, _, key = where.rpartition(".")
        parameter = parameters[name]
        if isinstance(value, Tensor) and (counts_there or key != "step"):
            value = value.to(parameter.device)
        optimizer.state[parameter][key] = value
