"""Loss expressions: ``esr``, ``esr+0.1*mrstft``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from fxkit.errors import FxkitError

__all__ = ["Term", "parse_loss"]

_TERM = re.compile(
    r"\s*(?:(?P<weight>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*\*\s*)?(?P<name>[A-Za-z_][\w-]*)\s*"
)


@dataclass(frozen=True)
class Term:
    """One summand of a loss."""

    name: str
    weight: float = 1.0


def parse_loss(expression: str) -> tuple[Term, ...]:
    """Read a weighted sum of losses.

    Raises
    ------
    FxkitError
        If it is not of the form ``NAME``, ``WEIGHT*NAME``, or a sum of these with different names.
    """
    terms: list[Term] = []
    at = 0
    while True:
        match = _TERM.match(expression, at)
        if match is None:
            break
        weight = float(match["weight"]) if match["weight"] else 1.0
        if not (math.isfinite(weight) and weight > 0):
            raise FxkitError(f"loss={expression}: the weight of {match['name']} must be above 0")
        terms.append(Term(match["name"], weight))
        at = match.end()
        if at == len(expression):
            names = [term.name for term in terms]
            twice = [name for name in names if names.count(name) > 1]
            if twice:
                raise FxkitError(f"loss={expression}: {twice[0]} is there twice; add its weights")
            return tuple(terms)
        if expression[at] != "+":
            break
        at += 1
    raise FxkitError(f"loss={expression}: not a loss; write a name or a sum as in esr+0.1*mrstft")
