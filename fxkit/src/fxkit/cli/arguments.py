"""What the commands share: arguments, progress, and output for people or for scripts."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from fxkit.errors import FxkitError
from fxkit.progress import Progress, SilentProgress, for_stream

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Parser", "console", "knob", "number", "progress_for", "settings", "show_json"]


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are errors of one line, like all others.

    Parameters
    ----------
    command
        The name of the command.
    description
        What it does.
    """

    def __init__(self, command: str, description: str, **options: Any) -> None:
        super().__init__(
            prog=f"fxkit {command}", description=description, allow_abbrev=False, **options
        )

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print."""
        # argparse counts key=value, of which there may be none, among what is missing.
        raise FxkitError(f"{message.replace(', key=value', '')}; see {self.prog} --help")

    def add_settings(self, meaning: str) -> None:
        """Add ``key=value`` arguments, of which there may be none, and ``--config``."""
        self.add_argument("settings", nargs="*", metavar="key=value", help=meaning)
        self.add_argument(
            "--config",
            action="append",
            default=[],
            type=Path,
            metavar="FILE",
            help="a YAML file of settings, read before key=value; may be given several times",
        )

    def add_knobs(self) -> None:
        """Add ``--knob``; `knob` reads what comes of it."""
        self.add_argument(
            "--knob",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="set a knob of the model, from 0 to 1; may be given several times",
        )

    def add_listing_help(self, meaning: str) -> None:
        """Add ``--help`` as an option that the command itself answers."""
        self.add_argument("-h", "--help", action="store_true", help=meaning)

    def add_json(self) -> None:
        """Add ``--json``."""
        self.add_argument(
            "--json", action="store_true", help="print one JSON document, and nothing else"
        )

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse, with options anywhere between the other arguments."""
        return self.parse_intermixed_args(list(arguments))


def console() -> Console:
    """Return standard output for tables."""
    from rich.console import Console

    class Quiet(Console):
        def on_broken_pipe(self) -> NoReturn:
            # rich would exit with 1; `main` knows better.
            raise BrokenPipeError

    return Quiet(highlight=False)


def settings(arguments: Sequence[str]) -> dict[str, Any]:
    """Turn ``key=value`` arguments into settings."""
    from fxkit.config import parse

    return parse(arguments)


def knob(text: str) -> tuple[str, float]:
    """Turn ``NAME=VALUE`` of ``--knob`` into both."""
    name, equals, value = text.rpartition("=")
    try:
        if equals and name:
            return name, float(value)
    except ValueError:
        pass
    raise FxkitError(f"--knob {text}: write NAME=VALUE with a value from 0 to 1")


def progress_for(as_json: bool) -> Progress:
    """Return bars or lines on standard error, or warnings alone where a script is listening."""
    return SilentProgress() if as_json else for_stream()


def show_json(document: Any) -> None:
    """Print one JSON document on standard output."""
    sys.stdout.write(json.dumps(document, indent=1, allow_nan=False) + "\n")


def number(value: float | None, digits: int = 4) -> str:
    """Return a number with some significant digits, or a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "-"
    return f"{value:.{digits}g}"
