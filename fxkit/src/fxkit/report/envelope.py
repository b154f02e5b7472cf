"""A long waveform in a few hundred columns, with no peak lost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["envelope"]

Floats = NDArray[np.float64]


def envelope(samples: NDArray[np.float32], columns: int) -> tuple[Floats, Floats, Floats]:
    """Return where each column lies (in samples), and its lowest and highest sample.

    A signal of fewer samples than `columns` has one column for each sample.
    """
    x = np.nan_to_num(samples.astype(np.float64), posinf=0.0, neginf=0.0)
    if not x.size:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    edges = np.unique(np.linspace(0, x.size, min(columns, x.size) + 1).astype(int))
    middles = (edges[:-1] + edges[1:] - 1) / 2
    return middles, np.minimum.reduceat(x, edges[:-1]), np.maximum.reduceat(x, edges[:-1])
