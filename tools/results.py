"""Fill docs/results.md: train the shipped models on real guitar and write down what came out.

Each cell of the table is one `fxkit run`; what it measured is kept as one JSON file under
docs/results/, so that the table can be filled over several sittings. A cell that is there is not
trained again: delete its file to repeat it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs" / "results"
PAGE = ROOT / "docs" / "results.md"

LEVELS = ("light", "medium", "heavy")
MODELS = ("gru", "lstm", "nn-gru")
SEEDS = {("nn-gru", "heavy"): (0, 1, 2)}
"""Cells trained three times, to show how much of a difference is chance."""


@dataclass(frozen=True)
class Cell:
    """One training of the table."""

    task: str
    level: str
    model: str
    seed: int

    @property
    def path(self) -> Path:
        """Where what it measured is kept."""
        return KEPT / f"{self.task}-{self.level}-{self.model}-{self.seed}.json"


def cells() -> list[Cell]:
    """Return every cell, those that say most first."""
    first = [
        Cell("distort", level, model, 0)
        for level in ("heavy", "light", "medium")
        for model in ("nn-gru", "gru", "lstm")
    ]
    again = [
        Cell("distort", level, model, seed)
        for (model, level), seeds in SEEDS.items()
        for seed in seeds
        if seed
    ]
    return first + again


def train(cell: Cell, data: Path, minutes: float, threads: int) -> dict[str, Any]:
    """Train one cell and return what it measured."""
    import torch
    from fxkit.machine import processor

    import fxkit

    started, cpu = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory() as scratch:
        run = fxkit.run(
            task=cell.task,
            model=cell.model,
            **{
                "data.clean": str(data / "clean.flac"),
                "data.wet": str(data / f"{cell.level}.flac"),
                "train.minutes": minutes,
                "train.threads": threads,
                "run.seed": cell.seed,
                "run.dir": str(Path(scratch) / "run"),
            },
        )
        used, wall = time.process_time() - cpu, time.monotonic() - started
        kept = ROOT / "runs" / "results" / cell.path.stem
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(run.directory, kept)
        epochs = [e.number for e in run.history]
        return {
            "task": cell.task,
            "level": cell.level,
            "model": cell.model,
            "seed": cell.seed,
            "minutes": minutes,
            "threads": torch.get_num_threads(),
            "epochs": epochs[-1],
            "best_epoch": run.best_epoch,
            "cores_used": round(used / wall, 2),
            "parameters": run.parameters,
            "evaluation": run.evaluation.to_plain(),
            "realtime": run.realtime.to_plain() if run.realtime else None,
            "machine": processor(),
            "torch": torch.__version__,
            "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        }


def prose(folder: Path, name: str = "discussion") -> list[str]:
    """Return what somebody wrote about tables, from NAME.md in their folder; empty if nothing."""
    path = folder / f"{name}.md"
    return [path.read_text().rstrip()] if path.exists() else []


def kept() -> list[dict[str, Any]]:
    """Return what all finished cells measured."""
    return [json.loads(path.read_text()) for path in sorted(KEPT.glob("*.json"))]


def number(value: float | None, digits: int = 5) -> str:
    """Return a number for a table, or a dash."""
    return "-" if value is None else f"{value:.{digits}f}"


def table(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Return the Markdown table of the distort cells."""
    lines = [
        "| level | model | seed | ESR | ESR, pre-emph. | ESR at attacks | MRSTFT | SI-SDR dB "
        "| input as it is: ESR | epochs | threads | cores used |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    order = {name: i for i, name in enumerate((*LEVELS, *MODELS))}
    for row in sorted(rows, key=lambda r: (order[r["level"]], order[r["model"]], r["seed"])):
        scores, baseline = row["evaluation"]["scores"], row["evaluation"]["baseline"]
        lines.append(
            f"| {row['level']} | `{row['model']}` | {row['seed']} | **{number(scores['esr'])}** "
            f"| {number(scores['esr_pre_emphasised'])} | {number(scores['esr_attack'])} "
            f"| {number(scores['mrstft'], 3)} | {number(scores['si_sdr'], 1)} "
            f"| {number(baseline['esr'], 3)} | {row['epochs']} | {row['threads']} "
            f"| {row['cores_used']} |"
        )
    return lines


def spread(rows: list[dict[str, Any]]) -> list[str]:
    """Return one line per cell that was trained with several seeds."""
    lines = []
    for model, level in SEEDS:
        values = [
            r["evaluation"]["scores"]["esr"]
            for r in rows
            if (r["model"], r["level"]) == (model, level)
        ]
        if len(values) > 1:
            lines.append(
                f"`{model}` on {level}, {len(values)} seeds: ESR {min(values):.5f} to "
                f"{max(values):.5f}, median {statistics.median(values):.5f}."
            )
    return lines


def write_page() -> None:
    """Write docs/results.md from the text in docs/results/*.md and the cells that are there."""
    import ablation
    import clean_page
    import study

    rows = kept()
    distort = [r for r in rows if r["task"] == "distort"]
    missing = [c for c in cells() if not c.path.exists()]
    machines = sorted({r["machine"] for r in rows})
    parts = [
        (KEPT / "introduction.md").read_text().rstrip(),
        "",
        *table(distort),
        "",
        *spread(distort),
        "",
        f"Machine: {'; '.join(machines) or 'none yet'}. Measured "
        f"{', '.join(sorted({r['date'] for r in rows})) or 'never'} with torch "
        f"{', '.join(sorted({r['torch'] for r in rows})) or '-'}.",
    ]
    if missing:
        names = ", ".join(f"{c.model} on {c.level} (seed {c.seed})" for c in missing)
        parts += ["", f"Not trained yet: {names}."]
    parts += ["", (KEPT / "discussion.md").read_text().rstrip(), "", *clean_page.part()]
    parts += [*study.part(), *ablation.part()]
    text = "\n".join(parts).rstrip() + "\n"
    # Parts that have nothing to say yet leave no hole.
    PAGE.write_text(re.sub(r"\n{3,}", "\n\n", text))


def main() -> int:
    """Train what is missing, cell by cell, and rewrite the page after each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, required=True, help="clean, light, medium, heavy .flac"
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="training time of a cell")
    parser.add_argument("--threads", type=int, default=0, help="threads of a training; 0 for all")
    parser.add_argument("--only", default="", help="only cells whose name this expression finds")
    parser.add_argument("--page", action="store_true", help="rewrite the page and train nothing")
    arguments = parser.parse_args()
    if not arguments.page:
        if not (arguments.data / "clean.flac").exists():
            print(
                f"{arguments.data}: no clean.flac there; say where with DATA=DIR", file=sys.stderr
            )
            return 2
        for cell in cells():
            if cell.path.exists() or not re.search(arguments.only, cell.path.stem):
                continue
            print(f"{cell.path.stem}: {arguments.minutes:g} minutes", flush=True)
            result = train(cell, arguments.data, arguments.minutes, arguments.threads)
            cell.path.write_text(json.dumps(result, indent=1) + "\n")
            write_page()
    write_page()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
