"""A model that came out of another player's file, as an artefact like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fxkit.artifact import Artifact, Control, Manifest
from fxkit.formats.document import Section
from fxkit.graph import GraphModel
from fxkit.manifest import GRAPH_ONLY

__all__ = ["artifact", "text"]


def artifact(
    model: GraphModel, path: Path, *, source: dict[str, Any], name: str = "", **entries: Any
) -> Artifact:
    """Return the artefact of an imported model.

    Parameters
    ----------
    model
        Its knobs are called ``knob 1``, ... and stand at 0.5, where such files have been trained.
    path
        The file; its stem is the name of a model that has none.
    source
        What the file says about itself, JSON values, kept under ``training.imported``.
    name, entries
        Entries of the manifest.
    """
    manifest = Manifest(
        name=(name or path.stem)[:10_000],
        model=GRAPH_ONLY,
        sample_rate=model.sample_rate,
        latency=model.latency,
        controls=tuple(Control(f"knob {i + 1}", 0.5) for i in range(model.controls)),
        training={"imported": {"file": path.name, **source}},
        **entries,
    )
    return Artifact(manifest, model, model.spec, model.tensors())


def text(section: Section, *keys: str) -> str:
    """Return the texts among entries that are there, joined: ``Marshall JCM800``."""
    found = [section.values.get(key) for key in keys]
    words = [word.strip() for word in found if isinstance(word, str) and word.strip()]
    # A lone surrogate is JSON, but nothing can be written with it.
    return " ".join(words).encode("utf-8", "replace").decode()[:10_000]
