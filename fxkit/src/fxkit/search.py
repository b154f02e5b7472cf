"""What may be searched: ranges and choices of settings, for `fxkit tune`.

A model declares its own in `fxkit.model.Model.search_space`; those of the training are in
`fxkit.tuning.space`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Choice", "Dimension", "Range"]

Scalar: TypeAlias = "bool | int | float | str | None"


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; whole ones if both bounds are `int`.

    Parameters
    ----------
    low, high
        The bounds; `high` is above `low`.
    log
        Whether to search the logarithm, for what matters by its factor, as a learning rate does.
    step
        The distance between two values tried, from `low` on; None for any. Not together with `log`.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be searched."""
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"a range needs finite bounds, the low one first: {self}")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError(f"a logarithmic range starts above 0 and has no step: {self}")
        if self.step is not None and not 0 < self.step <= self.high - self.low:
            raise ValueError(f"a step is above 0 and fits into its range: {self}")
        if self.whole and self.step is not None and not isinstance(self.step, int):
            raise ValueError(f"a range of whole numbers has a whole step: {self}")

    @property
    def whole(self) -> bool:
        """Whether the values are whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def holds(self, value: object) -> bool:
        """Say whether `value` can come out of a search of this range."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if (self.whole and value != int(value)) or not self.low <= value <= self.high:
            return False
        steps = (value - self.low) / self.step if self.step is not None else 0.0
        return abs(steps - round(steps)) < 1e-6

    def nearest(self, value: object) -> float:
        """Return what comes nearest to `value`; the middle if that is no number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            value = math.sqrt(self.low * self.high) if self.log else (self.low + self.high) / 2
        near: float = min(max(value, self.low), self.high)
        if self.step is not None:
            most = math.floor((self.high - self.low) / self.step + 1e-9)
            near = self.low + self.step * min(round((near - self.low) / self.step), most)
        return round(near) if self.whole else near

    def __str__(self) -> str:
        """Return it as ``search.KEY=`` takes it."""
        end = ":log" if self.log else f":{self.step:g}" if self.step is not None else ""
        return f"{self.low:g}..{self.high:g}{end}"


@dataclass(frozen=True)
class Choice:
    """One of a few values.

    Parameters
    ----------
    values
        At least two, all different: numbers, text, booleans or None.
    """

    values: tuple[Scalar, ...]

    def __post_init__(self) -> None:
        """Refuse what cannot be searched."""
        if not all(v is None or isinstance(v, bool | int | float | str) for v in self.values):
            raise ValueError(f"a choice is among numbers, texts, booleans and None: {self.values}")
        if len(self.values) < 2 or len(set(map(repr, self.values))) < len(self.values):
            raise ValueError(f"a choice needs at least two values, all different: {self.values}")

    def holds(self, value: object) -> bool:
        """Say whether `value` can come out of a search of this choice."""
        return any(type(v) is type(value) and v == value for v in self.values)

    def nearest(self, value: object) -> Scalar:
        """Return `value` if it is among the values, else the nearest number, else the first."""
        if self.holds(value):
            return next(v for v in self.values if v == value and type(v) is type(value))
        numbers = [v for v in self.values if isinstance(v, int | float) and not isinstance(v, bool)]
        if numbers and isinstance(value, int | float) and not isinstance(value, bool):
            return min(numbers, key=lambda v: abs(v - value))
        return self.values[0]

    def __str__(self) -> str:
        """Return it as ``search.KEY=`` takes it."""
        return ",".join("none" if v is None else str(v) for v in self.values)


Dimension: TypeAlias = Range | Choice
"""What one setting is searched over."""
