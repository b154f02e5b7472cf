"""The calls that train: a run, or a search and its final run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxkit.api.common import PathLike, need_torch, progress_of, values_of
from fxkit.errors import FxkitError
from fxkit.progress import Progress

if TYPE_CHECKING:
    from fxkit.pipeline import RunResult
    from fxkit.tuning import Search
    from fxkit.tuning.execute import TuneResult

__all__ = ["run", "tune", "tune_worker"]


def run(
    *,
    config: PathLike | Sequence[PathLike] = (),
    resume: PathLike | None = None,
    progress: Progress | bool = False,
    **settings: Any,
) -> RunResult:
    """Train a model, score it, and write its file and its report.

    Parameters
    ----------
    config
        YAML file or files of settings; they come first.
    resume
        The folder of an earlier run to go on with. Its settings are taken; only those of
        ``train`` and ``run.device`` may be changed.
    progress
        True shows bars or lines on standard error, False warnings alone; or a `Progress`.
    **settings
        Settings as on the command line: ``task="distort"``, ``model="gru"``, ``data="folder"``, and
        groups as dictionaries or with dots: ``train={"lr": 0.01}``, ``**{"train.lr": 0.01}``.

    Returns
    -------
    RunResult
        The folder, the model file, the report, the scores and the history.

    Raises
    ------
    FxkitError
        For bad input; no run folder is left behind.
    fxkit.train.DivergedError
        If the loss became NaN or infinite.
    """
    from fxkit.config import resolve

    given = values_of(config, settings)
    folder = None
    if resume is not None:
        folder = Path(resume)
        given = _resumed(folder, given)
    resolved = resolve(given)
    need_torch()
    from fxkit.pipeline import execute

    with progress_of(progress) as shown:
        return execute(resolved, shown, resume=folder)


def tune(
    *,
    config: PathLike | Sequence[PathLike] = (),
    resume: PathLike | None = None,
    progress: Progress | bool = False,
    **settings: Any,
) -> TuneResult:
    """Search for good settings, write them down as a recipe, and train with them.

    Parameters
    ----------
    config, progress
        As for `run`.
    resume
        The folder of an earlier search to go on with. Its settings are taken; only a few of
        ``tune`` may be changed.
    **settings
        Settings as for `run`; what is given is not searched. ``tune`` says how: ``tune={"trials":
        40}``; ``search`` says what: ``search={"model.hidden": "16,32"}``. ``trials``, ``minutes``,
        ``jobs``, ``objectives`` and ``storage`` need no group.

    Returns
    -------
    TuneResult
        The folder, all trials, the best or the Pareto front, the recipes and the final run.

    Raises
    ------
    FxkitError
        For bad input, or if no trial was finished.
    """
    search, folder = _search(config, resume, settings)
    need_torch()
    from fxkit.tuning.execute import execute

    shown = progress_of(progress)
    if resume is None and search.settings.run.dir:
        folder = Path(search.settings.run.dir)
    return execute(search, shown, directory=folder, resume=resume is not None)


def tune_worker(
    *,
    config: PathLike | Sequence[PathLike] = (),
    resume: PathLike | None = None,
    index: int | None = None,
    progress: Progress | bool = False,
    **settings: Any,
) -> str:
    """Run trials of a study that others share, for as long as it needs some; return why it ended.

    Parameters
    ----------
    config, progress, **settings
        As for `tune`: the same as where the search was begun, with its ``storage``.
    resume
        The folder of the search instead, where it is on this machine.
    index
        A number for this process, unlike that of any other; None chooses one.
    """
    import secrets
    import tempfile

    search, folder = _search(config, resume, settings)
    if folder is None and not search.tune.storage:
        raise FxkitError("--worker needs storage=..., the database that the machines share")
    need_torch()
    from fxkit.tuning.execute import work

    # A study of another folder's file is found there; all else is kept nowhere.
    number = secrets.randbelow(1 << 30) + 256 if index is None else index
    shown = progress_of(progress)
    if folder is not None:
        return work(search, shown, directory=folder, index=number)
    with tempfile.TemporaryDirectory(prefix="fxkit-") as scratch:
        return work(search, shown, directory=Path(scratch), index=number)


def _search(
    config: PathLike | Sequence[PathLike], resume: PathLike | None, settings: Mapping[str, Any]
) -> tuple[Search, Path | None]:
    """Return the search that the arguments describe, and its folder if it has one."""
    from fxkit import tuning

    values = values_of(config, settings)
    if resume is not None:
        return tuning.load(Path(resume), values), Path(resume)
    return tuning.resolve(values), None


def _resumed(folder: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the run in `folder`, with what may be changed changed."""
    from fxkit.config import read_yaml

    file = folder / "settings.yaml"
    if not file.is_file():
        raise FxkitError(f"{folder}: not the folder of a run: it has no settings.yaml")
    for key in given:
        if not key.startswith("train.") and key != "run.device":
            raise FxkitError(
                f"{key} cannot be changed when a run is resumed, only train.* and run.device"
            )
    return {**read_yaml(file), **given}
