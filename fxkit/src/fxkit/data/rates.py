"""Converts a signal to another sample rate, whole or block by block."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["Resampler", "Samples", "resample"]

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


class Resampler:
    """Converts a signal of any length block by block; all blocks together equal `resample`.

    Parameters
    ----------
    source_rate, target_rate
        In Hz.
    """

    def __init__(self, source_rate: int, target_rate: int) -> None:
        import soxr

        self._stream = (
            None
            if source_rate == target_rate
            else soxr.ResampleStream(source_rate, target_rate, 1, dtype="float32", quality="HQ")
        )

    def process(self, block: Samples, *, last: bool = False) -> Samples:
        """Take a ``[time]`` block, which may be empty; return what is ready, which may be none."""
        if self._stream is None:
            return block
        ready: Samples = self._stream.resample_chunk(
            np.ascontiguousarray(block, np.float32), last=last
        )
        return ready
