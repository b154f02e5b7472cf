"""``fxkit version``."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from fxkit.cli.arguments import Parser, show_json

__all__ = ["run"]

_SHOWN = ("fxkit", "fxkit-models", "fxkit-losses", "fxkit-engine", "torch", "torchaudio", "numpy")


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser("version", "Show the versions of fxkit and of what it stands on.")
    parser.add_json()
    parsed = parser.read(arguments)
    versions = {name: _version(name) for name in _SHOWN} | {"python": platform.python_version()}
    if parsed.json:
        show_json(versions)
    else:
        for name, number in versions.items():
            sys.stdout.write(f"{name} {number or 'is not installed'}\n")
    return 0


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
