"""``fxkit bootstrap``: a training set out of distorted recordings alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from fxkit.cli.arguments import Parser, knob, progress_for, show_json

__all__ = ["run"]


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser(
        "bootstrap",
        "Let a trained model of task=clean make the dry side of distorted recordings, and write "
        "both as a data set to train on. Its manifest marks what is estimated; scores come only "
        "from pairs of which both sides were recorded.",
    )
    parser.add_argument("distorted", type=Path, nargs="+", metavar="DISTORTED", help="recordings")
    parser.add_argument(
        "--model", type=Path, required=True, metavar="CLEAN", help="a model file or run folder"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for the data set, made new"
    )
    parser.add_argument(
        "--true",
        type=Path,
        metavar="DATA",
        help="recorded pairs to validate and score with: a folder with clean.* and wet.*, or with "
        "a dataset.yaml, whose marks are kept",
    )
    parser.add_argument(
        "--channel", metavar="C", help="of stereo recordings: left, right, mix, or counted from 1"
    )
    parser.add_knobs()
    parser.add_json()
    parsed = parser.read(arguments)
    import fxkit

    made = fxkit.bootstrap(
        parsed.distorted,
        parsed.out,
        model=parsed.model,
        true=parsed.true,
        channel=parsed.channel,
        knobs=dict(knob(text) for text in parsed.knob),
        progress=progress_for(parsed.json),
    )
    if parsed.json:
        show_json(
            {
                "directory": str(made.directory),
                "manifest": str(made.manifest),
                "pairs": made.pairs,
                "seconds": made.seconds,
                "true_pairs": made.true_pairs,
            }
        )
    else:
        sys.stdout.write(f"{made.directory}\n")
    return 0
