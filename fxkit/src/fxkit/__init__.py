"""fxkit learns a guitar effect from a pair of recordings and plays it live.

Everything that the command line does is one call here: `run`, `open`, `render`, `evaluate`, `info`,
`check`, `bench`, `plugins`, `bootstrap`, `tune`, `import_model`, `export`. All of them, and the
modules of the package, are imported on first use: ``import fxkit`` itself is instant.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fxkit.api import (
        bench,
        bootstrap,
        check,
        evaluate,
        export,
        import_model,
        info,
        open,  # noqa: A004
        plugins,
        render,
        run,
        tune,
    )
    from fxkit.errors import ArtifactError, FxkitError, PluginError

__all__ = [
    "ArtifactError",
    "FxkitError",
    "PluginError",
    "bench",
    "bootstrap",
    "check",
    "evaluate",
    "export",
    "import_model",
    "info",
    "open",
    "plugins",
    "render",
    "run",
    "tune",
]

_HOME = {name: "fxkit.errors" if name.endswith("Error") else "fxkit.api" for name in __all__}
_MODULES = (
    *("artifact", "data", "errors", "format", "graph", "loss", "model", "options"),
    *("progress", "registry", "task", "testing"),
)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"fxkit.{name}")
    raise AttributeError(f"module 'fxkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
