"""``fxkit render``: play a recording through a model."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from fxkit.cli.arguments import Parser, knob, progress_for, show_json

__all__ = ["run"]


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser(
        "render",
        "Play a recording, of any sample rate and length, through a model. "
        "The latency is compensated.",
    )
    parser.add_argument("input", type=Path, metavar="IN", help="the recording")
    parser.add_argument("output", type=Path, metavar="OUT", help="the file to write")
    parser.add_argument(
        "--model", type=Path, required=True, metavar="FILE", help="a model file or run folder"
    )
    parser.add_knobs()
    parser.add_json()
    parsed = parser.read(arguments)
    import fxkit

    written = fxkit.render(
        parsed.input,
        parsed.output,
        model=parsed.model,
        knobs=dict(knob(text) for text in parsed.knob),
        progress=progress_for(parsed.json),
    )
    if parsed.json:
        show_json({"output": str(written)})
    else:
        sys.stdout.write(f"{written}\n")
    return 0
