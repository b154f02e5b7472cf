"""Fill the clean part of docs/results.md: take the distortion off real guitar, and measure.

Four studies, each made of cells; a cell is one training, and what it measured is kept as one JSON
file under docs/results/clean/, so that the tables can be filled over several sittings. A cell that
is there is not trained again: delete its file to repeat it. A training that was cut short goes on
where it was, unless an amplifier was trained for it first: then it begins anew.

- ``amp``: light, medium and heavy of a JCM800 to clean, by gru, nn-gru and demucs, at equal time;
- ``clip``: the same guitar, hard clipped after 20, 30, 40 and 50 dB of gain, to clean, by demucs;
- ``part``: demucs on heavy with one thing changed at a time, to see what each is worth;
- ``estimate``: nn-gru from clean to heavy, trained on the true dry side, and on one that the demucs
  of the first study has estimated (``fxkit bootstrap``).

Run ``python tools/results_clean.py --data DIR``; ``--only PATTERN`` chooses cells by name.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from results import KEPT, ROOT

CLEAN = KEPT / "clean"
RUNS = ROOT / "runs" / "results-clean"
"""Runs and made recordings; not kept in the repository."""

LEVELS = ("light", "medium", "heavy")
MODELS = ("gru", "nn-gru", "demucs")
GAINS = (20, 30, 40, 50)

PLAIN: dict[str, Any] = {"task.gain": 0.0, "task.polarity": False}
FIRST_SHIPPED: dict[str, Any] = {"task.gain": 3.0, "task.polarity": True}
"""What `demucs` shipped with when the first cells were trained. ``part-no-variety`` has shown that
it costs 1.8 dB on heavy; the studies ``part`` and ``clip`` still have it, so that their cells
compare."""

PARTS: dict[str, dict[str, Any]] = {
    "as-first-shipped": {},
    "no-variety": PLAIN,
    "no-variety-loss-esr-mrstft": PLAIN | {"loss": "esr+0.1*mrstft"},
    "no-variety-no-attention": PLAIN | {"model.transformer_layers": 0},
    "no-gain": {"task.gain": 0.0},
    "no-polarity": {"task.polarity": False},
    "speed-half-a-semitone": {"task.speed": 0.5},
    "speed-two-semitones": {"task.speed": 2.0},
    "no-mean-of-weights": {"train.ema": 0.0},
    "no-weight-decay": {"train.weight_decay": 0.0},
    "much-weight-decay": {"train.weight_decay": 0.1},
    "loss-l1-mrstft": {"loss": "l1+0.1*mrstft"},
    "loss-esr-mrstft": {"loss": "esr+0.1*mrstft"},
    "no-attention": {"model.transformer_layers": 0},
    "no-memory": {"model.gru_layers": 0},
    "neither": {"model.transformer_layers": 0, "model.gru_layers": 0},
    "window-0.37": {"model.window": 0.375},
    "window-1.5": {"model.window": 1.5, "train.batch": 2},
    "overlap-half": {"model.overlap": 0.5},
    "stride-8": {"model.time_stride": 8, "model.time_depth": 2},
    "recurrent-levels": {
        "model.time_stride": 8,
        "model.time_depth": 2,
        "model.time_gru": 48,
        "train.batch": 8,
        "train.lr": 4e-3,
    },
    "n_fft-2048": {"model.n_fft": 2048, "model.hop_length": 512},
    "wider": {"model.channels": 32},
    "narrow-and-deep": {"model.channels": 16, "model.growth": 2.0},
    "lr-half": {"train.lr": 1e-3},
    "lr-double": {"train.lr": 4e-3},
    "batch-double": {"train.batch": 4},
    "batch-8": {"train.batch": 8, "train.lr": 4e-3},
}
"""Name to what is different from `FIRST_SHIPPED`."""

AMPLIFIER = 1 / 6
"""Share of the minutes of a cell with an amplifier that its model of the amplifier learns in."""
AMPLIFIED_PARTS: dict[str, dict[str, Any]] = {
    "amplifier": {},
    "amplifier-no-variety": PLAIN,
    "amplifier-all": {"task.amplified": 1.0},
    "amplifier-quarter": {"task.amplified": 0.25},
    "amplifier-no-mix": {"task.amplified_mix": 0.0},
    "amplifier-no-speed": {"task.amplified_speed": 0.0},
    "amplifier-no-gain": {"task.amplified_gain": 0.0},
    "amplifier-no-tilt": {"task.amplified_tilt": 0.0},
}
"""The same, with pairs that a model of the amplifier makes."""


@dataclass(frozen=True)
class Cell:
    """One training."""

    study: str
    name: str
    model: str
    minutes: float
    settings: Callable[[Path], dict[str, Any]]
    """Folder of the recordings -> settings; makes what recordings it needs on the way."""
    about: dict[str, Any] = field(default_factory=dict)
    needs: str = ""
    """The cell whose model it starts from."""
    amplifier: float = 0.0
    """The share of its minutes in which a model of the amplifier is trained first, to make pairs
    for the model of the cell."""

    @property
    def stem(self) -> str:
        """Name of its file and of its run."""
        return f"{self.study}-{self.name}"


def cells() -> list[Cell]:
    """Return every cell, those that say most first."""
    found = [
        Cell(
            "amp",
            f"{level}-{model}",
            model,
            30.0 if level == "heavy" else 10.0,
            lambda data, level=level: amp(data, level),
            {"level": level},
        )
        for level in ("heavy", "light", "medium")
        for model in ("demucs", "nn-gru", "gru")
    ]
    found += [
        Cell(
            "clip",
            f"{gain}",
            "demucs",
            10.0,
            lambda data, gain=gain: clip(data, gain) | FIRST_SHIPPED,
            {"gain": gain},
        )
        for gain in GAINS
    ]
    found += [
        Cell(
            "estimate",
            side,
            "nn-gru",
            10.0,
            lambda data, side=side: estimate(data, side),
            {"side": side},
            "amp-heavy-demucs" if side == "estimated" else "",
        )
        for side in ("true", "estimated")
    ]
    found += [
        Cell(
            "part",
            name,
            "demucs",
            10.0,
            lambda data, changed=changed: amp(data, "heavy") | FIRST_SHIPPED | changed,
            {"changed": changed},
            amplifier=share,
        )
        for parts, share in ((PARTS, 0.0), (AMPLIFIED_PARTS, AMPLIFIER))
        for name, changed in parts.items()
    ]
    return found


def amp(data: Path, level: str) -> dict[str, Any]:
    """Return the settings that take the amplifier off."""
    return {
        "task": "clean",
        "data.clean": str(data / "clean.flac"),
        "data.wet": str(data / f"{level}.flac"),
    }


def clip(data: Path, gain: int) -> dict[str, Any]:
    """Clip the dry guitar hard: `gain` dB above a peak of full scale, cut at full scale."""
    import numpy as np
    import soundfile

    dry, rate = soundfile.read(data / "clean.flac", dtype="float64")
    wet = RUNS / f"clip-{gain}.wav"
    wet.parent.mkdir(parents=True, exist_ok=True)
    raised = dry / np.abs(dry).max() * 10 ** (gain / 20)
    soundfile.write(wet, np.clip(raised, -1.0, 1.0), rate, subtype="FLOAT")
    return {
        "task": "clean",
        "data.clean": str(data / "clean.flac"),
        "data.wet": str(wet),
        # Made sample on sample.
        "data.align": "off",
    }


def estimate(data: Path, side: str) -> dict[str, Any]:
    """Make a data set whose training part has a true or an estimated dry side.

    Both have the same true recordings to validate and score with: the same last tenths.
    """
    import soundfile
    import yaml

    import fxkit

    folder = RUNS / "estimate"
    true = folder / "true"
    shutil.rmtree(folder / side, ignore_errors=True)
    true.mkdir(parents=True, exist_ok=True)
    for name in ("clean", "heavy"):
        x, rate = soundfile.read(data / f"{name}.flac", dtype="float32")
        tenth = round(0.1 * len(x))
        guard = round(0.5 * rate)
        parts = {
            "train": x[: len(x) - 2 * tenth - 2 * guard],
            "validation": x[len(x) - 2 * tenth - guard : len(x) - tenth - guard],
            "test": x[len(x) - tenth :],
        }
        for part, samples in parts.items():
            soundfile.write(true / f"{part}-{name}.wav", samples, rate, subtype="FLOAT")
    pairs = [
        {
            "clean": f"{part}-clean.wav",
            "wet": f"{part}-heavy.wav",
            "name": part,
            "split": part,
            # What the alignment finds of the whole recording; of a part it may find another.
            "align": 5,
        }
        for part in ("train", "validation", "test")
    ]
    (true / "dataset.yaml").write_text(yaml.safe_dump({"pairs": pairs}))
    (true / "held-out.yaml").write_text(yaml.safe_dump({"pairs": pairs[1:]}))
    if side == "estimated":
        fxkit.bootstrap(
            true / "train-heavy.wav",
            folder / side,
            model=RUNS / "amp-heavy-demucs",
            true=true / "held-out.yaml",
        )
    reference = RUNS / "estimate-true"
    settings = {"task": "distort", "data.path": str(folder / side)}
    if side == "estimated" and reference.exists():
        settings["run.reference"] = str(reference)
    return settings


def train_amplifier(
    cell: Cell, settings: dict[str, Any], minutes: float, threads: int
) -> tuple[Path, dict[str, Any]]:
    """Train a model of the amplifier on the recordings of a cell: its folder, what it measured."""
    import fxkit

    directory = RUNS / f"{cell.stem}-amplifier"
    shutil.rmtree(directory, ignore_errors=True)
    run = fxkit.run(
        **{key: value for key, value in settings.items() if key.startswith("data.")},
        task="distort",
        model="nn-gru",
        **{
            "train.minutes": minutes,
            "train.threads": threads,
            "run.dir": str(directory),
            "run.name": directory.name,
        },
    )
    about = {"minutes": minutes, "epochs": len(run.history), "esr": run.evaluation.scores.esr}
    return directory, about


def train(cell: Cell, data: Path, minutes: float, threads: int) -> dict[str, Any]:
    """Train one cell and return what it measured."""
    import torch
    from fxkit.machine import processor

    import fxkit

    if cell.needs and not (RUNS / cell.needs / "model.fxkit").exists():
        raise SystemExit(f"{cell.stem} starts from the model of {cell.needs}: train that first")
    directory = RUNS / cell.stem
    started, cpu = time.monotonic(), time.process_time()
    about = dict(cell.about)
    begun = (directory / "checkpoints" / "last.safetensors").exists()
    cut_short = begun and not (directory / "model.fxkit").exists() and not cell.amplifier
    if cut_short:
        run = fxkit.run(resume=str(directory))
    else:
        settings = cell.settings(data)
        shutil.rmtree(directory, ignore_errors=True)
        if cell.amplifier:
            amplifier, about["amplifier"] = train_amplifier(
                cell, settings, cell.amplifier * minutes, threads
            )
            settings = settings | {"task.amplifier": str(amplifier)}
        run = fxkit.run(
            **settings,
            model=cell.model,
            **{
                # What the amplifier's model took of the time counts.
                "train.minutes": (1.0 - cell.amplifier) * minutes,
                "train.threads": threads,
                "run.dir": str(directory),
                "run.name": cell.stem,
            },
        )
    used, wall = time.process_time() - cpu, time.monotonic() - started
    return {
        "study": cell.study,
        "name": cell.name,
        "model": cell.model,
        **about,
        "minutes": minutes,
        "threads": torch.get_num_threads(),
        "epochs": len(run.history),
        "best_epoch": run.best_epoch,
        # Of earlier sittings nobody knows.
        "cores_used": None if cut_short else round(used / wall, 2),
        "parameters": run.parameters,
        "history": [[e.number, round(e.seconds), e.loss, e.validation_loss] for e in run.history],
        "evaluation": run.evaluation.to_plain(),
        "realtime": run.realtime.to_plain(),
        "machine": processor(),
        "torch": torch.__version__,
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
    }


def main() -> int:
    """Train what is missing, cell by cell, and rewrite the page after each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, required=True, help="clean, light, medium, heavy .flac"
    )
    parser.add_argument("--minutes", type=float, help="training time of a cell, instead of its own")
    parser.add_argument("--threads", type=int, default=0, help="threads of a training; 0 for all")
    parser.add_argument("--only", default="", help="only cells whose name this expression finds")
    parser.add_argument("--list", action="store_true", help="list the cells and train nothing")
    parser.add_argument(
        "--try",
        type=Path,
        metavar="DIR",
        dest="trial",
        help="keep results in DIR instead, and leave the page alone",
    )
    arguments = parser.parse_args()
    folder: Path = arguments.trial or CLEAN
    if not (arguments.data / "clean.flac").exists():
        print(f"{arguments.data}: no clean.flac there", file=sys.stderr)
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [cell for cell in cells() if re.search(arguments.only, cell.stem)]
    missing = {cell.stem for cell in wanted if not (folder / f"{cell.stem}.json").exists()}
    # Runs are not in the repository: the model that a missing cell starts from may have to be made.
    missing |= {
        cell.needs
        for cell in wanted
        if cell.stem in missing and cell.needs and not (RUNS / cell.needs / "model.fxkit").exists()
    }
    for cell in wanted:
        path = folder / f"{cell.stem}.json"
        minutes = cell.minutes if arguments.minutes is None else arguments.minutes
        state = f"{minutes:g} minutes" if cell.stem in missing else "done"
        print(f"{cell.stem}: {state}", flush=True)
        if arguments.list or cell.stem not in missing:
            continue
        path.write_text(json.dumps(train(cell, arguments.data, minutes, arguments.threads)) + "\n")
        if arguments.trial is None:
            from results import write_page

            write_page()
    if arguments.trial is not None:
        from clean_page import part

        print("\n".join(part(folder)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
