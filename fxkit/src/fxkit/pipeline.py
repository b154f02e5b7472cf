"""A whole run, from recordings to a model file and a report: each step is one module, called once.

load -> check and align -> split -> train -> evaluate -> model file -> report
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

import fxkit.evaluation as evaluation
from fxkit import artifact, data, distributed, provenance, realtime, reference, report
from fxkit.config import Settings, build_loss, to_plain, to_yaml
from fxkit.data import Dataset, Split
from fxkit.data.amplified import Amplified
from fxkit.device import pick_device, set_threads
from fxkit.distributed import Ranks
from fxkit.errors import FxkitError
from fxkit.evaluation import Evaluation
from fxkit.feed import unheard
from fxkit.files import write_text
from fxkit.model import Model
from fxkit.progress import Progress, SilentProgress
from fxkit.realtime import BlockTime
from fxkit.reference import Reference
from fxkit.registry import MODELS, TASKS
from fxkit.scaled import Scaled
from fxkit.signals import Reminder
from fxkit.task import Task
from fxkit.train import Epoch, TrainResult, train

__all__ = ["RunResult", "check_amplifier", "execute", "make_model"]

UNLIKE = 0.3
"""An amplifier's model with a higher ESR than this on the recordings is most likely another one's
or not in time with them: the user is warned."""


@dataclass(frozen=True)
class RunResult:
    """What a run has made."""

    directory: Path
    model_path: Path
    report_path: Path
    evaluation: Evaluation
    realtime: BlockTime
    history: list[Epoch]
    best_epoch: int
    stopped: str
    """Why the training ended, in plain words."""
    interrupted: bool
    """Whether the user ended it with Ctrl-C; the best model so far was kept."""
    parameters: int
    """Trained numbers in the model."""

    def to_plain(self) -> dict[str, Any]:
        """Return what the run has made as JSON values."""
        return {
            "directory": str(self.directory),
            "model": str(self.model_path),
            "report": str(self.report_path),
            "evaluation": self.evaluation.to_plain(),
            "realtime": self.realtime.to_plain(),
            "epochs": len(self.history),
            "best_epoch": self.best_epoch,
            "stopped": self.stopped,
            "interrupted": self.interrupted,
            "parameters": self.parameters,
        }


def execute(settings: Settings, progress: Progress, *, resume: Path | None = None) -> RunResult:
    """Do a whole run.

    Parameters
    ----------
    settings
        Everything the run needs, resolved.
    resume
        The folder of an earlier run to go on with; its settings are in `settings`.

    Raises
    ------
    FxkitError
        For bad input. Nothing is left behind where the run had not begun to train.
    fxkit.train.DivergedError
        If the loss is no longer finite.
    """
    with distributed.join() as ranks:
        shown = progress if ranks.first else SilentProgress(io.StringIO())
        return _execute(settings, shown, resume, ranks)


def _execute(
    settings: Settings, progress: Progress, resume: Path | None, ranks: Ranks
) -> RunResult:
    if resume is None and ranks.first and settings.run.dir and Path(settings.run.dir).exists():
        raise _taken(settings.run.dir)
    beside = reference.load(Path(settings.run.reference)) if settings.run.reference else None
    torch.manual_seed(settings.run.seed)
    device = ranks.device(pick_device(settings.run.device))
    set_threads(settings.train.threads)
    task: Task = TASKS.get(settings.task)(settings.task_config)
    made = task.amplified  # a model file: what is wrong with it shows before the recordings load
    with ranks.one_first():
        dataset = data.load(settings.data, progress)
    split = data.split(dataset, settings.data)
    if not split.test:
        progress.warn(
            "no recording has both sides as they were played: the model is trained, but not scored"
        )
    if made is not None:
        found = check_amplifier(made, split, progress)
        dataset = replace(dataset, findings=(*dataset.findings, found))
    model = make_model(settings, task, dataset, split)
    if does_nothing := unheard(model, task):
        progress.warn(does_nothing)
    loss = build_loss(settings, dataset.sample_rate)
    opened = _run_directory(settings, resume) if ranks.first else nullcontext(Path())
    with opened as own:
        directory = ranks.tell(own)
        checkpoints = directory / "checkpoints"
        if ranks.first:
            checkpoints.mkdir(exist_ok=True)
            write_text(directory / "settings.yaml", to_yaml(settings))
        trained = train(
            model,
            loss,
            split,
            task,
            settings.train,
            device=device,
            directory=checkpoints,
            progress=progress,
            seed=settings.run.seed,
            resume=resume is not None,
            ranks=ranks,
        )
    result = None
    if ranks.first:
        result = _finish(
            settings, task, dataset, split, model.cpu(), trained, directory, beside, progress
        )
    told = ranks.tell(result)
    assert told is not None
    return told


def make_model(settings: Settings, task: Task, dataset: Dataset, split: Split) -> Scaled:
    """Return the untrained model, between gains that normalise the levels of the training part."""
    inner: Model = MODELS.get(settings.model)(
        settings.model_config,
        sample_rate=dataset.sample_rate,
        controls=len(dataset.control_names),
    )
    return Scaled.from_levels(
        inner,
        input_rms=data.levels(split.train, task.input),
        target_rms=data.levels(split.train, task.target),
    )


def check_amplifier(made: Amplified, split: Split, progress: Progress) -> str:
    """Return which amplifier makes pairs anew, and how well it fits; warn where it does not.

    Raises
    ------
    FxkitError
        It cannot make pairs like these recordings: another rate, or knobs.
    """
    made.check([segment.take for segment in split.train])
    line = f"new pairs are made by {made.amplifier.description}"
    # What a model has estimated says nothing of the amplifier.
    recorded = [segment for segment in split.train if segment.take.estimated is None]
    if not recorded:
        return line
    esr = made.esr(recorded)
    if esr > UNLIKE:
        progress.warn(
            f"task.amplifier does not sound like the recordings: its ESR on them is {esr:.2g}; it "
            "should have been trained on the same ones"
        )
    return f"{line}; its ESR on the training part: {esr:.2g}"


def _finish(
    settings: Settings,
    task: Task,
    dataset: Dataset,
    split: Split,
    model: Scaled,
    trained: TrainResult,
    directory: Path,
    beside: Reference | None,
    progress: Progress,
) -> RunResult:
    """Measure the trained model and write everything that is kept of it."""
    measured = (
        evaluation.evaluate(model, split.test, task=task, progress=progress)
        if split.test
        else evaluation.unscored()
    )
    parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    manifest = provenance.describe(settings, dataset, split, task, trained, measured)
    saved = artifact.save(directory / "model.fxkit", model, manifest)
    if saved.proven < artifact.PROBE_SECONDS / 2:
        progress.warn(
            "rounding alone changes what this model plays: it will not sound exactly alike on "
            "every machine and in every player; another run.seed may do better"
        )
    block_time = _block_time(model, progress)
    write_text(directory / "scores.json", _json(measured.to_plain()))
    write_text(directory / "history.json", _json([asdict(epoch) for epoch in trained.history]))
    report.write(
        directory / "report.html",
        report.ReportData(
            title=manifest.name,
            task=task,
            model={
                "name": settings.model,
                "config": to_plain(settings.model_config),
                "parameters": parameters,
                "sample_rate": dataset.sample_rate,
                "latency": model.latency,
                "loss": settings.loss,
            },
            description=dataset.description,
            findings=dataset.findings,
            evaluation=measured,
            history=trained.history,
            realtime=block_time,
            settings=settings.to_plain(),
            environment=provenance.environment(settings.run.seed),
            stopped=trained.stopped,
            estimated=sum(s.seconds for s in split.train if s.take.estimated is not None),
            reference=beside,
        ),
    )
    return RunResult(
        directory,
        directory / "model.fxkit",
        directory / "report.html",
        measured,
        block_time,
        trained.history,
        trained.best_epoch,
        trained.stopped,
        trained.interrupted,
        parameters,
    )


def _block_time(model: Scaled, progress: Progress) -> BlockTime:
    """How fast it plays; an engine that fails costs a finished training that figure alone."""
    try:
        return realtime.measure(model)
    except FxkitError as error:
        progress.warn(f"{error}; its speed was measured with PyTorch")
        return realtime.measure(model, compiled=False)


@contextmanager
def _run_directory(settings: Settings, resume: Path | None) -> Iterator[Path]:
    """Make the run's folder; take it away again if it ends with nothing worth keeping in it."""
    if resume is not None:
        yield resume
        return
    directory = Path(settings.run.dir) if settings.run.dir else _next_directory(settings)
    made = [p for p in (directory, *directory.parents) if not p.exists()]
    try:
        directory.mkdir(parents=True)
    except FileExistsError:
        raise _taken(directory) from None
    try:
        yield directory
    except BaseException:
        # Of several processes the others end this one when they fail, maybe in the midst of this.
        with Reminder() as reminder, reminder.held():
            if not any((directory / "checkpoints").glob("*.safetensors")):
                shutil.rmtree(directory, ignore_errors=True)
                for parent in made[1:]:
                    parent.rmdir()
        raise


def _taken(directory: Path | str) -> FxkitError:
    return FxkitError(
        f"run.dir={directory}: exists already; choose another, or go on: --resume {directory}"
    )


def _next_directory(settings: Settings) -> Path:
    number = 1
    while (path := Path("runs") / f"{settings.task}-{settings.model}-{number}").exists():
        number += 1
    return path


def _json(values: Any) -> str:
    return json.dumps(values, indent=1, allow_nan=False) + "\n"
