"""The probe: a short input and what the trained model made of it, by which a file proves itself."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from fxkit.errors import ArtifactError
from fxkit.model import Model, run_blocks

__all__ = ["CONTROLS", "INPUT", "OUTPUT", "TOLERANCE", "make", "signal", "verify"]

INPUT, OUTPUT, CONTROLS = "probe.input", "probe.output", "probe.controls"

TOLERANCE = 1e-4
"""Largest difference from the recorded output, over its largest sample."""
FLOOR = 1e-6
"""No sample needs to be closer than this, in full scale."""
STEADY = 0.1
"""A probe ends where 32 and 64 bits differ by more than this share of what is tolerated."""
MAX_SAMPLES = 1 << 20
BLOCK = 512
"""Short, so that a graph from a stranger cannot ask for more memory than its limits allow."""


def signal(samples: int, sample_rate: int, peak: float) -> Tensor:
    """Return ``[samples]``: two decaying chords with picks of noise, and silence between them.

    The same numbers on every machine up to rounding; loud and quiet, low and high in a short time.
    """
    t = np.arange(samples) / sample_rate
    half = max(samples / sample_rate / 2, 1 / sample_rate)
    since = t % half
    harmonics = sum(
        np.sin(2 * math.pi * f * since + f) / (1 + f / 300)
        for f in (82.41, 123.47, 329.63, 987.77, 2637.0)
        if f < sample_rate / 2
    )
    pick = np.random.default_rng(0).standard_normal(samples) * np.exp(-since / 0.003)
    x = (harmonics + pick) * np.exp(-4 * since / half) * (since < 0.9 * half)
    x *= np.where(t < half, 1.0, 0.2)
    return torch.from_numpy((peak * x / max(np.abs(x).max(), 1e-9)).astype(np.float32))


@torch.no_grad()
def make(model: Model, *, seconds: float, peak: float, controls: list[float]) -> dict[str, Tensor]:
    """Play the probe and return its tensors: input and output ``[T]``, and knobs ``[K]`` if any.

    A recurrent model can be chaotic: what rounding does to it grows until it is heard, and no two
    machines play the same. Its probe ends before that, so that it still proves something.

    Raises
    ------
    ArtifactError
        The output is not finite: such a model cannot be saved.
    """
    samples = min(max(int(seconds * model.sample_rate), 1) + 2 * model.latency, MAX_SAMPLES)
    tensors = {INPUT: signal(samples, model.sample_rate, peak)}
    if model.controls:
        tensors[CONTROLS] = torch.tensor(controls, dtype=torch.float32)
    tensors[OUTPUT] = _play(model, tensors)
    if not bool(torch.isfinite(tensors[OUTPUT]).all()):
        raise ArtifactError("the model makes NaN or infinite samples: it cannot be saved")
    steady = _steady(model, tensors)
    return {k: v if k == CONTROLS else v[:steady].clone() for k, v in tensors.items()}


def _steady(model: Model, tensors: Mapping[str, Tensor]) -> int:
    """Return how many samples of the probe come out the same however they are rounded."""
    output = tensors[OUTPUT]
    try:
        exact = _play(copy.deepcopy(model).double(), {k: v.double() for k, v in tensors.items()})
    except (RuntimeError, TypeError):
        return len(output)  # made for 32 bits alone: nothing to compare with
    error = (output.double() - exact).abs().cummax(0).values
    peak = output.double().abs().cummax(0).values
    steady = (error <= (STEADY * TOLERANCE * peak).clamp_min(FLOOR / 4)).nonzero()
    return int(steady[-1]) + 1 if len(steady) else 1


@torch.no_grad()
def verify(model: Model, tensors: Mapping[str, Tensor]) -> float:
    """Play the probe of a file and return the largest difference, over the largest sample.

    Raises
    ------
    ArtifactError
        There is no sound probe, or the output is not what it was when the file was written.
    """
    shapes = {INPUT: None, OUTPUT: None} | ({CONTROLS: model.controls} if model.controls else {})
    for name, length in shapes.items():
        tensor = tensors.get(name)
        if tensor is None or tensor.dim() != 1 or tensor.dtype != torch.float32:
            raise ArtifactError(f"damaged: {name} must be there, one row of 32-bit floats")
        if length not in (None, len(tensor)) or not 0 < len(tensor) <= MAX_SAMPLES:
            raise ArtifactError(f"damaged: {name} has {len(tensor)} numbers")
    wanted = tensors[OUTPUT]
    if wanted.shape != tensors[INPUT].shape:
        raise ArtifactError("damaged: the probe's input and output differ in length")
    got = _play(model, tensors)
    error, peak = float((got - wanted).abs().max()), float(wanted.abs().max())
    if not error <= max(TOLERANCE * peak, FLOOR):
        raise ArtifactError(
            f"damaged: its probe comes out {error / max(peak, FLOOR):.2g} of the peak away from "
            "what the model played when it was saved"
        )
    return error / max(peak, FLOOR)


def _play(model: Model, tensors: Mapping[str, Tensor]) -> Tensor:
    controls = tensors[CONTROLS][None] if model.controls else None
    x = tensors[INPUT][None, None]
    y, _ = run_blocks(model, x, model.initial_state(1), controls, BLOCK)
    return y[0, 0].contiguous()
