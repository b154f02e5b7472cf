"""The law of every `Config`: a frozen dataclass with defaults that survives JSON."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from fxkit.config import build, to_plain
from fxkit.errors import FxkitError
from fxkit.tuning.space import declared

__all__ = ["law_config_round_trips", "law_search_space"]


def law_config_round_trips(plugin: Any) -> None:
    """`Config` is a frozen dataclass, has a default for everything, and survives JSON."""
    cls = type(plugin)
    config_class = cls.Config
    name = f"{cls.__name__}.Config"
    if not (isinstance(config_class, type) and dataclasses.is_dataclass(config_class)):
        raise AssertionError(f"{name} is not a dataclass: decorate it with @dataclass(frozen=True)")
    parameters = getattr(config_class, "__dataclass_params__")  # noqa: B009 - not in its type
    if dataclasses.fields(config_class) and not parameters.frozen:
        raise AssertionError(f"{name} can be changed after it is made: use @dataclass(frozen=True)")
    required = [
        field.name
        for field in dataclasses.fields(config_class)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    if required:
        raise AssertionError(f"{name} has no default for {', '.join(required)}")
    silent = [f.name for f in dataclasses.fields(config_class) if not f.metadata.get("help")]
    if silent:
        raise AssertionError(
            f"{name} does not say what {', '.join(silent)} means: make its fields with option(...)"
        )
    for config in (config_class(), plugin.config):
        if not isinstance(config, config_class):
            raise AssertionError(
                f"{cls.__name__}.config is a {type(config).__name__}, not a {name}: "
                "pass the config to super().__init__"
            )
        plain = json.loads(json.dumps(to_plain(config)))
        again = build(config_class, plain, prefix="plugin")
        if again != config:
            raise AssertionError(f"{name} comes back from JSON as {again}, not as {config}")


def law_search_space(model: Any) -> None:
    """`search_space` declares settings of the model, with values that they take."""
    try:
        declared(type(model))
    except FxkitError as error:
        raise AssertionError(str(error)) from error
