"""``fxkit import``: another player's file as a model file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from fxkit.cli.arguments import Parser, settings, show_json

__all__ = ["run"]


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser(
        "import",
        "Make a model file of another player's file (.nam, AIDA-X, Proteus, NeuralPi). It renders, "
        "benchmarks and plays like any other.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the other player's file")
    parser.add_argument(
        "settings", nargs="*", metavar="key=value", help="format.size=0.5 for a slimmable .nam, ..."
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="MODEL", help="the model file to write (.fxkit)"
    )
    parser.add_argument(
        "--format", metavar="NAME", help="its format, if the file does not tell; see fxkit list"
    )
    parser.add_json()
    parsed = parser.read(arguments)
    import fxkit

    artifact = fxkit.import_model(
        parsed.file, parsed.out, format=parsed.format, **settings(parsed.settings)
    )
    manifest = artifact.manifest
    if parsed.json:
        show_json({"output": str(parsed.out), "manifest": manifest.to_plain()})
        return 0
    knobs = f", {len(manifest.controls)} knobs" if manifest.controls else ""
    sys.stdout.write(f"{parsed.out}: {manifest.name}, {manifest.sample_rate} Hz{knobs}\n")
    return 0
