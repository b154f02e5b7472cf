"""Models to and from other players' files: chooses the format, and says what a user should know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxkit.errors import FxkitError, PluginError
from fxkit.registry import FORMATS

if TYPE_CHECKING:
    from fxkit.artifact import Artifact
    from fxkit.format import Format

__all__ = ["Exported", "make", "read", "recognise", "write"]


@dataclass(frozen=True)
class Exported:
    """A file that was written."""

    path: Path
    format: str
    """The name of the format."""
    caution: str
    """What its user should know; mostly empty."""


def make(name: str, options: Mapping[str, Any]) -> Format:
    """Make the format called `name`.

    Parameters
    ----------
    name
        Its name in the registry.
    options
        Its settings: ``{"format.size": "0.5"}``.

    Raises
    ------
    FxkitError
        There is no such format, or no such setting.
    """
    from fxkit.config import build

    cls = FORMATS.get(name)
    values = {}
    for key, value in options.items():
        if not key.startswith("format."):
            raise FxkitError(f"{key}: only settings of the format can be given, as format.NAME")
        values[key.removeprefix("format.")] = value
    made: Format = cls(build(cls.Config, values, prefix="format"))
    return made


def recognise(path: Path) -> str:
    """Return the name of the only format that a file looks like.

    Raises
    ------
    FxkitError
        No format knows the file, or several do.
    """
    if not path.is_file():
        raise FxkitError(
            f"{path}: {'is not an ordinary file' if path.exists() else 'no such file'}"
        )
    known, readable = [], []
    for name in FORMATS.names():
        try:
            cls = FORMATS.get(name)
        except PluginError:
            continue  # a broken one is no reason not to read with the others; `fxkit list` shows it
        if not _reads(cls):
            continue
        readable.append(name)
        if cls().sniff(path):
            known.append(name)
    if len(known) == 1:
        return known[0]
    if known:
        raise FxkitError(f"{path} could be of {' or '.join(known)}: say which with --format")
    raise FxkitError(f"{path} is none of the files that can be read: {', '.join(readable)}")


def read(path: Path, name: str | None, options: Mapping[str, Any]) -> Artifact:
    """Read a file, of the format called `name` or of the one that it looks like."""
    return make(name or recognise(path), options).read(path)


def write(
    artifact: Artifact, name: str, source: Path | None, out: Path | None, options: Mapping[str, Any]
) -> Exported:
    """Write a model as the format called `name`.

    Parameters
    ----------
    artifact
        The model.
    name
        The format's name.
    source
        The file that the model came from; gives the result its place and name if `out` is None.
    out
        The file to write; replaced.
    options
        Settings of the format.

    Raises
    ------
    FxkitError
        The format cannot hold this model exactly; says which setting to train with.
    """
    chosen = make(name, options)
    if out is None:
        if source is None:
            raise FxkitError("say which file to write")
        out = source.with_suffix(chosen.suffixes[0])
    if source is not None and out.exists() and out.samefile(source):
        raise FxkitError(f"{out} is the model itself: choose another name")
    chosen.write(artifact, out)
    return Exported(out, name, chosen.caution(artifact))


def _reads(cls: type[Format]) -> bool:
    from fxkit.format import Format

    return cls.read is not Format.read
