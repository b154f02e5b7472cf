"""The format contract: one file type that models can be written to, read from, or both."""

from __future__ import annotations

from abc import ABC
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from fxkit.errors import FxkitError
from fxkit.options import NoOptions

if TYPE_CHECKING:
    from fxkit.artifact import Artifact

__all__ = ["Format"]


class Format(ABC):
    """Writes and/or reads one file type.

    A subclass registers itself in the entry-point group ``fxkit.formats``. A writer refuses, by
    raising `FxkitError` with the setting to change, whatever the format's own player would not
    compute exactly: a file that sounds different from the model is worse than none.
    """

    Config: ClassVar[type] = NoOptions

    title: ClassVar[str]
    """What the file type is, for ``fxkit list``."""

    suffixes: ClassVar[tuple[str, ...]]
    """File name endings, with the dot, most usual first."""

    def __init__(self, config: Any = None) -> None:
        self.config = config if config is not None else self.Config()

    def sniff(self, path: Path) -> bool:
        """Say whether the file looks like this format; reads a few bytes at most."""
        return path.name.lower().endswith(self.suffixes)

    def caution(self, artifact: Artifact) -> str:
        """Return what a user should know who is given this model in this format; mostly empty."""
        return ""

    def write(self, artifact: Artifact, path: Path) -> None:
        """Write the model to `path`, complete or not at all."""
        raise FxkitError(f"{self.title}: this format can be read but not written")

    def read(self, path: Path) -> Artifact:
        """Read a model from `path`."""
        raise FxkitError(f"{self.title}: this format can be written but not read")
