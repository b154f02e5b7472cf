"""Choose a representative excerpt: a whole phrase, loud and busy, that begins after a pause."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fxkit.onsets import Onset

__all__ = ["LEAD", "SECONDS", "Envelope", "choose_attack", "choose_phrase"]

SECONDS = 6.0
"""Length of the excerpt."""
LEAD = 0.15
"""Seconds before the first attack of the excerpt."""
STEP = 0.05
"""Seconds that one value of the envelope stands for."""


class Envelope:
    """The energy of a recording that arrives in chunks, one value for each 50 ms."""

    def __init__(self, sample_rate: int) -> None:
        self.grain = max(1, round(STEP * sample_rate))
        self._values: list[NDArray[np.float64]] = []
        self._rest = np.zeros(0)

    def push(self, samples: NDArray[np.float32]) -> None:
        """Take the next samples ``[time]``."""
        squares = np.concatenate([self._rest, np.square(samples, dtype=np.float64)])
        whole = len(squares) // self.grain * self.grain
        self._values.append(squares[:whole].reshape(-1, self.grain).sum(axis=1))
        self._rest = squares[whole:]

    def finish(self) -> NDArray[np.float64]:
        """Return the sums of squares, ``[time / grain]``, the last one of what is left."""
        return np.concatenate([*self._values, [self._rest.sum()]])


def choose_phrase(
    envelope: NDArray[np.float64], grain: int, onsets: Sequence[Onset], length: int, rate: int
) -> tuple[int, int, float]:
    """Choose the excerpt of one recording.

    A candidate begins a little before an attack. It is worth its level in dB, up to 6 dB for a
    dozen or more attacks, and up to 6 dB for the pause before it, which makes it a phrase rather
    than a cut. Without attacks the loudest stretch is taken.

    Parameters
    ----------
    envelope, grain
        Of the target: sums of squares of `grain` samples each.
    onsets
        Attacks of the clean side.
    length
        Of the recording, samples.
    rate
        Hz.

    Returns
    -------
    start, stop
        Samples; at most `SECONDS` apart.
    worth
        To compare with other recordings, dB.
    """
    size = min(length, round(SECONDS * rate))
    energy = np.concatenate([[0.0], np.cumsum(envelope)])
    positions = np.array([onset.position for onset in onsets], dtype=np.int64)

    def between(start: int, stop: int) -> float:
        first, last = max(0, start // grain), min(len(envelope), -(-stop // grain))
        count = max(1, last - first) * grain
        return 10 * math.log10(float(energy[max(last, first)] - energy[first]) / count + 1e-12)

    starts = [int(position) - round(LEAD * rate) for position in positions]
    starts = [start for start in starts if 0 <= start <= length - size]
    if not starts:
        starts = list(range(0, length - size + 1, max(1, rate // 4)))
    best = (0, size, -math.inf)
    for start in starts:
        level = between(start, start + size)
        attacks = np.searchsorted(positions, start + size) - np.searchsorted(positions, start)
        pause = level - between(start - round(0.1 * rate), start) if start else 20.0
        worth = level + 0.5 * min(int(attacks), 12) + 0.3 * min(max(pause, 0.0), 20.0)
        if worth > best[2]:
            best = (start, start + size, worth)
    return best


def choose_attack(onsets: Sequence[Onset], start: int, stop: int, rate: int) -> int | None:
    """Return the position of the strongest attack from `start` to `stop`, relative to `start`.

    One with 50 ms before it and 200 ms after is preferred, so that it can be shown.
    """
    inside = [onset for onset in onsets if start <= onset.position < stop]
    shown = [
        onset
        for onset in inside
        if onset.position - start >= 0.05 * rate and stop - onset.position >= 0.2 * rate
    ]
    best = max(shown or inside, key=lambda onset: onset.strength, default=None)
    return None if best is None else best.position - start
