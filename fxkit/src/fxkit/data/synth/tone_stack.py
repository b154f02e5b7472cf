"""The passive treble, middle and bass network of many guitar amplifiers, as a digital filter.

The transfer function is that of Yeh and Smith, "Discretization of the '59 Fender Bassman tone
stack", DAFx 2006, eq. 1, with their component values; the bilinear transform samples it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

__all__ = ["ToneStack"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ToneStack:
    """Three knobs, each 0..1, and the parts they turn (ohm, farad)."""

    treble: float = 0.6
    middle: float = 0.7
    bass: float = 0.35
    r1: float = 250e3
    r2: float = 1e6
    r3: float = 25e3
    r4: float = 56e3
    c1: float = 250e-12
    c2: float = 20e-9
    c3: float = 20e-9

    def analogue(self) -> tuple[Array, Array]:
        """Return numerator and denominator in s, highest power first."""
        t, m, low = self.treble, self.middle, self.bass
        r1, r2, r3, r4 = self.r1, self.r2, self.r3, self.r4
        c1, c2, c3 = self.c1, self.c2, self.c3
        c12, c13, c23, c123 = c1 * c2, c1 * c3, c2 * c3, c1 * c2 * c3
        b1 = t * c1 * r1 + m * c3 * r3 + low * (c1 + c2) * r2 + (c1 + c2) * r3
        b2 = (
            t * (c12 + c13) * r1 * r4
            - m * m * (c13 + c23) * r3 * r3
            + m * (c13 * r1 * r3 + (c13 + c23) * r3 * r3)
            + low * (c12 * r1 * r2 + (c12 + c13) * r2 * r4)
            + low * m * (c13 + c23) * r2 * r3
            + (c12 * r1 * r3 + (c12 + c13) * r3 * r4)
        )
        b3 = c123 * (
            low * m * (r1 + r4) * r2 * r3
            + m * (1 - m) * (r1 + r4) * r3 * r3
            + t * (1 - m) * r1 * r3 * r4
            + t * low * r1 * r2 * r4
        )
        a1 = (c1 * r1 + (c1 + c2) * r3 + (c2 + c3) * r4) + m * c3 * r3 + low * (c1 + c2) * r2
        a2 = (
            m * (c13 * r1 * r3 - c23 * r3 * r4 + (c13 + c23) * r3 * r3)
            + low * m * (c13 + c23) * r2 * r3
            - m * m * (c13 + c23) * r3 * r3
            + low * (c12 * r1 * r2 + (c12 + c13 + c23) * r2 * r4)
            + ((c12 + c13) * r1 * r4 + c12 * r1 * r3 + (c12 + c13 + c23) * r3 * r4)
        )
        a3 = c123 * (
            low * m * (r1 + r4) * r2 * r3
            + m * (1 - m) * (r1 + r4) * r3 * r3
            - m * r1 * r3 * r4
            + low * r1 * r2 * r4
            + r1 * r3 * r4
        )
        return np.array([b3, b2, b1, 0.0]), np.array([a3, a2, a1, 1.0])

    def digital(self, sample_rate: float) -> tuple[Array, Array]:
        """Return the filter coefficients b, a at `sample_rate` in Hz."""
        b, a = signal.bilinear(*self.analogue(), fs=sample_rate)
        return np.asarray(b, np.float64), np.asarray(a, np.float64)
