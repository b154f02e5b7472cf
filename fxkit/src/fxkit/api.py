"""The Python calls behind the commands; import them from `fxkit` itself.

Each raises `fxkit.FxkitError`, with one line that says what to do, for whatever the user can mend.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fxkit.errors import FxkitError, PluginError
from fxkit.progress import Progress, SilentProgress, for_stream
from fxkit.registry import FORMATS, LOSSES, MODELS, TASKS, Registry, Status

if TYPE_CHECKING:
    from fxkit.artifact import Artifact
    from fxkit.bootstrapping import Bootstrapped
    from fxkit.data import DataConfig
    from fxkit.evaluation import Evaluation
    from fxkit.exchange import Exported
    from fxkit.manifest import Manifest
    from fxkit.model import Model
    from fxkit.pipeline import RunResult
    from fxkit.realtime import BlockTime
    from fxkit.testing import LawResult
    from fxkit.tuning import Search
    from fxkit.tuning.execute import TuneResult

__all__ = [
    *("bench", "bootstrap", "check", "evaluate", "export", "import_model", "info", "open"),
    *("plugins", "render", "run", "tune"),
]

PathLike = str | os.PathLike[str]
REGISTRIES: dict[str, Registry] = {
    "model": MODELS,
    "loss": LOSSES,
    "task": TASKS,
    "format": FORMATS,
}


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
    from fxkit.config import flatten, read_yaml, resolve

    values: dict[str, Any] = {}
    files = [config] if isinstance(config, str | os.PathLike) else config
    for file in files:
        values |= read_yaml(Path(file))
    given = values | flatten(settings)
    folder = None
    if resume is not None:
        folder = Path(resume)
        given = _resumed(folder, given)
    resolved = resolve(given)
    need_torch()
    from fxkit.pipeline import execute

    with _progress(progress) as shown:
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

    shown = _progress(progress)
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
    shown = _progress(progress)
    if folder is not None:
        return work(search, shown, directory=folder, index=number)
    with tempfile.TemporaryDirectory(prefix="fxkit-") as scratch:
        return work(search, shown, directory=Path(scratch), index=number)


def open(path: PathLike) -> Artifact:  # noqa: A001 - fxkit.open is what one would expect
    """Open a model file, or the run folder that holds one, and prove it against its probe.

    Raises
    ------
    ArtifactError
        If it is damaged, truncated, hostile, newer than this fxkit, or not a model file at all.
    """
    need_torch()
    from fxkit import artifact

    return artifact.open(_model_file(path))


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
    with _progress(progress) as shown:
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
        beside = _model_file(model).with_name("settings.yaml")
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
    with _progress(progress) as shown:
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


def info(path: PathLike) -> Manifest:
    """Return what a model file says about itself; `open` that proves itself too."""
    return open(path).manifest


def import_model(
    path: PathLike,
    out: PathLike | None = None,
    *,
    format: str | None = None,  # noqa: A002
    **options: Any,
) -> Artifact:
    """Read another player's file; the model renders, benchmarks and plays like any other.

    Parameters
    ----------
    path
        The file: .nam, AIDA-X, Proteus, ... ; ``fxkit list`` shows the formats.
    out
        The model file to write; None writes none.
    format
        The format's name; None takes the one that the file looks like.
    **options
        Settings of the format: ``**{"format.size": 0.5}``.

    Raises
    ------
    FxkitError
        The file is damaged, or holds something that is not known.
    """
    need_torch()
    from fxkit import artifact, exchange
    from fxkit.config import flatten

    read = exchange.read(Path(path), format, flatten(options))
    return read if out is None else artifact.save(out, read.model, read.manifest)


def export(
    model: PathLike | Artifact, to: str, out: PathLike | None = None, **options: Any
) -> Exported:
    """Write a model for another player, or say why that player would not compute it exactly.

    Parameters
    ----------
    model
        A model file, a run folder, or what `open` returned.
    to
        The format's name: ``"nam"``, ``"aida-x"``, ``"proteus"``, ``"torchscript"``, ``"onnx"``.
    out
        The file to write; None puts it beside the model.
    **options
        Settings of the format, with ``format.`` in front.

    Returns
    -------
    Exported
        Its path, and what its user should know.

    Raises
    ------
    FxkitError
        The format cannot hold this model exactly; says which setting to train with.
    """
    FORMATS.get(to)
    need_torch()
    from fxkit import exchange
    from fxkit.config import flatten

    if isinstance(model, str | os.PathLike):
        source: Path | None = _model_file(model)
        artifact = open(model)
    else:
        source, artifact = None, model
    target = None if out is None else Path(out)
    return exchange.write(artifact, to, source, target, flatten(options))


def check(name: str, *, kind: str | None = None) -> list[LawResult]:
    """Check the laws of `fxkit.testing` on an installed plug-in.

    Parameters
    ----------
    name
        The name that it is chosen by.
    kind
        ``"model"``, ``"loss"``, ``"task"`` or ``"format"``; needed where two kinds have the name.

    Raises
    ------
    PluginError
        If there is no such plug-in, or if it cannot be imported.
    """
    from fxkit.registry import nearest

    if kind is None:
        kinds = [k for k, registered in REGISTRIES.items() if name in registered.names()]
        if len(kinds) > 1:
            raise FxkitError(f"{name!r} is a {' and a '.join(kinds)}; say which with --kind")
        if not kinds:
            known = sorted({n for r in REGISTRIES.values() for n in r.names()})
            near = nearest(name, known)
            hint = f"did you mean {' or '.join(near)}?" if near else "fxkit list shows all"
            raise PluginError(f"no plug-in {name!r}; {hint}")
        kind = kinds[0]
    if kind not in REGISTRIES:
        raise FxkitError(f"kind={kind}: needs one of {', '.join(REGISTRIES)}")
    need_torch()
    REGISTRIES[kind].get(name)
    from fxkit import testing

    return testing.check(kind, name)


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


def bootstrap(
    distorted: PathLike | Sequence[PathLike],
    directory: PathLike,
    *,
    model: PathLike | Artifact,
    true: PathLike | None = None,
    channel: str | int | None = None,
    knobs: Mapping[str, float] | None = None,
    progress: Progress | bool = False,
) -> Bootstrapped:
    """Let a model of ``task=clean`` make the dry side of distorted recordings: a data set.

    Its ``dataset.yaml`` marks the dry side as estimated: it is trained on, never scored.

    Parameters
    ----------
    distorted
        One or several recordings.
    directory
        The folder of the data set, made new; written complete or not at all.
    model
        A model file, a run folder, or what `open` returned.
    true
        Recorded pairs to validate and score with, as a folder or a ``dataset.yaml``.
    channel
        Of stereo recordings: ``"left"``, ``"right"``, ``"mix"``, or counted from 1.
    knobs, progress
        As for `render`.

    Raises
    ------
    FxkitError
        For bad input; no folder is left behind.
    """
    need_torch()
    from fxkit.bootstrapping import make_dataset
    from fxkit.config import build
    from fxkit.data import DataConfig

    sources = [distorted] if isinstance(distorted, str | os.PathLike) else distorted
    if isinstance(channel, str):
        # Checked, and turned into a number where it is one, as data.channel is.
        channel = build(DataConfig, {"channel": channel}, prefix="data").channel
    artifact = open(model) if isinstance(model, str | os.PathLike) else model
    with _progress(progress) as shown:
        return make_dataset(
            [Path(source) for source in sources],
            Path(directory),
            artifact=artifact,
            true=None if true is None else Path(true),
            channel=channel,  # type: ignore[arg-type]
            controls=knobs,
            progress=shown,
        )


def plugins() -> dict[str, list[Status]]:
    """Return every plug-in of every kind, the broken ones with what is wrong with them."""
    return {
        kind: [registry.status(name) for name in registry.names()]
        for kind, registry in REGISTRIES.items()
    }


def need_torch() -> None:
    """Import PyTorch, or say in one line why that does not work.

    Raises
    ------
    FxkitError
        If it is missing, or if its libraries cannot be loaded.
    """
    try:
        import torch  # noqa: F401
    except (ImportError, OSError) as error:
        reason = " ".join(str(error).split())
        raise FxkitError(
            f"PyTorch cannot be loaded ({reason}); "
            "install it again: pip install --force-reinstall torch torchaudio"
        ) from error


def _progress(wanted: Progress | bool) -> Progress:
    if isinstance(wanted, bool):
        return for_stream() if wanted else SilentProgress()
    return wanted


def _search(
    config: PathLike | Sequence[PathLike], resume: PathLike | None, settings: Mapping[str, Any]
) -> tuple[Search, Path | None]:
    """Return the search that the arguments describe, and its folder if it has one."""
    from fxkit import tuning
    from fxkit.config import flatten, read_yaml

    values: dict[str, Any] = {}
    for file in [config] if isinstance(config, str | os.PathLike) else config:
        values |= read_yaml(Path(file))
    values |= flatten(settings)
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


def _model_file(path: PathLike) -> Path:
    found = Path(path)
    inside = found / "model.fxkit"
    if found.is_dir():
        if not inside.is_file():
            raise FxkitError(f"{found}: a folder without a model.fxkit")
        return inside
    return found


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
