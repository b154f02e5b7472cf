"""What the calls share: models by path, settings from files and words, progress."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fxkit.errors import FxkitError
from fxkit.progress import Progress, SilentProgress, for_stream

__all__ = ["PathLike", "model_file", "need_torch", "progress_of", "values_of"]

PathLike = str | os.PathLike[str]


def values_of(config: PathLike | Sequence[PathLike], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of YAML files and then those given, by dotted key."""
    from fxkit.config import flatten, read_yaml

    values: dict[str, Any] = {}
    for file in [config] if isinstance(config, str | os.PathLike) else config:
        values |= read_yaml(Path(file))
    return values | flatten(settings)


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


def progress_of(wanted: Progress | bool) -> Progress:
    """Return the progress that the caller of `run` and others asked for."""
    if isinstance(wanted, bool):
        return for_stream() if wanted else SilentProgress()
    return wanted


def model_file(path: PathLike) -> Path:
    """Return the model file at a path, or in the run folder there."""
    found = Path(path)
    inside = found / "model.fxkit"
    if found.is_dir():
        if not inside.is_file():
            raise FxkitError(f"{found}: a folder without a model.fxkit")
        return inside
    return found
