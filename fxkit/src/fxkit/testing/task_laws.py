"""What every task keeps, each law a function that raises AssertionError when it is broken."""

# ruff: noqa: D401 - a law is stated, not commanded
from __future__ import annotations

from dataclasses import fields

from fxkit.config import parse_loss
from fxkit.errors import FxkitError
from fxkit.registry import LOSSES
from fxkit.report import registry as sections
from fxkit.scores import Scores
from fxkit.task import Task

__all__ = [
    "law_default_loss_exists",
    "law_metrics_exist",
    "law_sections_exist",
    "law_sides_differ",
    "law_title",
]


def law_title(task: Task) -> None:
    """The task says what it does, in one line."""
    title = getattr(task, "title", None)
    if not isinstance(title, str) or not title.strip() or "\n" in title:
        raise AssertionError(f"title is {title!r}; it has to be one line of text")


def law_sides_differ(task: Task) -> None:
    """One side of the pair is learned from the other."""
    sides = (getattr(task, "input", None), getattr(task, "target", None))
    if sides not in (("clean", "wet"), ("wet", "clean")):
        raise AssertionError(
            f"input and target are {sides[0]!r} and {sides[1]!r}; one is 'clean', the other 'wet'"
        )


def law_default_loss_exists(task: Task) -> None:
    """`default_loss` is an expression of installed losses."""
    expression = getattr(task, "default_loss", None)
    if not isinstance(expression, str):
        raise AssertionError(f"default_loss is {expression!r}, not a loss expression such as 'esr'")
    try:
        for term in parse_loss(expression):
            LOSSES.get(term.name)
    except FxkitError as error:
        raise AssertionError(f"default_loss={expression}: {error}") from error


def law_metrics_exist(task: Task) -> None:
    """`metrics` names at least one score, none twice."""
    known = [field.name for field in fields(Scores) if field.name != "bands"]
    _named("metrics", getattr(task, "metrics", None), known)


def law_sections_exist(task: Task) -> None:
    """`sections` names at least one section of the report, none twice."""
    _named("sections", getattr(task, "sections", None), sections.names())


def _named(what: str, given: object, known: list[str]) -> None:
    if not isinstance(given, tuple) or not given:
        raise AssertionError(f"{what} is {given!r}; it has to be a tuple of names, one at least")
    unknown = [name for name in given if name not in known]
    if unknown:
        raise AssertionError(f"{what}: no {unknown[0]!r}; there is {', '.join(known)}")
    if len(set(given)) != len(given):
        raise AssertionError(f"{what} has a name twice: {', '.join(given)}")
