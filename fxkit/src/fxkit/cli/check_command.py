"""``fxkit check``: whether an installed plug-in keeps the laws."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict

from fxkit.cli.arguments import Parser, show_json

__all__ = ["run"]


def run(arguments: Sequence[str]) -> int:
    """Run the command; 1 if a law is broken."""
    parser = Parser("check", "Check that a plug-in keeps the laws of its kind.")
    parser.add_argument("name", metavar="NAME", help="a model, loss, task or format")
    parser.add_argument(
        "--kind",
        choices=("model", "loss", "task", "format"),
        help="needed where two kinds have the name",
    )
    parser.add_json()
    parsed = parser.read(arguments)
    import fxkit

    results = fxkit.check(parsed.name, kind=parsed.kind)
    broken = [result for result in results if not result.passed]
    if parsed.json:
        laws = [asdict(result) for result in results]
        show_json({"name": parsed.name, "passed": not broken, "laws": laws})
        return 1 if broken else 0
    for result in results:
        mark = "ok    " if result.passed else "BROKEN"
        detail = f": {' '.join(result.detail.split())}" if result.detail else ""
        sys.stdout.write(f"{mark}  {result.name}{detail}\n")
    kept = len(results) - len(broken)
    sys.stdout.write(f"{parsed.name}: {kept} of {len(results)} laws kept\n")
    return 1 if broken else 0
