"""Read settings from YAML files and from ``key=value`` into one flat dictionary of dotted keys."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from fxkit.errors import FxkitError

__all__ = ["flatten", "parse", "read_yaml"]

SHORT = {
    "data": "data.path",
    "device": "run.device",
    "model.name": "model",
    "task.name": "task",
    "loss.name": "loss",
}
"""Other ways to write a key."""

_KEY = re.compile(r"[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*$")
_LARGEST = 1 << 20
_MOST = 10_000


class _TextLoader(yaml.SafeLoader):
    """YAML whose plain scalars stay text, null aside, and whose keys come once.

    The type of a setting decides what its text means, so none of YAML 1.1's surprises apply: 1e-2
    is a number where a number is wanted, and ``no`` is text where text is wanted.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key, _ in node.value:
            if names.count(key.value) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value!r} is there twice", key.start_mark
                )
        return super().construct_mapping(node, deep)


_TextLoader.yaml_implicit_resolvers = {
    first: kept
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    if (kept := [(tag, pattern) for tag, pattern in resolvers if tag.endswith(":null")])
}


def parse(arguments: Sequence[str], files: Sequence[Path] = ()) -> dict[str, Any]:
    """Read `files`, then ``key=value`` arguments; what comes later wins.

    Returns
    -------
    dict
        Dotted key to value; text where it came as text.

    Raises
    ------
    FxkitError
        If a file cannot be read as settings, or an argument is not ``key=value``.
    """
    values: dict[str, Any] = {}
    for file in files:
        values.update(read_yaml(file))
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or not _KEY.match(key.strip()):
            raise FxkitError(f"{argument!r} is not a setting: write key=value, as in train.lr=0.01")
        values.update(flatten({key.strip(): value.strip()}))
    return values


def read_yaml(file: Path) -> dict[str, Any]:
    """Read one file of settings; nested groups and dotted keys are the same.

    Raises
    ------
    FxkitError
        If the file is missing, unreadable, not YAML or not a list of settings.
    """
    try:
        if file.is_file() and file.stat().st_size > _LARGEST:
            raise FxkitError(f"{file}: too large for a file of settings")
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FxkitError(f"{file}: no such file") from None
    except IsADirectoryError:
        raise FxkitError(f"{file}: is a folder, not a file of settings") from None
    except UnicodeDecodeError:
        raise FxkitError(f"{file}: not a text file") from None
    except OSError as error:
        raise FxkitError(f"{file}: cannot be read: {error.strerror}") from None
    try:
        found = yaml.load(text, Loader=_TextLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise FxkitError(f"{file}{_where(error)}") from None
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise FxkitError(f"{file}: holds no settings; write lines such as 'train.lr: 0.01'")
    try:
        return flatten(found)
    except FxkitError as error:
        raise FxkitError(f"{file}: {error}") from None


def flatten(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Turn nested groups into dotted keys, and short keys into full ones.

    ``{"model": {"name": "gru", "hidden": 8}}`` is ``{"model": "gru", "model.hidden": 8}``.
    """
    flat: dict[str, Any] = {}

    def add(prefix: str, group: Mapping[Any, Any], depth: int) -> None:
        for key, value in group.items():
            if not isinstance(key, str) or not _KEY.match(key) or depth > 8:
                raise FxkitError(f"{prefix}{key} is not the key of a setting")
            if isinstance(value, Mapping):
                add(f"{prefix}{key}.", value, depth + 1)
            else:
                flat[SHORT.get(prefix + key, prefix + key)] = value
            # A small file can repeat itself by references, without end for all we know.
            if len(flat) > _MOST:
                raise FxkitError("too many settings")

    add("", values, 0)
    return flat


def _where(error: Exception) -> str:
    """Say in one line what is wrong with a YAML file, and in which of its lines."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "not YAML"
    line = f", line {mark.line + 1}" if mark is not None else ""
    return f"{line}: {' '.join(str(problem).split())}"
