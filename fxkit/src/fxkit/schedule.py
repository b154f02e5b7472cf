"""The learning rate over a training: a short ramp up, a plateau or not, and a cosine down."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Schedule"]


@dataclass(frozen=True)
class Schedule:
    """Learning rate as a function of the share of the training that is done.

    Parameters
    ----------
    peak
        The highest learning rate.
    ramp
        The share of the training over which it rises linearly from a tenth of `peak`.
    floor
        The learning rate at the end, as a share of `peak`.
    """

    peak: float
    ramp: float = 0.02
    floor: float = 0.005

    def __call__(self, done: float) -> float:
        """Return the learning rate at `done` in 0..1."""
        done = min(max(done, 0.0), 1.0)
        if done < self.ramp:
            return self.peak * (0.1 + 0.9 * done / self.ramp)
        fall = (done - self.ramp) / max(1.0 - self.ramp, 1e-9)
        return self.peak * (
            self.floor + (1.0 - self.floor) * 0.5 * (1.0 + math.cos(math.pi * fall))
        )
