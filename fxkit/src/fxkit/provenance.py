"""What a run writes into its model file: where the model comes from and how good it is."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from fxkit.config import Settings
from fxkit.data import Dataset, Segment, Split
from fxkit.machine import processor
from fxkit.manifest import Control, Level, Manifest
from fxkit.report.loudness import loudness
from fxkit.scores import Evaluation
from fxkit.task import Side, Task
from fxkit.train import TrainResult

__all__ = ["describe", "environment", "level"]

HEARD_SECONDS = 120
"""At most this much of a recording is heard to measure its level."""


def environment(seed: int) -> dict[str, str]:
    """Return what else is needed to do a run again: versions, machine, seed."""
    return {
        "seed": str(seed),
        "fxkit": version("fxkit"),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "processor threads": str(torch.get_num_threads()),
    }


def level(segments: Sequence[Segment], side: Side, sample_rate: int) -> Level:
    """Measure how loud one side of the recordings is.

    At most `HEARD_SECONDS` are heard, from the start of each segment in turn, so that it takes no
    longer for a data set of many hours.
    """
    share = HEARD_SECONDS * sample_rate // len(segments)
    heard = np.concatenate(
        [s.take.side(side).read(s.start, min(s.stop, s.start + share)) for s in segments]
    )
    rms = float(np.sqrt(np.mean(np.square(heard, dtype=np.float64))))
    return Level(
        rms=rms,
        peak=float(np.max(np.abs(heard))),
        loudness=loudness(heard, sample_rate) if rms > 0 else None,
    )


def describe(
    settings: Settings,
    dataset: Dataset,
    split: Split,
    task: Task,
    trained: TrainResult,
    measured: Evaluation,
) -> Manifest:
    """Return the manifest of a freshly trained model."""
    run, last = settings.run, trained.history[-1]
    rate = dataset.sample_rate
    return Manifest(
        name=run.name or _name(settings, dataset),
        model=settings.model,
        task=settings.task,
        controls=tuple(Control(name) for name in dataset.control_names),
        input=level(split.train, task.input, rate),
        output=level(split.train, task.target, rate),
        gear=run.gear,
        author=run.author,
        licence=run.licence,
        created=datetime.now(tz=UTC).isoformat(timespec="seconds"),
        training={
            "data": dataset.description,
            "findings": list(dataset.findings),
            "settings": settings.to_plain(),
            "environment": {**environment(run.seed)},
            "epochs": last.number,
            "best_epoch": trained.best_epoch,
            "seconds": round(last.seconds, 1),
            "stopped": trained.stopped,
        },
        metrics={
            "scores": measured.scores.to_plain(),
            "baseline": measured.baseline.to_plain(),
            "seconds": measured.seconds,
        },
    )


def _name(settings: Settings, dataset: Dataset) -> str:
    """Make a name from the recordings: 'heavy (nn-gru)', or 'built-in heavy, cleaned (gru)'."""
    config = settings.data
    what = Path(config.wet or config.path or f"built-in {config.level}").stem
    ending = ", cleaned" if settings.task == "clean" else ""
    return f"{what}{ending} ({settings.model})"
