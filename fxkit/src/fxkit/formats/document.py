"""A stranger's JSON, read with distrust: every value is asked for by its type and its range.

Nothing that such a file claims takes more memory than the file itself; NaN, infinite numbers, deep
nesting and wrong types are errors of one line that say where.
"""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fxkit.errors import FxkitError

__all__ = ["Section", "matrix", "mentions", "named", "numbers", "read", "short"]

MAX_FILE = 1 << 28
"""256 MiB: a hundred times the largest model file that was seen."""
_MISSING: Any = object()


class Section:
    """A JSON object whose entries are asked for by type.

    Parameters
    ----------
    values
        The object.
    where
        What it is called in messages: ``config.layers[1]``; empty for the whole file.
    """

    def __init__(self, values: dict[str, Any], where: str = "") -> None:
        self.values = values
        self.where = where

    def name(self, key: str) -> str:
        """Return what the entry `key` is called in messages."""
        return f"{self.where}.{short(key)}" if self.where else short(key)

    def has(self, key: str) -> bool:
        """Say whether there is an entry that is not null."""
        return self.values.get(key) is not None

    def integer(self, key: str, low: int, high: int, default: Any = _MISSING) -> int:
        """Return a whole number from `low` to `high`."""
        value = self._get(key, default)
        if type(value) is not int or not low <= value <= high:
            raise self._wrong(key, f"a whole number from {low} to {high}")
        return value

    def integers(self, key: str, low: int, high: int) -> list[int]:
        """Return a list, not empty, of whole numbers from `low` to `high`."""
        found = self.items(key)
        if any(type(value) is not int or not low <= value <= high for value in found):
            raise self._wrong(key, f"a list of whole numbers from {low} to {high}")
        return found

    def number(self, key: str, default: Any = _MISSING) -> float:
        """Return a finite number."""
        value = self._get(key, default)
        if not _is_number(value):
            raise self._wrong(key, "a finite number")
        return float(value)

    def text(self, key: str, default: Any = _MISSING) -> str:
        """Return a text."""
        value = self._get(key, default)
        if not isinstance(value, str):
            raise self._wrong(key, "a text")
        return value

    def flag(self, key: str, default: Any = _MISSING) -> bool:
        """Return true or false."""
        value = self._get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def items(self, key: str) -> list[Any]:
        """Return a list with something in it."""
        value = self._get(key, _MISSING)
        if not isinstance(value, list) or not value:
            raise self._wrong(key, "a list with something in it")
        return value

    def section(self, key: str, default: Any = _MISSING) -> Section:
        """Return an object."""
        value = self._get(key, default)
        if not isinstance(value, dict):
            raise self._wrong(key, "an object")
        return Section(value, self.name(key))

    def sections(self, key: str) -> list[Section]:
        """Return a list, not empty, of objects."""
        found = self.items(key)
        if not all(isinstance(value, dict) for value in found):
            raise self._wrong(key, "a list of objects")
        return [Section(value, f"{self.name(key)}[{i}]") for i, value in enumerate(found)]

    def _get(self, key: str, default: Any) -> Any:
        value = self.values.get(key)
        if value is None:
            if default is _MISSING:
                raise FxkitError(f"{self.name(key)} is missing")
            return default
        return value

    def _wrong(self, key: str, wanted: str) -> FxkitError:
        return FxkitError(f"{self.name(key)} is {short(self.values.get(key))}, it must be {wanted}")


def read(path: Path) -> Section:
    """Read a file that must hold one JSON object of finite numbers.

    Raises
    ------
    FxkitError
        The file cannot be read, is too large, or is not that.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise FxkitError("is not an ordinary file")
        if status.st_size > MAX_FILE:
            raise FxkitError(f"has {status.st_size} bytes: too large for a model file")
        text = path.read_bytes().decode("utf-8-sig")
    except (UnicodeDecodeError, UnicodeEncodeError):
        raise FxkitError("is not text, so not a JSON model file") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        raise FxkitError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    try:
        values = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise FxkitError("is nested too deeply for a model file") from None
    except ValueError as error:
        raise FxkitError(f"is not a JSON model file: {short(error)}") from None
    if not isinstance(values, dict):
        raise FxkitError("is JSON, but not a model file: it must be one object")
    return Section(values)


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Put the name of the file in front of every error."""
    try:
        yield
    except FxkitError as error:
        raise type(error)(f"{path}: {error}") from error


def mentions(path: Path, *words: str) -> bool:
    """Say whether all `words` are near the start or the end of the file, as quoted JSON keys."""
    try:
        with path.open("rb") as file:
            start = file.read(1 << 16)
            file.seek(max(path.stat().st_size - (1 << 16), 0))
            both = start + b"\n" + file.read(1 << 16)
    except (OSError, ValueError):
        return False
    return both.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and all(
        b'"' + word.encode() + b'"' in both for word in words
    )


def numbers(value: Any, where: str, count: int | None = None) -> NDArray[np.float64]:
    """Return a flat list of finite numbers that 32 bits can hold, ``[n]``.

    Parameters
    ----------
    value
        What the file has.
    where
        Its name in messages.
    count
        How many it must be; None for any number.
    """
    if not isinstance(value, list) or not all(_is_number(v) for v in value):
        raise FxkitError(f"{where} must be a list of finite numbers")
    if count is not None and len(value) != count:
        raise FxkitError(f"{where} has {len(value)} numbers, it must have {count}")
    found = np.asarray(value, np.float64)
    if found.size and np.abs(found).max() > np.finfo(np.float32).max:
        raise FxkitError(f"{where} has a number that 32 bits cannot hold")
    return found


def matrix(value: Any, rows: int, columns: int, where: str) -> NDArray[np.float64]:
    """Return a list of lists of finite numbers, ``[rows, columns]``."""
    if not isinstance(value, list) or len(value) != rows:
        found = f"{len(value)} rows" if isinstance(value, list) else short(value)
        raise FxkitError(f"{where} has {found}, it must have {rows} rows")
    return np.stack([numbers(row, f"{where}[{i}]", columns) for i, row in enumerate(value)])


def short(value: Any) -> str:
    """Return a stranger's value as one short line."""
    if isinstance(value, str | Exception):
        text = str(value)
    elif isinstance(value, dict | list):
        text = f"a {type(value).__name__} of {len(value)}"
    else:
        text = "an enormous number" if type(value) is int and abs(value) > 1e30 else repr(value)
    line = " ".join(text.encode("utf-8", "replace").decode().split())
    return line if len(line) <= 80 else line[:77] + "..."


def _is_number(value: Any) -> bool:
    if type(value) is int:
        return abs(value) < 1 << 127
    return type(value) is float and math.isfinite(value)


def _refuse(word: str) -> float:
    raise ValueError(f"it holds {word}, which is not a number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"it holds {text[:20]}, too large for a number")
    return value
