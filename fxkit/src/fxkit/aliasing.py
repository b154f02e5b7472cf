"""Aliasing: what a model adds at frequencies that are no harmonics of what it is given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.fft
import scipy.signal
import torch
from numpy.typing import NDArray

from fxkit.metrics.energy import decibels
from fxkit.model import Model, run_blocks
from fxkit.scores import Aliasing, AliasingPoint

__all__ = ["FREQUENCIES", "LEVELS", "aliasing_ratio", "exact_frequency", "measure_aliasing"]

FREQUENCIES = (220.0, 440.0, 880.0, 1760.0, 3520.0, 5274.0)
"""The sweep, Hz: from the open A string up, past the highest fret, to where its partials are."""

LEVELS = (-18.0, -6.0)
"""Peaks of the sines, dB re full scale: soft and hard playing of a well-set recording."""

ANALYSED = 32_768
"""Samples whose spectrum is taken, a power of two."""

GUARD = 5
"""Bins either side of a harmonic, and above 0 Hz, that belong to it: the window's main lobe."""


def exact_frequency(frequency: float, sample_rate: int) -> float:
    """Return the nearest frequency that fits the analysis an odd number of times.

    Its harmonics, and what folds back at the Nyquist frequency, then lie on bins; and as an odd
    number shares no factor with `ANALYSED`, what folds back never meets a harmonic that matters.
    """
    cycles = 2 * round((frequency * ANALYSED / sample_rate - 1) / 2) + 1
    return max(cycles, 1) * sample_rate / ANALYSED


def aliasing_ratio(
    output: NDArray[np.floating[Any]], frequency: float, sample_rate: int
) -> float | None:
    """Return the energy at no multiple of `frequency` over all energy, in dB.

    Parameters
    ----------
    output
        ``[ANALYSED]`` samples of what came out, settled.
    frequency
        Of the sine that went in, as `exact_frequency` gives it, Hz.
    sample_rate
        Hz.

    Returns
    -------
    float or None
        From -100 (clean) to 0 dB; the offset is not counted. None for silence.
    """
    if len(output) != ANALYSED:
        raise ValueError(f"{ANALYSED} samples are needed, not {len(output)}")
    # A window whose side lobes are 92 dB down: a slow drift of the output is no aliasing.
    window = scipy.signal.get_window("blackmanharris", ANALYSED)
    power = np.square(np.abs(scipy.fft.rfft(np.asarray(output, dtype=np.float64) * window)))
    power[: GUARD + 1] = 0.0
    total = float(power.sum())
    # The square of -140 dB re a full-scale sine.
    if total <= 1e-14 * float(window.sum() / 2) ** 2:
        return None
    cycles = round(frequency * ANALYSED / sample_rate)
    bins = np.arange(len(power))
    distance = np.abs(bins - np.rint(bins / cycles) * cycles)
    return decibels(float(power[distance > GUARD].sum()), total)


@torch.inference_mode()
def measure_aliasing(
    model: Model,
    *,
    frequencies: Sequence[float] = FREQUENCIES,
    levels: Sequence[float] = LEVELS,
    controls: Sequence[float] | None = None,
    block: int = 8192,
) -> Aliasing | None:
    """Play sines through a model and measure what is at no multiple of their frequency.

    A drive makes harmonics. Those above half the sample rate fold back to frequencies that are no
    harmonics, and sound like a whistle that goes down when the note goes up. Whatever else a model
    adds that is no harmonic, hiss or hum, counts as well.

    Parameters
    ----------
    model
        In eval mode.
    frequencies
        Of the sines, Hz; each is moved to the nearest `exact_frequency`. Those above 0.45 of the
        sample rate are left out.
    levels
        Peaks of the sines, dB re full scale.
    controls
        ``[K]`` knobs; None for 0.5 each.
    block
        Samples per call of the model.

    Returns
    -------
    Aliasing or None
        None if the model answers all sines with silence.
    """
    rate = model.sample_rate
    tones = [exact_frequency(f, rate) for f in frequencies if f < 0.45 * rate]
    # Longer than any warm-up, so that the slow parts of the model have come to rest.
    settle = max(2 * model.warm_up, rate // 2) + model.latency
    time = np.arange(settle + ANALYSED) / rate
    played = [(f, level) for level in levels for f in tones]
    sines = np.stack([10 ** (a / 20) * np.sin(2 * np.pi * f * time) for f, a in played])
    first = next(model.parameters(), None)
    device = first.device if first is not None else torch.device("cpu")
    knobs = None
    if model.controls:
        held = list(controls) if controls is not None else [0.5] * model.controls
        knobs = torch.tensor([held] * len(played), dtype=torch.float32, device=device)
    heard = torch.from_numpy(sines.astype(np.float32))[:, None].to(device)
    output, _ = run_blocks(model, heard, model.initial_state(len(played)), knobs, block)
    settled = output[:, 0, settle:].float().cpu().numpy()
    points = []
    for (frequency, level), samples in zip(played, settled, strict=True):
        ratio = aliasing_ratio(samples, frequency, rate)
        if ratio is not None:
            points.append(AliasingPoint(frequency, level, ratio))
    if not points:
        return None
    mean = sum(10 ** (point.ratio / 10) for point in points) / len(points)
    return Aliasing(
        points=tuple(points),
        worst=max(point.ratio for point in points),
        mean=10 * math.log10(mean),
    )
