"""The calls on a model that is there: open, play, score and time it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fxkit.api.common import PathLike, model_file, need_torch, progress_of
from fxkit.errors import FxkitError
from fxkit.progress import Progress
from fxkit.registry import MODELS, TASKS

if TYPE_CHECKING:
    from fxkit.artifact import Artifact
    from fxkit.data import DataConfig
    from fxkit.evaluation import Evaluation
    from fxkit.manifest import Manifest
    from fxkit.model import Model
    from fxkit.realtime import BlockTime

__all__ = ["bench", "evaluate", "info", "open", "render"]


def open(path: PathLike) -> Artifact:  # noqa: A001 - fxkit.open is what one would expect
    """Open a model file, or the run folder that holds one, and prove it against its probe.

    Raises
    ------
    ArtifactError
        If it is damaged, truncated, hostile, newer than this fxkit, or not a model file at all.
    """
    need_torch()
    from fxkit import artifact

    return artifact.open(model_file(path))


def info(path: PathLike) -> Manifest:
    """Return what a model file says about itself; `open` that proves itself too."""
    return open(path).manifest


def render(
    source: str | Path,
    destination: str | Path,
    *,
    model: PathLike | Artifact,
    knobs: Mapping[str, float] | None = None,
    progress: Progress | bool = False,
) -> Path:
    """Play a recording through a model, into a file of the same rate and length.

    Memory stays constant however long the recording is; the latency is compensated. The
    destination is written complete or not at all.

    Parameters
    ----------
    source, destination
        Audio files; the ending of the destination says which type it is.
    model
        A model file, a run folder, or what `open` returned.
    knobs
        Name to value in 0..1; a knob that is not named has its default.
    progress
        As for `run`.

    Returns
    -------
    Path
        The destination.
    """
    need_torch()
    from fxkit.rendering import render_file

    artifact = open(model) if isinstance(model, str | os.PathLike) else model
    with progress_of(progress) as shown:
        render_file(artifact, source, destination, progress=shown, controls=knobs)
    return Path(destination)


def evaluate(
    model: PathLike | Artifact,
    *,
    part: Literal["test", "all"] = "test",
    config: PathLike | Sequence[PathLike] = (),
    progress: Progress | bool = False,
    **settings: Any,
) -> Evaluation:
    """Score a model on recordings.

    Parameters
    ----------
    model
        A model file, a run folder, or what `open` returned.
    part
        ``"test"``: the part that a training on these recordings would hold out. ``"all"``: the
        whole of them; honest only for recordings that the model was not trained on.
    config, progress
        As for `run`.
    **settings
        Settings of ``data``, as in ``data="folder"``; without any, those that the model was
        trained with.

    Raises
    ------
    FxkitError
        For bad input, or recordings at another sample rate than the model's.
    """
    need_torch()
    from fxkit import data
    from fxkit.config import read_yaml
    from fxkit.data import Segment
    from fxkit.evaluation import evaluate as measure

    trained: Any = {}
    if isinstance(model, str | os.PathLike):
        artifact = open(model)
        # The run's own settings have absolute paths; those in the file are as they were given.
        beside = model_file(model).with_name("settings.yaml")
        trained = read_yaml(beside) if beside.is_file() else {}
    else:
        artifact = model
    trained = trained or artifact.manifest.training.get("settings", {})
    chosen = _data_config(artifact, trained, config, settings)
    if part not in ("test", "all"):
        raise FxkitError(f"part={part}: needs one of test, all")
    if not artifact.manifest.task:
        raise FxkitError(
            "the model file does not say which task it is for, so nothing to score it by"
        )
    task = TASKS.get(artifact.manifest.task)()
    with progress_of(progress) as shown:
        dataset = data.load(chosen, shown)
        if len(dataset.control_names) != artifact.model.controls:
            raise FxkitError(
                f"the model has {artifact.model.controls} knobs, the recordings name "
                f"{len(dataset.control_names)}: give data with the same knobs"
            )
        if part == "test":
            segments = data.split(dataset, chosen).test
        else:
            segments = tuple(
                Segment(take, 0, take.clean.frames)
                for take in dataset.takes
                if take.estimated is None
            )
        return measure(artifact.model, segments, task=task, progress=shown)


def bench(
    model: PathLike | Artifact,
    *,
    blocks: Sequence[int] = (64, 128, 512),
    seconds: float = 2.0,
    threads: int = 1,
    sample_rate: int = 44_100,
    **settings: Any,
) -> list[BlockTime]:
    """Measure the time of one block against the time that it lasts.

    Parameters
    ----------
    model
        A model file, a run folder, what `open` returned, or the name of an installed model, which
        is then measured untrained.
    blocks
        Samples in a block; one measurement each.
    seconds
        How long to measure each.
    threads
        Processor threads; live use has one.
    sample_rate
        For the name of a model: the rate it is made for, Hz.
    **settings
        For the name of a model: its settings, as in ``**{"model.hidden": 16}``.
    """
    if not 1000 <= sample_rate <= 1_000_000:
        raise FxkitError(f"sample rate {sample_rate}: needs 1000 to 1000000 Hz")
    need_torch()
    from fxkit import realtime

    if isinstance(model, str) and model in MODELS.names() and not Path(model).is_file():
        measured = _untrained(model, sample_rate, settings)
    else:
        if settings:
            raise FxkitError(f"{next(iter(settings))}: a trained model has no settings to change")
        measured = open(model).model if isinstance(model, str | os.PathLike) else model.model
    return [
        realtime.measure(measured, block=block, seconds=seconds, threads=threads)
        for block in blocks
    ]


def _data_config(
    artifact: Artifact,
    trained: Any,
    config: PathLike | Sequence[PathLike],
    settings: Mapping[str, Any],
) -> DataConfig:
    """Make the settings of the data, from what is given or from the model's training."""
    from fxkit.config import flatten, read_yaml, resolve

    values: dict[str, Any] = {}
    for file in [config] if isinstance(config, str | os.PathLike) else config:
        values |= {k: v for k, v in read_yaml(Path(file)).items() if k.startswith("data.")}
    values |= flatten(settings)
    for key in values:
        if not key.startswith("data."):
            raise FxkitError(f"{key}: an evaluation has settings of data.* only")
    sides = ("data.path", "data.clean", "data.wet", "data.level")
    if isinstance(trained, Mapping) and not any(values.get(side) is not None for side in sides):
        values = {k: v for k, v in trained.items() if k.startswith("data.")} | values
    if values.get("data.sample_rate") is None:
        values["data.sample_rate"] = artifact.model.sample_rate
    return resolve(values).data


def _untrained(name: str, sample_rate: int, settings: Mapping[str, Any]) -> Model:
    from fxkit.config import flatten, resolve

    values = flatten(settings)
    for key in values:
        if not key.startswith("model."):
            raise FxkitError(f"{key}: a benchmark has settings of model.* only")
    resolved = resolve({**values, "model": name})
    model: Model = MODELS.get(name)(resolved.model_config, sample_rate=sample_rate)
    return model.eval()
