"""What is played through the plug-in, and how outputs are compared."""

from __future__ import annotations

from functools import cache

import numpy as np
from fxkit.data import synth
from numpy.typing import NDArray

Samples = NDArray[np.float32]


@cache
def _string(seed: int, rate: int) -> Samples:
    return synth.guitar(seed, 3.0, rate)


def guitar(rate: int, frames: int, channels: int = 1, *, level: float = 0.5) -> Samples:
    """Return ``[channels, frames]`` of a guitar with a peak of about `level`; channels differ."""
    rows = [_string(7 + c, rate)[rate // 4 : rate // 4 + frames] for c in range(channels)]
    return np.stack([level / 0.7 * row for row in rows]).astype(np.float32)


def slope(samples: Samples) -> float:
    """Return the largest step between two neighbours of ``[channels, frames]``."""
    return float(np.abs(np.diff(samples, axis=-1)).max())


def decibels(samples: Samples) -> float:
    """Return the RMS level in dB of full scale."""
    return float(20 * np.log10(np.sqrt(np.mean(np.square(samples, dtype=np.float64))) + 1e-12))


def gain_at(response: Samples, rate: int, frequency: float) -> float:
    """Return the gain in dB of an impulse response at a frequency in Hz."""
    turn = np.exp(-2j * np.pi * frequency / rate * np.arange(len(response)))
    return float(20 * np.log10(abs(np.sum(response * turn)) + 1e-12))
