"""Settings: from files and ``key=value`` to frozen dataclasses, checked, and back.

A setting has a dotted key: ``model.hidden``, ``train.lr``. The names of the chosen plug-ins are
settings too: ``task``, ``model``, ``loss``. Values may come as text (command line and YAML files;
the type of the setting decides what the text means) or as Python values.
"""

from fxkit.config.build import OptionInfo, build, describe, to_plain
from fxkit.config.expression import Term, parse_loss
from fxkit.config.parse import flatten, parse, read_yaml
from fxkit.config.settings import Settings, build_loss, chosen, keys, resolve, to_yaml

__all__ = [
    "OptionInfo",
    "Settings",
    "Term",
    "build",
    "build_loss",
    "chosen",
    "describe",
    "flatten",
    "keys",
    "parse",
    "parse_loss",
    "read_yaml",
    "resolve",
    "to_plain",
    "to_yaml",
]
