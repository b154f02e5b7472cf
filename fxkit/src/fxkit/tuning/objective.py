"""One trial: train with the values that the sampler suggests, and say how good it is."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from optuna.exceptions import TrialPruned
from optuna.trial import Trial
from torch import Tensor

from fxkit import realtime
from fxkit.config import Settings, build_loss, to_plain
from fxkit.data import Dataset, Split
from fxkit.device import pick_device
from fxkit.errors import FxkitError
from fxkit.model import Model
from fxkit.pipeline import make_model
from fxkit.progress import SilentProgress
from fxkit.registry import TASKS
from fxkit.search import Choice, Dimension
from fxkit.task import Task
from fxkit.train import DivergedError, Epoch, Pruned, TrainResult, train
from fxkit.tuning.settings import Search
from fxkit.tuning.worker import OutOfTimeError
from fxkit.validate import Validation

__all__ = ["Objective", "identity", "suggest"]

BLOCK = 512
"""Samples in the block whose time is the cost: the 11.6 ms of the real-time check."""


def suggest(trial: Trial, space: dict[str, Dimension]) -> dict[str, Any]:
    """Ask for a value of everything that is searched."""
    values: dict[str, Any] = {}
    for key, dim in space.items():
        if isinstance(dim, Choice):
            values[key] = trial.suggest_categorical(key, dim.values)
        elif dim.whole:
            step = 1 if dim.step is None else int(dim.step)
            values[key] = trial.suggest_int(
                key, int(dim.low), int(dim.high), log=dim.log, step=step
            )
        else:
            values[key] = trial.suggest_float(key, dim.low, dim.high, log=dim.log, step=dim.step)
    return values


class Objective:
    """Trains one trial after the other on the same recordings.

    Parameters
    ----------
    search
        What is searched, and the settings of the runs.
    dataset, split
        The recordings.
    folder
        Where the checkpoints of a trial lie while it runs.
    out_of_time
        Asked after each epoch: whether the search has to end now.
    on_epoch
        Told after each epoch, for a display.
    """

    def __init__(
        self,
        search: Search,
        dataset: Dataset,
        split: Split,
        folder: Path,
        *,
        out_of_time: Callable[[], bool] = lambda: False,
        on_epoch: Callable[[int, Epoch], None] = lambda number, epoch: None,
    ) -> None:
        self.search = search
        self.dataset, self.split = dataset, split
        self.folder = folder
        self.out_of_time = out_of_time
        self.on_epoch = on_epoch
        self.task: Task = TASKS.get(search.settings.task)(search.settings.task_config)
        self.device = pick_device(search.settings.run.device)

    def __call__(self, trial: Trial) -> tuple[float, ...]:
        """Run one trial and return its objectives.

        Raises
        ------
        TrialPruned
            If it is worse than half the others, diverges, or cannot be trained with these values.
        OutOfTimeError
            If the time of the search is up.
        KeyboardInterrupt
            If the user stops it.
        """
        settings = self.search.with_values(suggest(trial, self.search.space))
        try:
            return self._run(trial, settings)
        except DivergedError:
            trial.set_user_attr("note", "the loss was no longer a finite number")
        except (MemoryError, torch.OutOfMemoryError):
            trial.set_user_attr("note", "not enough memory")
        except FxkitError as error:
            # The recordings are known to be good: these values do not fit them, or each other.
            trial.set_user_attr("note", str(error))
        raise TrialPruned

    def _run(self, trial: Trial, settings: Settings) -> tuple[float, ...]:
        torch.manual_seed(settings.run.seed)
        model = make_model(settings, self.task, self.dataset, self.split)
        several = len(self.search.tune.objectives) > 1
        curve: list[tuple[int, float]] = []
        ended: list[BaseException] = []

        def watch(epoch: Epoch) -> None:
            curve.append((epoch.number, epoch.validation_loss))
            if not several:
                trial.report(epoch.validation_loss, epoch.number)
            self.on_epoch(trial.number, epoch)
            last = epoch.number >= settings.train.epochs
            if self.out_of_time() and not last:
                ended.append(OutOfTimeError())
            elif not several and trial.should_prune():
                trial.set_user_attr("note", "the median of the others was better")
                ended.append(TrialPruned())
            if ended:
                raise Pruned

        with tempfile.TemporaryDirectory(dir=self.folder, prefix="trial-") as scratch:
            result = train(
                model,
                build_loss(settings, self.dataset.sample_rate),
                self.split,
                self.task,
                settings.train,
                device=self.device,
                directory=Path(scratch),
                progress=SilentProgress(),
                seed=settings.run.seed,
                on_epoch=watch,
            )
        if result.interrupted:
            raise KeyboardInterrupt
        if ended:
            raise ended[0]
        if several:
            trial.set_user_attr("curve", curve)
        return self._measure(trial, settings, model, result)

    def _measure(
        self, trial: Trial, settings: Settings, model: Model, result: TrainResult
    ) -> tuple[float, ...]:
        esr = self._esr(model, settings)
        trial.set_user_attr("esr", esr)
        trial.set_user_attr("best_epoch", result.best_epoch)
        known = {
            "loss": lambda: result.history[result.best_epoch - 1].validation_loss,
            "esr": lambda: esr,
            "cost": lambda: self._cost(trial, settings, model),
        }
        return tuple(known[name]() for name in self.search.tune.objectives)

    def _esr(self, model: Model, settings: Settings) -> float:
        """Return the ESR of what is heard of the validation part after each epoch."""
        validation = Validation(
            model, self.split.validation, self.task, settings.train.validation_seconds
        )
        estimate = validation.estimate(model, self.device).cpu().double()
        target: Tensor = validation.target.double()
        return float((estimate - target).square().sum() / target.square().sum().clamp_min(1e-12))

    def _cost(self, trial: Trial, settings: Settings, model: Model) -> float:
        """Return the time of a block, measured once for each set of the model's settings.

        A second measurement would differ by chance, and put models that cost the same at different
        places of the Pareto front.
        """
        plain = to_plain(settings.model_config)
        for other in trial.study.get_trials(deepcopy=False):
            if other.user_attrs.get("model") == plain and "block_us" in other.user_attrs:
                known = float(other.user_attrs["block_us"])
                break
        else:
            known = realtime.measure(model.cpu(), block=BLOCK, seconds=0.5).median_us
        trial.set_user_attr("model", plain)
        trial.set_user_attr("block_us", known)
        return known


def identity(search: Search, dataset: Dataset, split: Split) -> dict[str, Any]:
    """Return what a study is about: equal for all whose trials can be compared."""
    kept = search.settings.to_plain()
    # Where things lie, and who does them, may differ from machine to machine.
    for key in list(kept):
        path = key in ("data.path", "data.clean", "data.wet")
        if path or key.startswith("run.") or key in ("train.threads", "train.epochs"):
            del kept[key]
    frames = sum(segment.frames for segment in (*split.train, *split.validation))
    return {
        "task": search.settings.task,
        "model": search.settings.model,
        "objectives": list(search.tune.objectives),
        "epochs": search.tune.epochs,
        "data": f"{dataset.description}, {frames} samples at {dataset.sample_rate} Hz",
        "searched": {key: str(dimension) for key, dimension in search.space.items()},
        **{k: v for k, v in kept.items() if k not in search.space},
        "seed": search.settings.run.seed,
    }
