"""Recipes: settings under a name, for ``fxkit run recipe=gru-distort-heavy``.

A recipe is a YAML file of the keys that ``fxkit run`` knows. Those that ship with fxkit lie beside
this file; a recipe of one's own is named by its path.
"""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path
from typing import Any

from fxkit.config.parse import read_yaml
from fxkit.errors import FxkitError
from fxkit.registry import nearest

__all__ = ["load", "names"]

_SUFFIXES = (".yaml", ".yml")


def names() -> list[str]:
    """Return the names of the recipes that ship with fxkit, in alphabetical order."""
    files = resources.files(__name__).iterdir()
    return sorted(entry.name.removesuffix(".yaml") for entry in files if _is_recipe(entry.name))


def load(name_or_path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the settings of a recipe.

    Parameters
    ----------
    name_or_path
        One of `names`, or a path: whatever ends in ``.yaml`` or ``.yml`` or holds a slash.

    Returns
    -------
    dict
        Dotted key to value, as from `fxkit.config.parse`.

    Raises
    ------
    FxkitError
        There is no such recipe (with the nearest names), or the file cannot be read as settings.
    """
    text = os.fspath(name_or_path)
    if text.endswith(_SUFFIXES) or "/" in text or os.sep in text:
        return read_yaml(Path(text).expanduser())
    known = names()
    if text not in known:
        near = nearest(text, known) or known
        raise FxkitError(
            f"no recipe {text!r}; did you mean {' or '.join(near)}? "
            "A file of your own is named by its path, as in recipe=./mine.yaml"
        )
    with resources.as_file(resources.files(__name__) / f"{text}.yaml") as path:
        return read_yaml(path)


def _is_recipe(file: str) -> bool:
    return file.endswith(".yaml")
