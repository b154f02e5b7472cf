"""``fxkit info``: what is in a model file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fxkit.cli.arguments import Parser, console, show_json

__all__ = ["run"]


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser("info", "Show what a model file says about itself, and prove it on its probe.")
    parser.add_argument("model", type=Path, metavar="FILE", help="a model file or run folder")
    parser.add_json()
    parsed = parser.read(arguments)
    import fxkit

    plain = fxkit.info(parsed.model).to_plain()
    if parsed.json:
        show_json(plain)
        return 0
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in _rows(plain):
        table.add_row(key, Text(value))
    console().print(table)
    return 0


def _rows(plain: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return the manifest as rows of dotted key and text; what is empty is left out."""
    rows: list[tuple[str, str]] = []
    for key, value in plain.items():
        if isinstance(value, Mapping):
            rows += _rows(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
            for number, item in enumerate(value, 1):
                inside = item if isinstance(item, Mapping) else {"": item}
                rows += _rows(inside, f"{prefix}{key}.{number}.")
        elif value not in (None, "", [], ()):
            rows.append((prefix + key, _text(value)))
    return rows


def _text(value: Any) -> str:
    """Write a value as it is written in settings; lists of sentences a line each."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        lines = any(isinstance(item, str) and " " in item for item in value)
        return ("\n" if lines else ", ").join(map(_text, value))
    return str(value)
