"""A whole search: recordings, trials, recipe, final training, report.

load -> split -> study -> trials (by any number of processes) -> recipe -> run -> report
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fxkit import data, feed, pipeline, provenance
from fxkit.config import read_yaml
from fxkit.config import resolve as resolve_run
from fxkit.device import set_threads
from fxkit.errors import FxkitError
from fxkit.files import write_text
from fxkit.pipeline import RunResult
from fxkit.progress import Progress
from fxkit.report import study_page
from fxkit.train import Epoch
from fxkit.tuning.display import Display, display_for
from fxkit.tuning.importance import importances
from fxkit.tuning.jobs import Jobs, helpers, threads_each
from fxkit.tuning.objective import Objective, identity
from fxkit.tuning.recipe import write_recipe
from fxkit.tuning.records import TrialRecord, best, front, records_of
from fxkit.tuning.settings import FILE, Search
from fxkit.tuning.storage import close_storage, open_storage, open_study
from fxkit.tuning.worker import Worker

__all__ = ["TuneResult", "execute", "work"]


@dataclass(frozen=True)
class TuneResult:
    """What a search has made."""

    directory: Path
    objectives: tuple[str, ...]
    trials: list[TrialRecord]
    best: TrialRecord
    """The complete trial with the lowest first objective."""
    front: list[TrialRecord]
    """The trials that no other one beats; with one objective, the best alone."""
    recipes: dict[int, Path]
    """Number of a trial on the front to its recipe."""
    run: RunResult | None
    """The final training; None where there was none."""
    report_path: Path
    stopped: str
    """Why the search ended, in plain words."""
    interrupted: bool
    """Whether the user ended it with Ctrl-C."""

    def to_plain(self) -> dict[str, Any]:
        """Return what the search has made as JSON values."""
        return {
            "directory": str(self.directory),
            "objectives": list(self.objectives),
            "best": self.best.to_plain(),
            "front": [record.number for record in self.front],
            "recipes": {str(number): str(path) for number, path in self.recipes.items()},
            "trials": [record.to_plain() for record in self.trials],
            "run": None if self.run is None else self.run.to_plain(),
            "report": str(self.report_path),
            "stopped": self.stopped,
            "interrupted": self.interrupted,
        }


def execute(
    search: Search, progress: Progress, *, directory: Path | None = None, resume: bool = False
) -> TuneResult:
    """Do a whole search.

    Parameters
    ----------
    search
        Everything it needs.
    directory
        Where it goes; None for ``runs/tune-TASK-MODEL-NUMBER``.
    resume
        Go on with what is in `directory`.

    Raises
    ------
    FxkitError
        For bad input, or if no trial was finished.
    """
    with _directory(search, directory, resume=resume) as folder:
        if not resume:
            write_text(folder / FILE, search.to_yaml())
        sitting = _Sitting(search, folder, progress)
    with closing(sitting):
        return _search(search, folder, sitting, progress)


def _search(search: Search, folder: Path, sitting: _Sitting, progress: Progress) -> TuneResult:
    stopped, interrupted = sitting.work(index=0, jobs=search.tune.jobs - 1)
    records = records_of(sitting.study)
    top = best(records)
    if top is None:
        raise FxkitError(_nothing(records, stopped, folder))
    chosen = front(records) if len(search.tune.objectives) > 1 else [top]
    recipes = _recipes(search, folder, records, chosen)
    run = None
    if not interrupted and len(search.tune.objectives) == 1 and search.tune.final_epochs:
        run = _final(recipes[top.number], folder, progress)
    result = TuneResult(
        folder,
        search.tune.objectives,
        records,
        top,
        chosen,
        recipes,
        run,
        folder / "report.html",
        stopped,
        interrupted or (run is not None and run.interrupted),
    )
    write_text(
        folder / "study.json", json.dumps(result.to_plain(), indent=1, allow_nan=False) + "\n"
    )
    study_page.write(result.report_path, _page(search, sitting, result))
    return result


def work(search: Search, progress: Progress, *, directory: Path, index: int) -> str:
    """Run trials of a search that others have begun, and nothing else; return why it ended.

    Parameters
    ----------
    directory
        For what this process needs while it runs.
    index
        The number of this process, from 1; no two that work at the same time have the same.

    Raises
    ------
    KeyboardInterrupt
        If the user ended it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with closing(_Sitting(search, directory, progress)) as sitting:
        stopped, interrupted = sitting.work(index=index, jobs=0)
    if interrupted:
        raise KeyboardInterrupt
    return stopped


class _Sitting:
    """What one process needs to work on a study."""

    def __init__(self, search: Search, folder: Path, progress: Progress) -> None:
        self.search, self.folder, self.progress = search, folder, progress
        set_threads(threads_each(search))
        with progress:
            self.dataset = data.load(search.settings.data, progress)
            self.split = data.split(self.dataset, search.settings.data)
            self.objective = Objective(search, self.dataset, self.split, folder)
            task = self.objective.task
            # A model file: what is wrong with it shows before any trial.
            if task.amplified is not None:
                model = pipeline.make_model(search.settings, task, self.dataset, self.split)
                feed.check(model, task)
                pipeline.check_amplifier(task.amplified, self.split, progress)
        self.storage = open_storage(search.tune.storage, folder, search.tune.heartbeat)
        about = identity(search, self.dataset, self.split)
        try:
            self.study = open_study(search, self.storage, about)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Leave the storage."""
        close_storage(self.storage)

    def work(self, *, index: int, jobs: int) -> tuple[str, bool]:
        """Run trials until the search is over; return why it is, and whether by hand."""
        opened = helpers(self.search, self.folder, jobs) if jobs else nullcontext(None)
        with opened as others, display_for(self.search, self.progress) as display:
            objective = self.objective

            def change() -> None:
                self._show(display, others)

            def epoch(number: int, done: Epoch) -> None:
                del number, done
                change()

            worker = Worker(
                self.study, self.storage, self.search, objective, index=index, on_change=change
            )
            objective.out_of_time = worker.out_of_time
            objective.on_epoch = epoch
            change()
            stopped = worker.work()
            if others is not None and not worker.interrupted:
                others.wait()
        return stopped, worker.interrupted

    def _show(self, display: Display, others: Jobs | None) -> None:
        display.update(records_of(self.study))
        if others is not None:
            others.watch(self.progress)


@contextmanager
def _directory(search: Search, directory: Path | None, *, resume: bool) -> Iterator[Path]:
    """Make the folder of the search; take it away again if the search cannot begin."""
    if resume:
        assert directory is not None
        for left in directory.glob("trial-*"):
            # Checkpoints of a trial whose process was killed; nobody works here now but us.
            shutil.rmtree(left, ignore_errors=True)
        yield directory
        return
    directory = directory or _next_directory(search)
    made = [p for p in (directory, *directory.parents) if not p.exists()]
    try:
        directory.mkdir(parents=True)
    except FileExistsError:
        raise FxkitError(
            f"run.dir={directory}: exists already; choose another, or go on with "
            f"fxkit tune --resume {directory}"
        ) from None
    try:
        yield directory
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        for parent in made[1:]:
            parent.rmdir()
        raise


def _next_directory(search: Search) -> Path:
    number = 1
    stem = f"tune-{search.settings.task}-{search.settings.model}"
    while (path := Path("runs") / f"{stem}-{number}").exists():
        number += 1
    return path


def _recipes(
    search: Search, folder: Path, records: list[TrialRecord], chosen: list[TrialRecord]
) -> dict[int, Path]:
    """Write a recipe for each trial on the front."""
    count = sum(record.state in ("complete", "pruned") for record in records)
    if len(search.tune.objectives) == 1:
        paths = {chosen[0].number: folder / "recipe.yaml"}
    else:
        (folder / "front").mkdir(exist_ok=True)
        for old in (folder / "front").glob("trial-*.yaml"):
            old.unlink()
        paths = {r.number: folder / "front" / f"trial-{r.number}.yaml" for r in chosen}
    for record in chosen:
        write_recipe(paths[record.number], search, record, count)
    return paths


def _final(recipe: Path, folder: Path, progress: Progress) -> RunResult:
    """Train what was found, exactly as ``fxkit run recipe=FILE`` does; go on where it was cut."""
    directory = folder / "final"
    wanted = resolve_run({"recipe": str(recipe), "run.dir": str(directory)})
    resume = None
    if directory.exists():
        begun = directory / "settings.yaml"
        same = begun.is_file() and _same(resolve_run(read_yaml(begun)), wanted)
        if same and (directory / "checkpoints" / "last.safetensors").is_file():
            resume = directory
        else:
            shutil.rmtree(directory)
    with progress:
        return pipeline.execute(wanted, progress, resume=resume)


def _same(one: Any, other: Any) -> bool:
    """Say whether two runs have the same settings, wherever they go."""
    a, b = one.to_plain(), other.to_plain()
    return all(a.get(k) == b[k] for k in b if k != "run.dir")


def _nothing(records: list[TrialRecord], stopped: str, folder: Path) -> str:
    """Say that no trial was finished, and what could be done about it."""
    notes = [record.note for record in records if record.note]
    if notes:
        most = max(dict.fromkeys(notes), key=notes.count)
        return f"no trial was finished ({stopped}): {len(notes)} were given up, mostly since {most}"
    return (
        f"no trial was finished ({stopped}): allow more minutes or lower tune.epochs, with "
        f"fxkit tune --resume {folder}"
    )


def _page(search: Search, sitting: _Sitting, result: TuneResult) -> study_page.StudyData:
    settings = {**search.settings.to_plain()}
    settings |= {f"search.{key}": str(dim) for key, dim in search.space.items()}
    return study_page.StudyData(
        title=search.settings.run.name or f"Search for {search.name}",
        task=sitting.objective.task,
        model={"name": search.settings.model},
        description=sitting.dataset.description,
        objectives=search.tune.objectives,
        space=search.space,
        trials=result.trials,
        front=[record.number for record in result.front],
        recipes={number: path.read_text("utf-8") for number, path in result.recipes.items()},
        commands={number: f"fxkit run recipe={path}" for number, path in result.recipes.items()},
        importances=importances(sitting.study, search.space),
        final=None if result.run is None else result.run.evaluation,
        final_history=[] if result.run is None else result.run.history,
        settings=settings,
        environment=provenance.environment(search.settings.run.seed),
        stopped=result.stopped,
    )
