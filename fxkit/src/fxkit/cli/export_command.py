"""``fxkit export``: a model as another player's file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from fxkit.cli.arguments import Parser, settings, show_json

__all__ = ["run"]


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser(
        "export",
        "Write a model for another player, or say which setting to train with if that player would "
        "not compute it exactly.",
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model file or run folder")
    parser.add_argument(
        "settings", nargs="*", metavar="key=value", help="settings of the format: format.NAME=..."
    )
    parser.add_argument(
        "--to",
        required=True,
        metavar="FORMAT",
        help="nam, aida-x, proteus, torchscript, onnx, executorch, or what else fxkit list shows",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the file to write (default: beside the model)"
    )
    parser.add_json()
    parsed = parser.read(arguments)
    import fxkit

    made = fxkit.export(parsed.model, parsed.to, parsed.out, **settings(parsed.settings))
    if made.caution:
        sys.stderr.write(f"fxkit: note: {made.caution}\n")
    if parsed.json:
        show_json({"output": str(made.path), "format": made.format, "caution": made.caution})
    else:
        sys.stdout.write(f"{made.path}\n")
    return 0
