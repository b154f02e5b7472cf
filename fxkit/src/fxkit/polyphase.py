"""Converts a signal to another sample rate block by block, exactly as the players in C++ do.

With out/in = L/M in lowest terms, output k is the input at position k M/L, seen through a low pass
of linear phase: a sinc under a Kaiser window, as long as the lower of the two rates asks for.

    y[k] = sum over j of x[j] h(k M/L - j),   h(t) = c sinc(c t) w(t / half),   c = min(1, out/in)

The pass band is flat up to 0.907 of the lower Nyquist frequency (20 kHz at 44.1 kHz); from its
mirror image about that frequency on, 120 dB are gone, so that what folds lands above the band. Each
phase is scaled to a gain of 1 for a constant. Sums are in 64 bits. ``cpp/host/src/resampler.cpp``
is the same in C++.

Sources: J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function",
ISCAS 1974; R. E. Crochiere, L. R. Rabiner, "Multirate Digital Signal Processing", 1983, ch. 2-4.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from fxkit.errors import FxkitError

__all__ = ["Polyphase"]

Samples = NDArray[np.float32]
Numbers = NDArray[np.float64]

STOP_BAND = 120.0
"""What is taken away beyond the transition, dB."""
PASS_EDGE = 0.907
"""Where the pass band ends, over the lower Nyquist frequency."""
BETA = 0.1102 * (STOP_BAND - 8.7)
"""The window's shape (Kaiser)."""
HALF = (STOP_BAND - 7.95) / (2.285 * 2 * math.pi * (1 - PASS_EDGE)) / 2
"""Half its length in samples of the lower rate (Kaiser)."""

MIN_RATE, MAX_RATE = 1000, 1_000_000
MAX_TABLE = 1 << 20
"""Numbers in a table of all phases; beyond, a phase is interpolated between rows of a smaller one,
with an error below -130 dB."""
ROWS = 128
"""Rows of that for each sample of the lower rate."""
TAP_UNIT = 8
"""Taps are counted in multiples of this, as the vectors of a machine are."""
GATHERED = 1 << 16
"""Numbers that are gathered at once."""


class Polyphase:
    """The conversion of one channel. Samples before the first one are zeros.

    Parameters
    ----------
    rate_in, rate_out
        In whole Hz, 1,000 to 1,000,000.

    Raises
    ------
    FxkitError
        A rate is out of range.
    """

    def __init__(self, rate_in: int, rate_out: int) -> None:
        for rate in (rate_in, rate_out):
            if not MIN_RATE <= rate <= MAX_RATE:
                raise FxkitError(
                    f"a sample rate of {rate} Hz cannot be converted, only {MIN_RATE} to {MAX_RATE}"
                )
        common = math.gcd(rate_in, rate_out)
        self._up, self._down = rate_out // common, rate_in // common
        scale = min(1.0, rate_out / rate_in)
        self._reach = math.ceil(HALF / scale)
        padded = -(-2 * self._reach // TAP_UNIT) * TAP_UNIT
        self._exact = self._up * padded <= MAX_TABLE
        if self._exact:
            places = np.arange(self._up) / self._up
        else:
            self._reach += 1  # what lies beside a phase reaches further
            rows = math.ceil(ROWS * scale)
            # One row before the first phase and two behind the last serve the interpolation.
            places = np.arange(-1, rows + 2) / rows
            self._rows = rows
        self._taps = 2 * self._reach
        self._table = _table(places, self._reach, scale)
        self._heard = np.zeros(self._reach - 1)
        self._position = 0
        """Of the next output behind the first sample of `_heard`, in 1/L."""

    def process(self, block: Samples) -> Samples:
        """Take a ``[time]`` block, which may be empty; return what is ready, which may be none."""
        self._heard = np.concatenate((self._heard, block))
        room = len(self._heard) - self._taps
        # The last output begins at sample `room`, at the latest.
        ready = max(((room + 1) * self._up - 1 - self._position) // self._down + 1, 0)
        out = np.empty(ready, np.float32)
        if ready:
            self._play(out)
            end = self._position + ready * self._down
            self._heard = self._heard[end // self._up :]
            self._position = end % self._up
        return out

    def _play(self, out: Samples) -> None:
        windows = sliding_window_view(self._heard, self._taps)
        if self._exact and len(out) >= 4 * self._up:
            # Phase by phase, each a stride through the signal: nothing is copied.
            for i in range(self._up):
                start, phase = divmod(self._position + i * self._down, self._up)
                part = windows[start :: self._down][: len(out[i :: self._up])]
                out[i :: self._up] = _dots(part, self._table[phase])
            return
        step = max(GATHERED // self._taps, 1)
        for first in range(0, len(out), step):
            numbers = np.arange(first, min(first + step, len(out)))
            starts, phases = np.divmod(self._position + numbers * self._down, self._up)
            out[first : first + step] = self._sums(windows[starts], phases)

    def _sums(self, windows: Numbers, phases: NDArray[Any]) -> Numbers:
        if self._exact:
            return _dots(windows, self._table[phases])
        # Lagrange's cubic through four neighbours.
        places = phases * self._rows / self._up
        row = places.astype(np.int64)
        f = places - row
        weights = (
            -f * (f - 1) * (f - 2) / 6,
            (f + 1) * (f - 1) * (f - 2) / 2,
            -(f + 1) * f * (f - 2) / 2,
            (f + 1) * f * (f - 1) / 6,
        )
        parts = [w * _dots(windows, self._table[row + i]) for i, w in enumerate(weights)]
        return np.asarray(sum(parts))


def _dots(windows: Numbers, taps: Numbers) -> Numbers:
    """Return the products of ``[n, taps]`` with ``[taps]`` or ``[n, taps]``, ``[n]``."""
    sums: Numbers = np.einsum("ij,j->i" if taps.ndim == 1 else "ij,ij->i", windows, taps)
    return sums


def _table(places: Numbers, reach: int, scale: float) -> Numbers:
    """Return the taps, ``[places, 2 reach]``, for positions behind a sample, in samples."""
    t = scale * (places[:, None] + (reach - 1) - np.arange(2 * reach))
    inside = np.abs(t) < HALF
    window = np.i0(BETA * np.sqrt(np.where(inside, 1 - (t / HALF) ** 2, 0.0)))
    taps: Numbers = np.where(inside, np.sinc(t) * window, 0.0)
    scaled: Numbers = taps / taps.sum(axis=1, keepdims=True)
    return scaled
