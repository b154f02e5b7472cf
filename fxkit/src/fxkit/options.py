"""How a plug-in declares its settings: fields of a frozen dataclass, made with `option`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["NoOptions", "option"]


def option(
    default: Any,
    help: str,  # noqa: A002 - the word every command line uses for it
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[Any, ...] | None = None,
) -> Any:
    """Declare one setting of a frozen dataclass.

    Parameters
    ----------
    default
        The value when the user says nothing; immutable (use a tuple for a list).
    help
        What the setting does, in one line; shown by ``fxkit run --help``.
    unit
        The unit of the value (``"samples"``, ``"Hz"``, ``"minutes"``), or empty.
    low, high
        Inclusive bounds, checked when a configuration is made.
    choices
        The only values allowed, if there are just a few.
    """
    metadata = {"help": help, "unit": unit, "low": low, "high": high, "choices": choices}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class NoOptions:
    """The configuration of a plug-in that has no settings."""
