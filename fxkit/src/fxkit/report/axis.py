"""Axes of charts: where a value goes, and which ticks to label."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Axis", "Tick", "decade_axis", "frequency_axis", "linear_axis"]

_FREQUENCIES = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    place: float
    """0..1 along the axis."""
    text: str
    minor: bool = False
    """Left without its label where there is little room."""


@dataclass(frozen=True)
class Axis:
    """A range of values, linear or logarithmic, and its ticks."""

    low: float
    high: float
    ticks: tuple[Tick, ...] = ()
    unit: str = ""
    logarithmic: bool = False

    def place(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return where `values` go, 0 at `low` and 1 at `high`; NaN where they have no place."""
        numbers = np.asarray(values, dtype=np.float64)
        low, high = self.low, self.high
        if self.logarithmic:
            with np.errstate(divide="ignore", invalid="ignore"):
                numbers = np.log10(np.where(numbers > 0, numbers, np.nan))
            low, high = math.log10(low), math.log10(high)
        with np.errstate(invalid="ignore"):
            return (numbers - low) / (high - low)


def linear_axis(
    low: float, high: float, *, unit: str = "", count: int = 6, exact: bool = True
) -> Axis:
    """Return a linear axis with about `count` round ticks.

    Parameters
    ----------
    low, high
        The range; widened where it is empty or not finite.
    exact
        End where told; otherwise at the next round tick.
    """
    low, high = (v if math.isfinite(v) else d for v, d in ((low, 0.0), (high, 1.0)))
    if high <= low:
        low, high = low - 0.5, low + 0.5
    step = _round_step((high - low) / max(1, count))
    if not exact:
        low, high = step * math.floor(low / step), step * math.ceil(high / step)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    ticks = tuple(
        Tick((i * step - low) / (high - low), _minus(f"{i * step + 0.0:.{decimals}f}"), i % 2 == 1)
        for i in range(first, last + 1)
    )
    return Axis(low, high, ticks, unit)


def decade_axis(
    values: Sequence[float] | NDArray[np.float64], *, unit: str = "", fine: bool = True
) -> Axis:
    """Return a logarithmic axis over the positive ones of `values`, at least a decade long.

    A short axis has ticks at 1, 2 and 5 in each decade; without `fine`, only at 1.
    """
    numbers = np.asarray(values, dtype=np.float64)
    numbers = numbers[np.isfinite(numbers) & (numbers > 0)]
    low, high = (float(numbers.min()), float(numbers.max())) if numbers.size else (0.1, 1.0)
    low, high = max(low, 1e-12), min(max(high, 1e-12), 1e12)
    low, high = low / 1.25, high * 1.25
    if high < 10 * low:
        middle = math.sqrt(low * high)
        low, high = middle / math.sqrt(10), middle * math.sqrt(10)
    span = math.log10(high / low)
    factors = (1, 2, 5) if fine and span < 2.5 else (1,)
    every = max(1, math.ceil(span / 8))
    ticks = [
        Tick(math.log10(value / low) / span, _power(exponent, factor), factor != 1)
        for exponent in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        if exponent % every == 0
        for factor in factors
        if low <= (value := factor * 10.0**exponent) <= high
    ]
    return Axis(low, high, tuple(ticks), unit, logarithmic=True)


def frequency_axis(low: float, high: float) -> Axis:
    """Return a logarithmic axis of frequencies in Hz."""
    span = math.log10(high / low)
    ticks = tuple(
        Tick(
            math.log10(f / low) / span,
            f"{f // 1000}k" if f >= 1000 else str(f),
            str(f)[0] != "1" or f >= 50_000,
        )
        for f in _FREQUENCIES
        if low <= f <= high
    )
    return Axis(low, high, ticks, "Hz", logarithmic=True)


def _round_step(rough: float) -> float:
    size = 10.0 ** math.floor(math.log10(rough))
    return size * next(f for f in (1, 2, 5, 10) if f * size >= rough * (1 - 1e-9))


def _power(exponent: int, factor: int) -> str:
    return (
        f"{factor * 10.0**exponent:.{max(0, -exponent)}f}"
        if exponent >= -5
        else (f"{factor}e\N{MINUS SIGN}{-exponent}")
    )


def _minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")
