"""A diode clipper solved as a circuit: a resistor into a capacitor with two antiparallel diodes.

The node voltage v obeys (Yeh, Abel and Smith, "Simplified, physically-informed models of
distortion and overdrive guitar effects pedals", DAFx 2007, eq. 5)

    C dv/dt = (u - v) / R - 2 Is sinh(v / Vt)

with the source voltage u. The trapezoidal rule with step h turns it into one implicit equation per
sample. With a = h / (2 R C) and b = h Is / C it reads

    (1 + a) v[n] + b sinh(v[n] / Vt) = p[n]
    p[n] = 2 v[n-1] - p[n-1] + a (u[n-1] + u[n])

so that the solution is a fixed function v = F(p) of a single number. F is tabulated once and every
sample is polished by a Newton step, which squares the error of the table.

The circuit forgets: a difference in its state shrinks by about 0.9 per sample at the rates used
here. Long signals are therefore cut into many segments that are solved side by side as numpy
vectors, each after a run-in on the samples before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["DiodeClipper"]

Array = NDArray[np.float64]

RUN_IN = 512  # samples: 0.9**512 is 4e-24, far below the rounding of a double
_SEGMENT = 2048  # samples of each segment that are kept; the run-in costs a quarter on top
_CELLS = 16_384
CEILING = 10.0  # volts: the largest source that the table is made for


@dataclass(frozen=True)
class DiodeClipper:
    """The circuit at one sampling rate.

    Parameters
    ----------
    sample_rate
        The rate of the signals in Hz; 300 kHz and up keeps the trapezoidal rule accurate.
    resistance, capacitance
        R in ohm and C in farad.
    saturation_current, thermal_voltage
        Is in ampere and Vt in volt of each diode (Vt includes the ideality factor). The defaults
        are those of the paper, for a 1N914.
    """

    sample_rate: float
    resistance: float = 2.2e3
    capacitance: float = 10e-9
    saturation_current: float = 2.52e-9
    thermal_voltage: float = 45.3e-3

    @property
    def _a(self) -> float:
        return 0.5 / (self.sample_rate * self.resistance * self.capacitance)

    @property
    def _b(self) -> float:
        return self.saturation_current / (self.sample_rate * self.capacitance)

    def current(self, u: Array, v: Array) -> Array:
        """Return the current into the capacitor in ampere, where u and v are in volts."""
        diodes = 2 * self.saturation_current * np.sinh(v / self.thermal_voltage)
        return np.asarray((u - v) / self.resistance - diodes)

    def solve(self, source: Array, history: Array | None = None) -> Array:
        """Return the voltage over the diodes.

        Parameters
        ----------
        source
            ``[time]``, the source voltage u, within +-`CEILING`.
        history
            The last `RUN_IN` samples of the source before this block, for a signal that arrives in
            blocks; None for a circuit at rest.

        Returns
        -------
        Array
            ``[time]``, in volts.

        Raises
        ------
        ValueError
            The source exceeds `CEILING` or is not finite.
        """
        time = len(source)
        if time and not np.abs(source).max() <= CEILING:
            raise ValueError(f"the source voltage must stay within +-{CEILING:g} V")
        if time == 0:
            return np.zeros(0)
        segments = -(-time // _SEGMENT)
        steps = RUN_IN + _SEGMENT
        padded = np.zeros(RUN_IN + segments * _SEGMENT)
        if history is not None:
            kept = history[-RUN_IN:]
            padded[RUN_IN - len(kept) : RUN_IN] = kept
        padded[RUN_IN : RUN_IN + time] = source
        windows = np.lib.stride_tricks.sliding_window_view(padded, steps)[::_SEGMENT]
        solved = self._march(np.ascontiguousarray(windows.T))
        return solved[RUN_IN:].T.reshape(-1)[:time]

    def _march(self, u: Array) -> Array:
        """Step all segments ``[steps, segments]`` at once, each from the rest state."""
        cells_per_volt, offset, slope, intercept = self._table()
        a, b, per_volt = self._a, self._b, 1 / self.thermal_voltage
        width = u.shape[1]
        v, p, before = np.zeros(width), np.zeros(width), np.zeros(width)
        up, down, error = np.empty(width), np.empty(width), np.empty(width)
        cell = np.empty(width, np.intp)
        out = np.empty_like(u)
        for n, now in enumerate(u):
            # p <- 2 v - p + a (u[n-1] + u[n])
            np.add(before, now, out=error)
            error *= a
            v *= 2
            error += v
            np.subtract(error, p, out=p)
            before = now
            # v <- F(p), first from the straight piece of the table that p falls on
            np.multiply(p, cells_per_volt, out=up)
            up += offset
            np.copyto(cell, up, casting="unsafe")
            np.take(slope, cell, out=v, mode="clip")
            v *= p
            np.take(intercept, cell, out=up, mode="clip")
            v += up
            # then by one Newton step on (1 + a) v + b sinh(v / Vt) - p = 0
            np.multiply(v, per_volt, out=up)
            np.exp(up, out=up)
            np.reciprocal(up, out=down)
            up *= 0.5 * b
            down *= 0.5 * b
            np.multiply(v, 1 + a, out=error)
            error -= p
            error += up
            error -= down
            up += down
            up *= per_volt
            up += 1 + a
            error /= up
            v -= error
            out[n] = v
        return out

    def _table(self) -> tuple[float, float, Array, Array]:
        """Return F as straight pieces: cells per volt, offset, and slope and intercept of each.

        In the steady state p = v + a u, and v stays below a volt: twice that covers every swing.
        """
        reach = 2 * (1 + self._a * CEILING)
        edges = np.linspace(-reach, reach, _CELLS + 1)
        v = self._static(edges)
        slope = np.diff(v) / np.diff(edges)
        return _CELLS / (2 * reach), _CELLS / 2, slope, v[:-1] - slope * edges[:-1]

    def _static(self, p: Array) -> Array:
        """Solve (1 + a) v + b sinh(v / Vt) = p for v by Newton's method."""
        size = np.abs(p)
        # Both bound v from above, and the left side is convex there: Newton goes one way.
        v = np.minimum(np.arcsinh(size / self._b) * self.thermal_voltage, size / (1 + self._a))
        for _ in range(100):
            grown = v / self.thermal_voltage
            value = (1 + self._a) * v + self._b * np.sinh(grown) - size
            step = value / (1 + self._a + self._b / self.thermal_voltage * np.cosh(grown))
            v = v - step
            if np.all(np.abs(step) <= 1e-14):
                break
        return np.copysign(v, p)
