"""What can be wrong with a graph."""

from __future__ import annotations

from fxkit.errors import FxkitError

__all__ = ["GraphError", "NotExportableError"]


class GraphError(FxkitError):
    """A graph is not one that the engine could run: an unknown layer, shapes that do not fit."""


class NotExportableError(FxkitError):
    """A model cannot be described as engine layers; the message says why and what to do."""
