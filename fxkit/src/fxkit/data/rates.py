"""Converts a whole recording to another sample rate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["Samples", "resample"]

Samples = npt.NDArray[np.float32]
"""A mono signal, ``[time]``, full scale +-1."""


def resample(samples: Samples, source_rate: int, target_rate: int) -> Samples:
    """Convert a whole ``[time]`` signal to another rate, without delay (soxr, high quality)."""
    import soxr

    if source_rate == target_rate:
        return samples
    converted: Samples = soxr.resample(
        np.ascontiguousarray(samples, np.float32), source_rate, target_rate, "HQ"
    )
    return converted
