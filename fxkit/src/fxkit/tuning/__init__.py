"""The search for good hyper-parameters: `fxkit.tune`.

Imports no torch and no Optuna until a search begins.
"""

from fxkit.tuning.config import TuneConfig
from fxkit.tuning.settings import Search, load, resolve

__all__ = ["Search", "TuneConfig", "load", "resolve"]
