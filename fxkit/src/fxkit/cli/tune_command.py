"""``fxkit tune``: search for good settings, then train with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxkit.cli.arguments import Parser, console, number, progress_for, settings, show_json
from fxkit.errors import FxkitError

if TYPE_CHECKING:
    import argparse

    from fxkit.tuning.execute import TuneResult

__all__ = ["run"]


def _parser() -> Parser:
    parser = Parser("tune", "Search for good settings, then train with them.", add_help=False)
    parser.add_settings(
        "a setting of the runs, kept fixed; search.KEY=... says what to search; tune.KEY=..."
    )
    parser.add_argument("--trials", metavar="N", help="trainings in the search (default: 20)")
    parser.add_argument("--minutes", metavar="M", help="stop searching after this much time")
    parser.add_argument("--jobs", metavar="J", help="trials at a time on this machine (default: 1)")
    parser.add_argument(
        "--objectives", metavar="LIST", help="loss, esr, cost; several, as esr,cost, give a front"
    )
    parser.add_argument(
        "--resume", type=Path, metavar="STUDY", help="go on with the search in this folder"
    )
    parser.add_argument(
        "--worker",
        action="store_true",
        help="only run trials of the study in storage=..., for as long as it needs some",
    )
    parser.add_argument("--index", type=int, help="number of this worker; chosen if left out")
    parser.add_json()
    parser.add_listing_help("list the settings of a search, and what it would try")
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run the command; 130 if the user ended it with Ctrl-C."""
    parser = _parser()
    parsed = parser.read(arguments)
    if parsed.help:
        _help(parser, parsed)
        return 0
    from fxkit import api

    given = _given(parsed)
    shown = progress_for(parsed.json)
    if parsed.worker:
        stopped = api.tune_worker(
            config=parsed.config, resume=parsed.resume, index=parsed.index, progress=shown, **given
        )
        if not parsed.json:
            console().print(stopped, markup=False)
        return 0
    if parsed.index is not None:
        raise FxkitError("--index is for --worker")
    result = api.tune(config=parsed.config, resume=parsed.resume, progress=shown, **given)
    if parsed.json:
        show_json(result.to_plain())
    else:
        _show(result)
    return 130 if result.interrupted else 0


def _given(parsed: argparse.Namespace) -> dict[str, Any]:
    values = settings(parsed.settings)
    for name in ("trials", "minutes", "jobs", "objectives"):
        if (value := getattr(parsed, name)) is not None:
            values[f"tune.{name}"] = value
    return values


def _show(result: TuneResult) -> None:
    from rich.table import Table

    out = console()
    ended = [r for r in result.trials if r.state in ("complete", "pruned")]
    pruned = sum(r.state == "pruned" for r in ended)
    out.print(f"{len(ended)} trials, {pruned} of them pruned: {result.stopped}", markup=False)
    out.print()
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("trial", justify="right")
    keys = list(result.best.params)
    for key in keys:
        table.add_column(key.partition(".")[2], justify="right")
    for name in result.objectives:
        table.add_column({"cost": "us a block"}.get(name, name), justify="right")
    for record in result.front:
        table.add_row(
            str(record.number),
            *(_short(record.params[key]) for key in keys),
            *(number(value) for value in record.values),
        )
    out.print(table)
    out.print()
    if result.run is not None:
        score = number(result.run.evaluation.scores.esr)
        out.print(f"final training: ESR {score} on the held-out part", markup=False)
        out.print(f"model   {result.run.model_path}", markup=False, soft_wrap=True)
    if len(result.recipes) == 1:
        out.print(f"recipe  {next(iter(result.recipes.values()))}", markup=False, soft_wrap=True)
    else:
        out.print(
            f"recipes {result.directory / 'front'}: pick one, fxkit run recipe=FILE trains it",
            markup=False,
            soft_wrap=True,
        )
    out.print(f"report  {result.report_path}", markup=False, soft_wrap=True)


def _short(value: Any) -> str:
    return number(value, 3) if isinstance(value, float) else str(value)


def _help(parser: Parser, parsed: argparse.Namespace) -> None:
    """Print usage, the settings of a search, and what is searched for the chosen model."""
    from rich.markup import escape
    from rich.table import Table

    from fxkit import tuning
    from fxkit.config import describe, parse

    out = console()
    out.print(parser.format_help().rstrip(), markup=False, highlight=False)
    out.print("\n[bold]tune[/bold]")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for info in describe(tuning.TuneConfig, "tune"):
        default = ",".join(info.default) if isinstance(info.default, tuple) else info.default
        table.add_row(
            f"[cyan]{info.key}[/cyan]",
            escape(f"{default} {info.unit}".strip()),
            escape(f"{info.help} [{info.takes}]" if info.takes != "text" else info.help),
        )
    out.print(table)
    search = tuning.resolve({**parse(parsed.settings, parsed.config)})
    out.print(f"\n[bold]searched for model={search.settings.model}[/bold]")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for key, dimension in search.space.items():
        table.add_row(f"[cyan]search.{key}[/cyan]", escape(str(dimension)))
    out.print(table)
    out.print("\nfxkit run --help lists every setting of a run; one that is given is not searched.")
