"""How long a model takes to a given error on real guitar: the fused kernels against PyTorch.

Each training is a process of its own, with the same seed and settings, so that both back ends walk
through the same numbers up to rounding. It ends after the first epoch whose validation ESR is at
most the goal. The two take turns, so that whatever else the machine does hits both alike; every
round has a seed of its own.

    python benchmarks/time_to_esr.py --data DIR --out build/time-to-esr
    python benchmarks/time_to_esr.py --data DIR --model nn-gru --goals light=0.001 heavy=0.04 \
        --backends fused --rounds 3 --out build/time-to-esr-nn-gru
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from fxkit.machine import processor
from rich.console import Console

GOALS = ("light=0.01", "heavy=0.08")
BACKENDS = {"fused": "", "pytorch": "off"}
"""Name to what FXKIT_KERNELS has to be."""
HEADS = {"fused": "fused", "pytorch": "PyTorch"}


def train(data: Path, level: str, goal: float, model: str, seed: int, epochs: int) -> None:
    """Train until the goal is reached, and print what happened as JSON."""
    import fxkit.data
    import torch
    from fxkit.config import build_loss, resolve
    from fxkit.pipeline import make_model
    from fxkit.progress import SilentProgress
    from fxkit.registry import TASKS
    from fxkit.train import Epoch, Pruned, train

    values = {"data.clean": str(data / "clean.flac"), "data.wet": str(data / f"{level}.flac")}
    settings = resolve(
        {
            "task": "distort",
            "model": model,
            **values,
            "train.minutes": 0,
            "train.epochs": epochs,
            "run.seed": seed,
        }
    )
    torch.manual_seed(seed)
    progress = SilentProgress()
    dataset = fxkit.data.load(settings.data, progress)
    split = fxkit.data.split(dataset, settings.data)
    task = TASKS.get(settings.task)(settings.task_config)

    def look(epoch: Epoch) -> None:
        print(
            f"{level} {model}: {epoch.seconds:.1f} s, validation ESR {epoch.validation_loss:.5f}",
            file=sys.stderr,
            flush=True,
        )
        if epoch.validation_loss <= goal:
            raise Pruned("there")

    with tempfile.TemporaryDirectory() as scratch:
        result = train(
            make_model(settings, task, dataset, split),
            build_loss(settings, dataset.sample_rate),
            split,
            task,
            settings.train,
            device=torch.device("cpu"),
            directory=Path(scratch),
            progress=progress,
            seed=seed,
            on_epoch=look,
        )
    last = result.history[-1]
    found = {
        "seconds": last.seconds,
        "epochs": last.number,
        "validation_esr": last.validation_loss,
        "reached": last.validation_loss <= goal,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    print(json.dumps(found))


def start(
    arguments: argparse.Namespace, level: str, goal: float, backend: str, seed: int
) -> dict[str, Any]:
    """Run one training in a process of its own."""
    command = [sys.executable, __file__, "--data", str(arguments.data), "--one", level]
    command += ["--goal", str(goal), "--model", arguments.model, "--seed", str(seed)]
    command += ["--epochs", str(arguments.epochs)]
    environment = os.environ | {"FXKIT_KERNELS": BACKENDS[backend]}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    about = {"level": level, "goal": goal, "backend": backend, "seed": seed}
    return found | about | {"model": arguments.model}


def table(found: list[dict[str, Any]]) -> str:
    """Lay the results out in Markdown: the median over the rounds, the range in brackets."""
    asked = [backend for backend in BACKENDS if any(r["backend"] == backend for r in found)]
    heads = ["recording", "validation ESR", "epochs", *(HEADS[backend] for backend in asked)]
    if len(asked) > 1:
        heads.append("faster")
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for level, goal in dict.fromkeys((row["level"], row["goal"]) for row in found):
        rows = [row for row in found if row["level"] == level]
        times = {b: [r["seconds"] for r in rows if r["backend"] == b] for b in asked}
        cells = [
            f"{statistics.median(t):.1f} s ({min(t):.1f} to {max(t):.1f})" for t in times.values()
        ]
        if len(asked) > 1:
            middle = {backend: statistics.median(t) for backend, t in times.items()}
            cells.append(f"{middle['pytorch'] / middle['fused']:.1f} times")
        epochs = "/".join(map(str, sorted({row["epochs"] for row in rows})))
        note = "" if all(row["reached"] for row in rows) else " (not reached)"
        lines.append(f"| {level} | {goal:g}{note} | {epochs} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def goals(texts: list[str]) -> list[tuple[str, float]]:
    """Read ``level=ESR`` of the command line."""
    return [(level, float(goal)) for level, _, goal in (text.partition("=") for text in texts)]


def main() -> int:
    """Train both back ends in turn and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="clean, light and heavy .flac")
    parser.add_argument("--out", type=Path, help="write OUT.json and OUT.md")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--model", default="gru")
    parser.add_argument("--goals", nargs="+", default=list(GOALS), help="recording=ESR, each")
    parser.add_argument("--backends", nargs="+", default=list(BACKENDS), choices=list(BACKENDS))
    parser.add_argument("--seed", type=int, default=0, help="of the first round")
    parser.add_argument("--epochs", type=int, default=60, help="give up after so many")
    parser.add_argument("--one", default="", help=argparse.SUPPRESS)
    parser.add_argument("--goal", type=float, default=0.0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if not (asked.data / "heavy.flac").exists():
        print(f"{asked.data}: no heavy.flac there; say where with --data", file=sys.stderr)
        return 2
    if asked.one:
        train(asked.data, asked.one, asked.goal, asked.model, asked.seed, asked.epochs)
        return 0
    found = [
        start(asked, level, goal, backend, asked.seed + number)
        for number in range(asked.rounds)
        for level, goal in goals(asked.goals)
        for backend in asked.backends
    ]
    text = table(found)
    Console().print(text, markup=False)
    if asked.out is not None:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.with_suffix(".md").write_text(text)
        record = {"machine": processor(), "results": found}
        asked.out.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
