"""``fxkit evaluate``: score a model on recordings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fxkit.cli.arguments import Parser, console, progress_for, settings, show_json

__all__ = ["run"]


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser(
        "evaluate",
        "Score a model on recordings: those it was trained on (their held-out part), or others "
        "given as data.* settings.",
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model file or run folder")
    parser.add_settings("data.clean=..., data.wet=..., ...")
    parser.add_argument(
        "--all",
        action="store_true",
        help="score the whole recordings; honest only where the model was not trained on them",
    )
    parser.add_json()
    parsed = parser.read(arguments)
    import fxkit

    evaluation = fxkit.evaluate(
        parsed.model,
        part="all" if parsed.all else "test",
        config=parsed.config,
        progress=progress_for(parsed.json),
        **settings(parsed.settings),
    )
    if parsed.json:
        show_json(evaluation.to_plain())
        return 0
    from fxkit.cli.scores import scores_table

    out = console()
    out.print(f"{evaluation.seconds:.1f} s scored\n", markup=False)
    out.print(scores_table(evaluation))
    return 0
