"""The calls that make files of models: for other players, from them, and data sets."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxkit.api.common import PathLike, model_file, need_torch, progress_of
from fxkit.api.playing import open  # noqa: A004
from fxkit.progress import Progress
from fxkit.registry import FORMATS

if TYPE_CHECKING:
    from fxkit.artifact import Artifact
    from fxkit.bootstrapping import Bootstrapped
    from fxkit.exchange import Exported

__all__ = ["bootstrap", "export", "import_model"]


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
    return read if out is None else artifact.save(Path(out), read.model, read.manifest)


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
        source: Path | None = model_file(model)
        artifact = open(model)
    else:
        source, artifact = None, model
    target = None if out is None else Path(out)
    return exchange.write(artifact, to, source, target, flatten(options))


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
    with progress_of(progress) as shown:
        return make_dataset(
            [Path(source) for source in sources],
            Path(directory),
            artifact=artifact,
            true=None if true is None else Path(true),
            channel=channel,
            controls=knobs,
            progress=shown,
        )
