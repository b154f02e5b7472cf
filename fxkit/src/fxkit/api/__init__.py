"""The Python calls behind the commands; import them from `fxkit` itself.

Each raises `fxkit.FxkitError`, with one line that says what to do, for whatever the user can mend.
"""

from fxkit.api.files import bootstrap, export, import_model
from fxkit.api.installed import REGISTRIES, check, plugins
from fxkit.api.playing import bench, evaluate, info, open, render  # noqa: A004
from fxkit.api.training import run, tune, tune_worker

__all__ = [
    "REGISTRIES",
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
    "tune_worker",
]
