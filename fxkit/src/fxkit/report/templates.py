"""The templates of the page; whatever is put into them is escaped."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fxkit.report import words

__all__ = ["asset", "render"]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("fxkit", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in words.__all__:
        environment.filters[name] = getattr(words, name)
    return environment


def render(template: str, **values: Any) -> Markup:
    """Fill in one of the templates beside this file; the result counts as safe HTML."""
    return Markup(_environment().get_template(template).render(**values))


def asset(name: str) -> str:
    """Return the text of a style sheet or script beside this file."""
    return files("fxkit.report").joinpath(name).read_text(encoding="utf-8")
