"""fxkit's own model file, as a format like any other."""

from __future__ import annotations

from pathlib import Path

from fxkit.artifact import VERSION_KEY, Artifact, save
from fxkit.artifact import open as open_artifact
from fxkit.format import Format

__all__ = ["Native"]


class Native(Format):
    """The model file of fxkit: weights, manifest, graph and probe (.fxkit)."""

    title = "fxkit model file"
    suffixes = (".fxkit",)

    def sniff(self, path: Path) -> bool:
        """Say whether the file begins as a safetensors file does, with our manifest in it."""
        try:
            with path.open("rb") as file:
                start = file.read(1 << 16)
        except OSError:
            return False
        return start[8:9] == b"{" and VERSION_KEY.encode() in start

    def write(self, artifact: Artifact, path: Path) -> None:
        """Write the model to `path`, complete or not at all."""
        save(path, artifact.model, artifact.manifest)

    def read(self, path: Path) -> Artifact:
        """Open a model file and let it prove itself."""
        return open_artifact(path)
