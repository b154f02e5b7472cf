"""What every format keeps, each law a function that raises AssertionError when it is broken."""

# ruff: noqa: D401 - a law is stated, not commanded
from __future__ import annotations

import tempfile
from pathlib import Path
from unittest import SkipTest

import numpy as np

from fxkit.artifact import Artifact
from fxkit.errors import FxkitError
from fxkit.format import Format

__all__ = [
    "law_failed_write_leaves_nothing",
    "law_junk_is_refused",
    "law_reads_what_it_writes",
    "law_sniffs",
    "law_suffixes",
    "law_writes_or_reads",
]


def law_suffixes(format: Format) -> None:  # noqa: A002 - the contract's name
    """The format has a title and file name endings in lower case that begin with a dot."""
    title, suffixes = getattr(format, "title", None), getattr(format, "suffixes", None)
    if not isinstance(title, str) or not title.strip():
        raise AssertionError(f"title is {title!r}; it has to say what the file type is")
    if not isinstance(suffixes, tuple) or not suffixes:
        raise AssertionError(f"suffixes is {suffixes!r}; it has to be a tuple of endings")
    for suffix in suffixes:
        if not (isinstance(suffix, str) and suffix.startswith(".") and suffix == suffix.lower()):
            raise AssertionError(f"suffix {suffix!r} has to be lower case and begin with a dot")


def law_writes_or_reads(format: Format) -> None:  # noqa: A002
    """The format implements `write` or `read`."""
    cls = type(format)
    if cls.write is Format.write and cls.read is Format.read:
        raise AssertionError(f"{cls.__name__} implements neither write nor read")


def law_sniffs(format: Format) -> None:  # noqa: A002
    """`sniff` answers True or False for any file, an empty one and one of noise included."""
    with tempfile.TemporaryDirectory() as folder:
        for path in _junk(Path(folder), format):
            answer = format.sniff(path)
            if not isinstance(answer, bool):
                raise AssertionError(f"sniff({path.name}) gives {answer!r}, not True or False")


def law_junk_is_refused(format: Format) -> None:  # noqa: A002
    """Reading an empty file, noise or text is an `FxkitError`, of one line."""
    if type(format).read is Format.read:
        raise SkipTest("this format is only written")
    with tempfile.TemporaryDirectory() as folder:
        for path in [*_junk(Path(folder), format), Path(folder) / f"none{format.suffixes[0]}"]:
            try:
                format.read(path)
            except FxkitError as error:
                if "\n" in str(error):
                    raise AssertionError(f"the error has several lines: {error}") from error
            except Exception as error:
                raise AssertionError(
                    f"reading {path.stem} raises {type(error).__name__}: {error}; it has to be an "
                    "FxkitError"
                ) from error
            else:
                raise AssertionError(f"a file of {path.stem} is read as if it were a model")


def law_reads_what_it_writes(format: Format, artifact: Artifact) -> None:  # noqa: A002
    """A model that was written and read plays the same, within 1e-5 of its peak.

    Compared is what comes after a second of silence: some formats hold the settled state.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = _written(format, artifact, Path(folder))
        if not format.sniff(path):
            raise AssertionError("sniff does not recognise the format's own file")
        if type(format).read is Format.read:
            return
        back = format.read(path)
    rate = artifact.manifest.sample_rate
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 4000)
    x = np.concatenate((np.zeros(rate), noise)).astype(np.float32)
    knobs = [control.default for control in artifact.manifest.controls] or None
    expected, got = (a.render(x, rate, knobs)[rate:] for a in (artifact, back))
    difference = float(np.abs(expected - got).max() / max(float(np.abs(expected).max()), 1e-6))
    if not difference <= 1e-5:
        raise AssertionError(f"what was written reads back {difference:.1e} of the peak away")


def law_failed_write_leaves_nothing(format: Format, artifact: Artifact) -> None:  # noqa: A002
    """Writing over a folder fails with an `FxkitError`, and nothing half-written stays."""
    with tempfile.TemporaryDirectory() as folder:
        _written(format, artifact, Path(folder)).unlink()
        target = Path(folder) / f"taken{format.suffixes[0]}"
        (target / "inside").mkdir(parents=True)
        try:
            format.write(artifact, target)
        except FxkitError:
            pass
        except Exception as error:
            raise AssertionError(
                f"writing over a folder raises {type(error).__name__}: {error}; it has to be an "
                "FxkitError"
            ) from error
        else:
            raise AssertionError("writing over a folder reports success")
        left = [path.name for path in Path(folder).iterdir() if path != target]
        if left or [path.name for path in target.iterdir()] != ["inside"]:
            raise AssertionError(f"a failed write leaves files behind: {', '.join(left)}")


def _written(format: Format, artifact: Artifact, folder: Path) -> Path:  # noqa: A002
    if type(format).write is Format.write:
        raise SkipTest("this format is only read")
    path = folder / f"model{format.suffixes[0]}"
    try:
        format.write(artifact, path)
    except FxkitError as error:
        if path.exists():
            raise AssertionError("a refused write leaves a file behind") from error
        raise SkipTest(f"the format refuses the model of this law: {error}") from error
    if not path.exists():
        raise AssertionError("write returns, but there is no file")
    return path


def _junk(folder: Path, format: Format) -> list[Path]:  # noqa: A002
    suffix = format.suffixes[0]
    contents = {
        "nothing": b"",
        "noise": np.random.default_rng(1).bytes(4096),
        "text": b"{}\n" * 100,
        "zeros": bytes(4096),
    }
    paths = []
    for stem, data in contents.items():
        path = folder / f"{stem}{suffix}"
        path.write_bytes(data)
        paths.append(path)
    return paths
