"""The signals and the copies of a plug-in that the laws are tried with; the same on every call."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from fxkit.model import Model, State

__all__ = ["knobs", "noise", "probe_length", "rebuilt", "run", "shaken", "stir", "worst"]


def noise(batch: int, time: int, *, level: float = 0.3, seed: int = 0) -> Tensor:
    """Return uniform noise ``[batch, 1, time]`` within +-`level`."""
    generator = torch.Generator().manual_seed(seed)
    return level * (2.0 * torch.rand(batch, 1, time, generator=generator) - 1.0)


def knobs(model: Model, batch: int, *, seed: int = 1) -> Tensor | None:
    """Return knob positions ``[batch, K]`` in 0..1; None for a model without knobs."""
    if model.controls == 0:
        return None
    return torch.rand(batch, model.controls, generator=torch.Generator().manual_seed(seed))


def probe_length(model: Model) -> int:
    """Return how many samples make the model show all it does: past its latency, twice."""
    return 384 + 3 * model.latency


def stir(model: Model, *, seed: int = 2) -> None:
    """Move every parameter a little, in place: a gain that starts at 0 should be tried as well."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.is_floating_point():
                offset = torch.randn(parameter.shape, generator=generator)
                parameter.add_(offset.to(parameter), alpha=0.05)


def shaken(model: Model) -> Model:
    """Return a copy for the laws to handle: on the CPU, in eval mode, its weights stirred."""
    twin = copy.deepcopy(model).cpu().eval()
    stir(twin)
    return twin


def rebuilt(model: Model, *, controls: int | None = None) -> Model:
    """Return a new model of the same class and settings, with weights of its own."""
    number = model.controls if controls is None else controls
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        fresh = type(model)(model.config, sample_rate=model.sample_rate, controls=number)
    return fresh.eval()


def run(
    model: Model,
    x: Tensor,
    controls: Tensor | None = None,
    cuts: list[int] | None = None,
    state: State | None = None,
) -> Tensor:
    """Run a signal from silence, or from `state`, in blocks of the lengths `cuts`, or whole."""
    state = model.initial_state(x.shape[0]) if state is None else state
    outputs = []
    for part in torch.split(x, cuts or [x.shape[-1]], dim=-1):
        y, state = model(part, state, controls)
        outputs.append(y)
    return torch.cat(outputs, dim=-1)


def worst(a: Tensor, b: Tensor) -> float:
    """Return the largest difference, relative to the peak of both (or to 1e-3 if that is less)."""
    if a.numel() == 0:
        return 0.0
    peak = max(float(a.abs().max()), float(b.abs().max()), 1e-3)
    return float((a - b).abs().max()) / peak
