"""From settings to a data set: finds the files, opens, checks and aligns them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fxkit.data import align, check
from fxkit.data.audio import SUFFIXES, Channel, Probe, check_channel, probe
from fxkit.data.config import DataConfig
from fxkit.data.pairs import Dataset, Side, Take
from fxkit.data.recording import Recording, converted_frames
from fxkit.errors import FxkitError

if TYPE_CHECKING:
    from fxkit.data.manifest import Manifest, Pair
    from fxkit.progress import Progress

__all__ = ["find_side", "load"]


@dataclass(frozen=True)
class _Source:
    """One pair, before it is opened."""

    name: str
    clean: Path
    wet: Path
    channels: tuple[Channel | None, Channel | None]
    align: int | Literal["auto", "off"]
    controls: tuple[float, ...] = ()
    split: Literal["train", "validation", "test"] | None = None
    estimated: Side | None = None
    estimated_by: str | None = None


@dataclass(frozen=True)
class _Sources:
    pairs: tuple[_Source, ...]
    description: str
    control_names: tuple[str, ...] = ()
    sample_rate: int | None = None
    gear: tuple[str, ...] = ()


def load(config: DataConfig, progress: Progress) -> Dataset:
    """Open the recordings that `config` names, check and align them.

    The time this takes is bounded, however long the recordings are: those beyond the memory that
    `config.memory` allows are looked at in excerpts, and read from disk as they are needed.

    Raises
    ------
    FxkitError
        A file is missing, not audio, empty, silent or damaged; a pair's two sides are not equally
        long; a stereo file comes without a choice of channel; the manifest is wrong.
    """
    if config.path is None and config.clean is None:
        return _built_in(config, progress)
    sources = _sources(config)
    probes = [(probe(pair.clean), probe(pair.wet)) for pair in sources.pairs]
    for pair, (clean, wet) in zip(sources.pairs, probes, strict=True):
        check_channel(clean, pair.channels[0])
        check_channel(wet, pair.channels[1])
        _check_mono(clean, wet, pair.channels)
    rate = config.sample_rate or sources.sample_rate or probes[0][0].sample_rate
    findings = [f"gear: {gear}" for gear in sources.gear]
    takes = []
    with progress.task("checking the recordings", total=len(probes)) as step:
        hold = _held(probes, rate, config.memory)
        for pair, files, held in zip(sources.pairs, probes, hold, strict=True):
            take, lines = _take(pair, files, rate, held, progress)
            takes.append(take)
            findings += lines
            step.advance()
    return Dataset(tuple(takes), rate, sources.control_names, sources.description, tuple(findings))


def _check_mono(clean: Probe, wet: Probe, channels: tuple[Channel | None, Channel | None]) -> None:
    """Refuse the number of a channel that neither file has.

    Beside a stereo file it is ignored in a mono one, since it is given for both.
    """
    if clean.channels > 1 or wet.channels > 1:
        return
    for file, channel in zip((clean, wet), channels, strict=True):
        if isinstance(channel, int) and channel > 1:
            raise FxkitError(f"{file.path} has no channel {channel}: it is mono")


def _built_in(config: DataConfig, progress: Progress) -> Dataset:
    from fxkit.data.augment import redrive
    from fxkit.data.synth import built_in

    paths = built_in(config.level, config.seed, progress)
    # Made by fxkit, sample by sample: there is nothing to check or to align.
    clean, wet = (Recording.open(path, sample_rate=config.sample_rate) for path in paths)
    take = Take(f"built-in, {config.level}", clean, wet, effect=redrive)
    description = f"built-in, {config.level} drive, seed {config.seed}"
    return Dataset((take,), clean.sample_rate, (), description)


def _held(probes: Sequence[tuple[Probe, Probe]], rate: int, memory: int) -> Iterator[bool]:
    """Say for every pair whether it still fits in memory, in the order given."""
    left = memory << 20
    for files in probes:
        size = 4 * sum(converted_frames(file.frames, file.sample_rate, rate) for file in files)
        fits = size <= left
        left -= size if fits else 0
        yield fits


def _take(
    pair: _Source, files: tuple[Probe, Probe], rate: int, hold: bool, progress: Progress
) -> tuple[Take, list[str]]:
    """Open, check and align one pair; return it with what was found."""
    clean_file, wet_file = files
    for file in files:
        if file.sample_rate != rate:
            progress.warn(
                f"{file.path.name} is at {file.sample_rate} Hz, the data set at {rate} Hz: "
                "it is converted as it is read"
            )
    clean = Recording.open(clean_file.path, channel=pair.channels[0], sample_rate=rate, hold=hold)
    wet = Recording.open(wet_file.path, channel=pair.channels[1], sample_rate=rate, hold=hold)
    frames, warning = check.common_length(clean, wet)
    if warning:
        progress.warn(warning)
    clean, wet = clean.part(0, frames), wet.part(0, frames)
    healths = check.inspect(clean), check.inspect(wet)
    lines = []
    for recording, health in zip((clean, wet), healths, strict=True):
        lines.append(
            f"{recording.name}: {recording.seconds:.1f} s at {rate} Hz, "
            f"peak {check.decibels(health.peak)}, level {check.decibels(health.level)}"
        )
        for line in check.warnings(recording.name, health):
            progress.warn(line)
            lines.append(line)
    lines += [warning] if warning else []
    if pair.estimated is not None:
        by = f" by {pair.estimated_by}" if pair.estimated_by else ""
        lines.append(f"{pair.name}: its {pair.estimated} side was estimated{by}; never scored")
    shift, line = _shift(pair, clean, wet, progress)
    lines.append(line)
    if abs(shift) >= frames:
        raise FxkitError(
            f"{pair.name}: data.align={shift} shifts by more than the recording's {frames} samples"
        )
    floor = check.noise_floor(*healths)
    if floor is not None:
        lines.append(f"{wet.name}: noise {check.decibels(floor)} against its level")
    for line in check.noise_warning(wet.name, floor):
        progress.warn(line)
    clean, wet = align.apply(clean, wet, shift)
    return Take(pair.name, clean, wet, pair.controls, pair.split, pair.estimated), lines


def _shift(pair: _Source, clean: Recording, wet: Recording, progress: Progress) -> tuple[int, str]:
    """Return by how much to move wet earlier, and what to say about it."""
    if pair.align == "off":
        return 0, f"{wet.name}: timing left as it is"
    if pair.align != "auto":
        return pair.align, f"{wet.name}: shifted by {pair.align} samples, as asked for"
    found = align.measure(clean, wet)
    line = f"{wet.name}: {found.describe()}"
    if found.confidence < align.CONFIDENT:
        progress.warn(f"{line}: make sure that it is the same take as {clean.name}")
    elif found.shift:
        progress.warn(f"{line}; data.align=off keeps the timing")
    return found.shift, line


def _sources(config: DataConfig) -> _Sources:
    """Find the pairs that the settings name."""
    if config.clean is not None and config.wet is not None:
        return _single(Path(config.clean), Path(config.wet), config)
    path = Path(config.path or "")
    if path.suffix.lower() in (".yaml", ".yml"):
        return _listed(path, config)
    if not path.exists():
        raise FxkitError(f"no such folder: {path}")
    if not path.is_dir():
        raise FxkitError(
            f"data.path={path} is neither a folder nor a .yaml file: "
            "name two recordings as data.clean and data.wet"
        )
    from fxkit.data.manifest import MANIFEST

    if (path / MANIFEST).exists():
        return _listed(path / MANIFEST, config)
    return _single(find_side(path, "clean"), find_side(path, "wet"), config)


def _single(clean: Path, wet: Path, config: DataConfig) -> _Sources:
    pair = _Source(wet.stem, clean, wet, (config.channel, config.channel), config.align)
    return _Sources((pair,), f"{clean.name} -> {wet.name}")


def find_side(folder: Path, stem: str) -> Path:
    """Return the one audio file in a folder that is called `stem`, whatever its ending.

    Raises
    ------
    FxkitError
        There is none, or more than one.
    """
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise FxkitError(f"cannot read {folder}: {error.strerror or error}") from None
    found = [file for file in files if file.stem.lower() == stem]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(file.name for file in found)
        raise FxkitError(f"{folder} has more than one {stem} recording: {names}")
    there = ", ".join(file.name for file in files[:8]) or "no audio files"
    more = ", ..." if len(files) > 8 else ""
    raise FxkitError(
        f"{folder} has neither a dataset.yaml nor a recording named {stem}.*; it has {there}{more}"
        ": name two files as data.clean and data.wet"
    )


def _listed(path: Path, config: DataConfig) -> _Sources:
    """Read the pairs of a manifest."""
    from fxkit.data.manifest import read_manifest

    manifest = read_manifest(path)
    pairs = tuple(_listed_pair(path.parent, manifest, pair, config) for pair in manifest.pairs)
    count = f"{len(pairs)} pair{'s' if len(pairs) > 1 else ''}"
    name = manifest.name or path.resolve().parent.name
    gear = [manifest.gear, *(pair.gear for pair in manifest.pairs)]
    return _Sources(
        pairs,
        f"{name}, {count}",
        manifest.control_names,
        manifest.sample_rate,
        tuple(dict.fromkeys(item for item in gear if item)),
    )


def _listed_pair(folder: Path, manifest: Manifest, pair: Pair, config: DataConfig) -> _Source:
    both = config.channel if pair.channel is None else pair.channel
    return _Source(
        name=pair.name or Path(pair.wet).stem,
        clean=folder / pair.clean,
        wet=folder / pair.wet,
        channels=(
            both if pair.clean_channel is None else pair.clean_channel,
            both if pair.wet_channel is None else pair.wet_channel,
        ),
        align=config.align if pair.align is None else pair.align,
        controls=tuple(pair.controls[name] for name in manifest.control_names),
        split=pair.split,
        estimated=pair.estimated,
        estimated_by=pair.estimated_by,
    )
