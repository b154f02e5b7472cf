"""`dataset.yaml`: the list of a data set's recording pairs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fxkit.errors import FxkitError

__all__ = ["MANIFEST", "Manifest", "Pair", "read_manifest", "write_manifest"]

MANIFEST = "dataset.yaml"
"""The name of the manifest in a data set's folder."""

ChannelName = Literal["left", "right", "mix"] | Annotated[int, Field(ge=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Pair(_Strict):
    """One recording pair. File names are relative to the manifest's folder.

    Attributes
    ----------
    clean, wet
        The two files.
    name
        For messages and the report; the wet file's name if not given.
    controls
        The effect's knobs and their values in 0..1; every pair names the same knobs.
    split
        Use the whole pair for this part.
    channel, clean_channel, wet_channel
        Which channel of stereo files, of both or of either; ``data.channel`` if not given.
    align
        As ``data.align``, for this pair alone.
    estimated
        The side that a model has made, if any.
    estimated_by
        The model that has made it.
    gear
        What was recorded.
    """

    clean: str
    wet: str
    name: str | None = None
    controls: dict[str, Annotated[float, Field(ge=0.0, le=1.0)]] = {}
    split: Literal["train", "validation", "test"] | None = None
    channel: ChannelName | None = None
    clean_channel: ChannelName | None = None
    wet_channel: ChannelName | None = None
    align: int | Literal["auto", "off"] | None = None
    estimated: Literal["clean", "wet"] | None = None
    estimated_by: str | None = None
    gear: str | None = None


class Manifest(_Strict):
    """The contents of a `dataset.yaml`.

    Attributes
    ----------
    pairs
        At least one.
    name, gear
        What the data set is; shown in the report.
    sample_rate
        In Hz; that of the first file if not given.
    """

    pairs: Annotated[list[Pair], Field(min_length=1)]
    name: str | None = None
    gear: str | None = None
    sample_rate: Annotated[int, Field(ge=1000, le=768_000)] | None = None

    @property
    def control_names(self) -> tuple[str, ...]:
        """The knobs, in the order in which the first pair names them."""
        return tuple(self.pairs[0].controls)


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest.

    Raises
    ------
    FxkitError
        It cannot be read, is not YAML, or an entry is missing, unknown or out of range.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FxkitError(f"no such file: {path}") from None
    except OSError as error:
        raise FxkitError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise FxkitError(f"{path} is not a text file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "cannot be understood"
        raise FxkitError(f"{path} is not valid YAML{line}: {problem}") from None
    if not isinstance(values, dict):
        raise FxkitError(f"{path}: expected an entry 'pairs' with a list of clean and wet files")
    try:
        manifest = Manifest.model_validate(values)
    except ValidationError as error:
        raise FxkitError(f"{path}: {_first_problem(error)}") from None
    _check(path, manifest.pairs)
    return manifest


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    where = ""
    for part in problem["loc"]:
        if isinstance(part, int):
            where += f"[{part + 1}]"
        elif not part.startswith(("literal", "constrained", "int")):  # branches of a union
            where += f".{part}" if where else part
    if problem["type"] == "extra_forbidden":
        known = ", ".join((Pair if "[" in where else Manifest).model_fields)
        return f"{where} is not a known entry; known are: {known}"
    message = problem["msg"][:1].lower() + problem["msg"][1:]
    return f"{where}: {message}"


def _check(path: Path, pairs: Sequence[Pair]) -> None:
    first = pairs[0]
    recorded = any(pair.estimated is None for pair in pairs)
    # Where nothing was recorded on both sides, something has to say when to stop.
    judges = ("validation", "test") if recorded else ("test",)
    for number, pair in enumerate(pairs, 1):
        if set(pair.controls) != set(first.controls):
            raise FxkitError(
                f"{path}: pairs[{number}].controls names {_names(pair)}, pairs[1].controls "
                f"{_names(first)}: every pair must give the same knobs"
            )
        if pair.estimated is not None and pair.split in judges:
            raise FxkitError(
                f"{path}: pairs[{number}] has an estimated side, so it cannot be marked for "
                f"{pair.split}: only what was recorded says how good a model is"
            )


def _names(pair: Pair) -> str:
    return ", ".join(pair.controls) or "no knobs"


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write a manifest, complete or not at all."""
    values = manifest.model_dump(mode="json", exclude_defaults=True)
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise FxkitError(f"cannot write {path}: {error.strerror or error}") from None
