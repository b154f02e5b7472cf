"""``fxkit allow``: let the program in a model file run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from fxkit.cli.arguments import Parser, show_json
from fxkit.errors import ArtifactError

__all__ = ["run"]


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    parser = Parser(
        "allow",
        "Show whose program a model file holds, and let it run on this machine: in fxkit, in the "
        "plug-in, in every player. A program can do harm; allow only those whose source you trust.",
    )
    parser.add_argument("model", type=Path, metavar="FILE", help="a model file with a program")
    parser.add_argument("--show", action="store_true", help="only show it")
    parser.add_json()
    parsed = parser.read(arguments)
    from fxkit import allowed, container, program
    from fxkit.artifact import MANIFEST_KEY
    from fxkit.manifest import Manifest

    try:
        metadata, tensors = container.read(parsed.model)
        manifest = Manifest.from_json(metadata.get(MANIFEST_KEY, ""))
        found = program.read(metadata, tensors)
    except ArtifactError as error:
        raise ArtifactError(f"{parsed.model}: {error}") from error
    if found is None:
        raise ArtifactError(f"{parsed.model}: it holds no program; it plays without being allowed")
    if not parsed.show:
        allowed.add(found.info.sha256, f"{manifest.name}, {manifest.author or 'unknown author'}")
    shown = {
        "name": manifest.name,
        "author": manifest.author,
        "backend": f"{found.info.backend} {found.info.version}",
        "bytes": len(found.data),
        "sha256": found.info.sha256,
        "allowed": allowed.contains(found.info.sha256),
    }
    if parsed.json:
        show_json(shown)
        return 0
    for key, value in shown.items():
        text = ("yes" if value else "no") if isinstance(value, bool) else str(value) or "unknown"
        sys.stdout.write(f"{key:9}{text}\n")
    return 0
