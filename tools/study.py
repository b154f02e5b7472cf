"""The slides' search on real guitar: 20 trials on heavy, beside the defaults and the slides.

The search goes into a folder that is gone on with if it is there, so that it can be done in several
sittings. What was found, the shipped defaults and the slides' values are then trained for the same
time, one after the other, and what they score on the held-out part is kept as one JSON file under
docs/results/study/; a row that is there is not trained again. `part` is what docs/results.md shows.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from pathlib import Path
from typing import Any

import results

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs" / "results" / "study"
STUDY = ROOT / "runs" / "study-heavy"

SLIDES = {
    "model.hidden": 48,
    "model.layers": 1,
    "train.lr": 0.008530468805437319,
    "train.window": 512,
    "train.weight_decay": 1.7451820529925351e-06,
    "train.batch": 32,
}
"""The appendix of the slides: gru, clean to heavily distorted."""


def recordings(data: Path) -> dict[str, Any]:
    """Return the settings of the data."""
    return {"data.clean": str(data / "clean.flac"), "data.wet": str(data / "heavy.flac")}


def search(data: Path, trials: int, epochs: int, jobs: int) -> dict[str, Any]:
    """Do the search, or go on with it; return what it found."""
    import fxkit

    if (STUDY / "study.yaml").exists():
        result = fxkit.tune(resume=STUDY, progress=True, trials=trials, jobs=jobs)
    else:
        result = fxkit.tune(
            task="distort",
            model="gru",
            trials=trials,
            jobs=jobs,
            progress=True,
            **recordings(data),
            **{
                "tune.epochs": epochs,
                # The final training is done here, for the same time as the others.
                "tune.final_epochs": 0,
                "run.dir": str(STUDY),
            },
        )
    if result.interrupted:
        raise KeyboardInterrupt
    ended = [t for t in result.trials if t.state in ("complete", "pruned")]
    return {
        "params": result.best.params,
        "search_esr": result.best.esr,
        "trials": len(ended),
        "pruned": sum(t.state == "pruned" for t in ended),
        "epochs": epochs,
        "minutes": round(sum(t.seconds for t in ended) / 60, 1),
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
    }


def train(name: str, values: dict[str, Any], data: Path, minutes: float) -> dict[str, Any]:
    """Train one row of the table and return what it scored."""
    import torch

    import fxkit

    run = fxkit.run(
        task="distort",
        model="gru",
        progress=True,
        **recordings(data),
        **values,
        **{"train.minutes": minutes, "run.dir": str(_free(ROOT / "runs" / f"study-{name}"))},
    )
    if run.interrupted:
        raise KeyboardInterrupt
    return {
        "name": name,
        "values": values,
        "minutes": minutes,
        "epochs": len(run.history),
        "parameters": run.parameters,
        "evaluation": run.evaluation.to_plain(),
        "realtime": run.realtime.to_plain(),
        "torch": torch.__version__,
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
    }


def _free(path: Path) -> Path:
    """Return a folder that does not exist yet."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free


def kept(name: str) -> dict[str, Any] | None:
    """Return a finished row, or None."""
    path = KEPT / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def keep(name: str, found: dict[str, Any]) -> None:
    """Keep a finished row and rewrite the page."""
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    results.write_page()


def part() -> list[str]:
    """Return this part of docs/results.md; empty before the search is done."""
    found = kept("search")
    rows = {name: kept(name) for name in ("found", "defaults", "slides")}
    if found is None:
        return []
    titles = {
        "found": "what the search found",
        "defaults": "the shipped defaults",
        "slides": "the slides' values",
    }
    values = ", ".join(f"`{key}={_short(value)}`" for key, value in found["params"].items())
    lines = [
        "",
        "## A search on heavy",
        "",
        f"`fxkit tune task=distort model=gru` on heavy: {found['trials']} trials of "
        f"{found['epochs']} epochs, {found['pruned']} of them pruned, {found['minutes']} minutes "
        f"in all. The best had {values} and a validation ESR of {found['search_esr']:.4f}. "
        f"Measured {found['date']}.",
        "",
        "Each row trained for the same time, scored on the held-out part:",
        "",
        "| settings | ESR | ESR, pre-emph. | ESR at attacks | block, us | minutes | epochs |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        if row is None:
            lines.append(f"| {titles[name]} | not trained yet | | | | | |")
            continue
        scores = row["evaluation"]["scores"]
        numbers = [scores["esr"], scores["esr_pre_emphasised"], scores["esr_attack"]]
        cells = " | ".join("-" if n is None else f"{n:.4f}" for n in numbers)
        lines.append(
            f"| {titles[name]} | {cells} | {row['realtime']['median_us']:.0f} "
            f"| {row['minutes']:g} | {row['epochs']} |"
        )
    return [*lines, "", *results.prose(results.KEPT / "study")]


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main() -> int:
    """Search, train, and write the page, as far as it is not done yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of clean and heavy .flac")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=10, help="of a trial (default: 10)")
    parser.add_argument("--jobs", type=int, default=1, help="trials at a time (default: 1)")
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="training time of a row (default: 10)"
    )
    parser.add_argument("--page", action="store_true", help="rewrite the page and train nothing")
    arguments = parser.parse_args()
    if arguments.page:
        results.write_page()
        return 0
    if not (arguments.data / "heavy.flac").exists():
        print(f"{arguments.data}: no heavy.flac there; say where with --data", file=sys.stderr)
        return 2
    try:
        if kept("search") is None:
            counts = arguments.trials, arguments.epochs, arguments.jobs
            keep("search", search(arguments.data, *counts))
        found = kept("search")
        assert found is not None
        for name, values in (("found", found["params"]), ("defaults", {}), ("slides", SLIDES)):
            if kept(name) is None:
                keep(name, train(name, values, arguments.data, arguments.minutes))
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130
    results.write_page()
    return 0


if __name__ == "__main__":
    sys.exit(main())
