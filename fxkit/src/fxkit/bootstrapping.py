"""A training set out of distorted recordings alone: a trained model makes their dry side.

Every recording is played through a model of the task ``clean``. The pair of what was played and
what came out is a pair to train on, but not to score by: the manifest marks the dry side as
estimated, and no score is ever computed from it. Recordings of which both sides are real can be
taken into the set beside them; they alone are scored.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fxkit.data import audio
from fxkit.data.loader import find_side
from fxkit.data.manifest import MANIFEST, Manifest, Pair, read_manifest, write_manifest
from fxkit.data.recording import Recording
from fxkit.data.writer import Writer
from fxkit.errors import FxkitError
from fxkit.progress import Progress
from fxkit.rendering import Renderer

if TYPE_CHECKING:
    from fxkit.artifact import Artifact

__all__ = ["Bootstrapped", "make_dataset"]

BLOCK = 1 << 16
"""Samples that are read and played at a time."""


@dataclass(frozen=True)
class Bootstrapped:
    """What was written."""

    directory: Path
    manifest: Path
    pairs: int
    """Pairs with an estimated dry side."""
    seconds: float
    """Their length together."""
    true_pairs: int
    """Pairs of which both sides were recorded."""


def make_dataset(
    sources: Sequence[Path],
    directory: Path,
    *,
    artifact: Artifact,
    true: Path | None = None,
    channel: audio.Channel | None = None,
    controls: Mapping[str, float] | None = None,
    progress: Progress,
) -> Bootstrapped:
    """Estimate the dry side of distorted recordings and write both as a data set.

    Parameters
    ----------
    sources
        The distorted recordings, at any rate.
    directory
        Where the data set goes, made new; it appears when it is complete.
    artifact
        A model of the task ``clean``.
    true
        A data set of recorded pairs to take in: a folder, or a ``dataset.yaml``. Its files are
        copied, its marks for training, validation and test are kept.
    channel
        Which channel of stereo recordings.
    controls
        The model's knobs, name to value in 0..1.
    progress
        Where progress is shown.

    Raises
    ------
    FxkitError
        In one line: the model is for another task, a recording cannot be used, the folder exists.
    """
    manifest = artifact.manifest
    if manifest.task != "clean":
        raise FxkitError(
            f"the model {manifest.name!r} is for {manifest.made_for}: the dry side is estimated "
            "by a model of task=clean"
        )
    if not sources:
        raise FxkitError("name at least one distorted recording")
    if directory.exists():
        raise FxkitError(f"{directory} exists already: choose another folder")
    recordings = [_open(path, channel) for path in sources]
    recorded = [] if true is None else _recorded(true)
    pairs = []
    with (
        _new_folder(directory) as folder,
        progress.task("estimating the dry side", total=sum(r.frames for r in recordings)) as step,
    ):
        names = _names([path.stem for path in sources])
        for name, recording in zip(names, recordings, strict=True):
            player = Renderer(artifact, recording.sample_rate, controls=controls)
            wet, clean = folder / f"{name}.wet.wav", folder / f"{name}.clean.wav"
            with _writer(wet, recording) as heard, _writer(clean, recording) as made:
                for start in range(0, recording.frames, BLOCK):
                    block = recording.read(start, min(start + BLOCK, recording.frames))
                    heard.write(block)
                    made.write(player.process(block[:, None]))
                    step.advance(len(block))
                made.write(player.finish())
            pairs.append(
                Pair(
                    clean=clean.name,
                    wet=wet.name,
                    name=name,
                    # Made sample on sample: what an alignment would find is the model's doing.
                    align="off",
                    estimated="clean",
                    estimated_by=manifest.name or manifest.model,
                )
            )
        pairs += _take_in(recorded, folder)
        write_manifest(
            folder / MANIFEST,
            Manifest(pairs=pairs, name=directory.name, sample_rate=artifact.model.sample_rate),
        )
    return Bootstrapped(
        directory,
        directory / MANIFEST,
        len(recordings),
        sum(r.seconds for r in recordings),
        len(recorded),
    )


def _open(path: Path, channel: audio.Channel | None) -> Recording:
    info = audio.probe(path)
    if info.channels > 1 and channel is None:
        raise FxkitError(
            f"{path} has {info.channels} channels: choose one with --channel left, right, mix "
            "(their mean) or its number, counted from 1"
        )
    return Recording.open(path, channel=channel, hold=False)


def _writer(path: Path, recording: Recording) -> Writer:
    # Floating point: an estimate may go beyond full scale, and nothing is to be rounded.
    return Writer(path, recording.sample_rate, encoding="FLOAT", frames=recording.frames)


def _names(stems: Sequence[str]) -> Iterator[str]:
    """Yield each stem, with a number behind those that have been there before."""
    seen: set[str] = set()
    for stem in stems:
        name, number = stem, 2
        while name.lower() in seen:
            name, number = f"{stem}-{number}", number + 1
        seen.add(name.lower())
        yield name


def _recorded(path: Path) -> list[tuple[Path, Pair]]:
    """Return the pairs of a data set, each with the folder that its files are relative to."""
    file = path if path.suffix.lower() in (".yaml", ".yml") else path / MANIFEST
    if path.is_dir() and not file.exists():
        pairs = [Pair(clean=find_side(path, "clean").name, wet=find_side(path, "wet").name)]
    elif not path.exists():
        raise FxkitError(f"--true {path}: no such folder or file")
    elif path.is_dir() or path.suffix.lower() in (".yaml", ".yml"):
        pairs = read_manifest(file).pairs
    else:
        raise FxkitError(
            f"--true {path}: needs a folder with clean.* and wet.*, or with a dataset.yaml"
        )
    folder = path if path.is_dir() else path.parent
    for pair in pairs:
        if pair.controls:
            raise FxkitError(
                f"--true {path}: its pairs have knobs, which bootstrapped ones do not: leave them "
                "out of its dataset.yaml"
            )
        for side in (pair.clean, pair.wet):
            audio.probe(folder / side)
    return [(folder, pair) for pair in pairs]


def _take_in(recorded: Sequence[tuple[Path, Pair]], folder: Path) -> Iterator[Pair]:
    """Copy the files of recorded pairs; yield the pairs as the new manifest has them."""
    for number, (source, pair) in enumerate(recorded, 1):
        copied = {}
        for side in ("clean", "wet"):
            original = source / getattr(pair, side)
            copied[side] = f"recorded-{number}.{side}{original.suffix}"
            try:
                shutil.copyfile(original, folder / copied[side])
            except OSError as error:
                raise FxkitError(f"cannot copy {original}: {error.strerror or error}") from None
        name = pair.name or Path(pair.wet).stem
        yield pair.model_copy(update={**copied, "name": name})


@contextmanager
def _new_folder(path: Path) -> Iterator[Path]:
    """Give a folder to fill, which becomes `path` when all has gone well and else goes away."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    except OSError as error:
        raise FxkitError(f"cannot write {path}: {error.strerror or error}") from None
    try:
        yield folder
        folder.chmod(0o755)
        folder.rename(path)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
