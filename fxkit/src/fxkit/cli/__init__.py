"""The command line, ``fxkit``: one file for each command, and `main` that finds and guards them."""

from fxkit.cli.main import main

__all__ = ["main"]
