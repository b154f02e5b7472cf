"""``fxkit run``: train, score, write the model file and the report."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxkit.cli.arguments import Parser, console, number, progress_for, settings, show_json
from fxkit.distributed import is_first

if TYPE_CHECKING:
    from fxkit.config import OptionInfo
    from fxkit.pipeline import RunResult

__all__ = ["run"]


def _parser() -> Parser:
    parser = Parser("run", "Train a model, score it, write its file and a report.", add_help=False)
    parser.add_settings("a setting")
    parser.add_argument(
        "--resume",
        type=Path,
        metavar="RUN",
        help="go on with the run in this folder; train.* and run.device may be changed",
    )
    parser.add_json()
    parser.add_listing_help("list every setting of the chosen model, loss and task")
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run the command; 130 if the user ended the training with Ctrl-C."""
    parser = _parser()
    parsed = parser.read(arguments)
    if parsed.help:
        _help(parser, parsed)
        return 0
    import fxkit

    result = fxkit.run(
        config=parsed.config,
        resume=parsed.resume,
        progress=progress_for(parsed.json),
        **settings(parsed.settings),
    )
    if not is_first():
        pass  # One of several processes shows what all have done.
    elif parsed.json:
        show_json(result.to_plain())
    else:
        _show(result)
    return 130 if result.interrupted else 0


def _show(result: RunResult) -> None:
    from fxkit.cli.scores import scores_table

    out = console()
    epochs = len(result.history)
    walked = f"{epochs} epoch" + ("" if epochs == 1 else "s")
    out.print(f"{walked}, best after {result.best_epoch}: {result.stopped}", markup=False)
    out.print()
    out.print(scores_table(result.evaluation))
    out.print()
    time = result.realtime
    out.print(
        f"block of {time.block} samples: {number(time.median_us, 3)} us of the "
        f"{number(time.bound_us, 5)} us it lasts ({time.backend})",
        markup=False,
        soft_wrap=True,
    )
    out.print(f"model   {result.model_path}", markup=False, soft_wrap=True)
    out.print(f"report  {result.report_path}", markup=False, soft_wrap=True)


def _help(parser: Parser, parsed: argparse.Namespace) -> None:
    """Print usage and every setting, of the plug-ins that the other arguments choose."""
    from fxkit import recipes
    from fxkit.config import chosen, keys, parse
    from fxkit.registry import LOSSES, MODELS, TASKS

    values = parse(parsed.settings, parsed.config)
    names, listed = chosen(values), keys(values)
    out = console()
    out.print(parser.format_help().rstrip(), markup=False, highlight=False)
    out.print("\n[bold]what to choose[/bold]")
    out.print(
        _table(
            [
                ("task", names["task"], "", ", ".join(TASKS.names())),
                ("model", names["model"], "", ", ".join(MODELS.names())),
                (
                    "loss",
                    names["loss"],
                    "",
                    f"{', '.join(LOSSES.names())}, or a weighted sum: esr+0.1*mrstft",
                ),
                (
                    "recipe",
                    values.get("recipe", ""),
                    "",
                    f"a file, or one of: {', '.join(recipes.names())}",
                ),
                ("data", "", "", "short for data.path"),
                ("device", "", "", "short for run.device"),
            ]
        )
    )
    for heading, options in listed.items():
        if options:
            out.print(f"\n[bold]{heading}[/bold]")
            out.print(_table([_row(option) for option in options]))


def _row(option: OptionInfo) -> tuple[str, Any, str, str]:
    default = "required" if option.required else option.default
    takes = "" if option.takes == "text" else f" [{option.takes}]"
    return option.key, default, option.unit, option.help + takes


def _table(rows: Sequence[tuple[str, Any, str, str]]) -> Any:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for key, default, unit, meaning in rows:
        shown = "" if default is None else _text(default)
        table.add_row(key, escape(f"{shown} {unit}".strip() if shown else ""), escape(meaning))
    return table


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
