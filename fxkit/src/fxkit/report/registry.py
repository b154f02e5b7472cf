"""The sections that a report can have, by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fxkit.errors import PluginError
from fxkit.report.data import ReportData

__all__ = ["Section", "Writer", "find", "names", "section"]

Writer = Callable[[ReportData], Markup | None]
"""Writes the body of a section as HTML, or None where there is nothing to show."""


@dataclass(frozen=True)
class Section:
    """One part of the report."""

    name: str
    """What a task's `sections` calls it; also its anchor on the page."""
    title: str
    """Its heading; empty for one that has its own."""
    write: Writer


_SECTIONS: dict[str, Section] = {}


def section(name: str, title: str) -> Callable[[Writer], Writer]:
    """Register the decorated function as a section of reports.

    A plug-in does this beside its task, so that the section is there whenever the task is.

    Parameters
    ----------
    name
        What a task's `sections` calls it.
    title
        Its heading; may be empty.

    Raises
    ------
    PluginError
        If another function has taken the name.
    """

    def register(write: Writer) -> Writer:
        taken = _SECTIONS.get(name)
        if taken is not None and _origin(taken.write) != _origin(write):
            raise PluginError(
                f"report section {name!r} is claimed by both {_origin(taken.write)} "
                f"and {_origin(write)}: rename one"
            )
        _SECTIONS[name] = Section(name, title, write)
        return write

    return register


def names() -> list[str]:
    """Return the names of all registered sections."""
    return sorted(_SECTIONS)


def find(wanted: Sequence[str]) -> list[Section]:
    """Return the sections of these names, in this order.

    Raises
    ------
    PluginError
        If a name is unknown; the message names the nearest one.
    """
    for name in wanted:
        if name not in _SECTIONS:
            near = difflib.get_close_matches(name, names(), n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names())}"
            raise PluginError(f"unknown report section {name!r}: {hint}")
    return [_SECTIONS[name] for name in wanted]


def _origin(write: Writer) -> str:
    return f"{write.__module__}.{write.__qualname__}"
