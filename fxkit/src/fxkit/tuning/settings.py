"""Everything that a search needs, resolved: the settings of a run, what is searched, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from fxkit.config import Settings, build, flatten, read_yaml, to_plain
from fxkit.config import resolve as resolve_run
from fxkit.config.settings import to_yaml
from fxkit.errors import FxkitError
from fxkit.registry import MODELS
from fxkit.search import Dimension
from fxkit.tuning.config import TuneConfig
from fxkit.tuning.space import declared, parse_dimension

__all__ = ["FILE", "Search", "load", "resolve"]

FILE = "study.yaml"
"""What a folder of a search is recognised by."""

SHORT = ("trials", "minutes", "jobs", "objectives", "storage")
"""Settings of `TuneConfig` that can be given without their ``tune.``."""

CHANGEABLE = ("trials", "minutes", "jobs", "final_epochs", "patience", "storage", "heartbeat")
"""Settings of `TuneConfig` that do not change what the trials mean."""


@dataclass(frozen=True)
class Search:
    """Everything that a search needs."""

    settings: Settings
    """Of each run, before what is searched is filled in. ``train.minutes`` is 0 if not given."""
    tune: TuneConfig
    space: dict[str, Dimension]
    """Setting to what it is searched over; not empty."""

    @property
    def name(self) -> str:
        """The name of the study."""
        return self.tune.name or f"{self.settings.task}-{self.settings.model}"

    def with_values(self, values: Mapping[str, Any], *, final: bool = False) -> Settings:
        """Return the settings of a run with `values` filled in: of a trial, or of the final one."""
        tune = self.tune
        made = resolve_run({**self.settings.to_plain(), **values})
        if final:
            epochs, patience = tune.final_epochs or 100, tune.patience
        else:
            epochs, patience = tune.epochs, 0
        return replace(made, train=replace(made.train, epochs=epochs, patience=patience))

    def to_yaml(self) -> str:
        """Return the text of a file from which `load` makes the same search."""
        from fxkit.tuning.storage import without_password

        tune = replace(self.tune, storage=without_password(self.tune.storage))
        kept = {f"tune.{key}": value for key, value in to_plain(tune).items()}
        kept |= {f"search.{key}": str(dimension) for key, dimension in self.space.items()}
        return to_yaml(self.settings) + yaml.safe_dump(kept, sort_keys=False, width=100)


def resolve(values: Mapping[str, Any]) -> Search:
    """Make a search of settings as from the command line.

    Whatever is given for a run (``model.hidden=48``) is kept fixed; a recipe is only the starting
    point. ``search.KEY`` changes what a setting is searched over.

    Parameters
    ----------
    values
        Dotted keys or nested groups, as for `fxkit.config.resolve`, with those of ``tune`` and
        ``search``.

    Raises
    ------
    FxkitError
        In one line, for an unknown key, a wrong value, or where nothing is left to search.
    """
    run, tune, search = _parted(values)
    for key in ("train.epochs", "train.patience"):
        if key in run:
            raise FxkitError(
                f"{key}: the search sets it; use tune.epochs for the trials, tune.final_epochs and "
                "tune.patience for the final training"
            )
    both = [key for key, text in search.items() if key in run and str(text).lower() != "none"]
    if both:
        raise FxkitError(f"{both[0]} is given and searched: leave out one, or search.{both[0]}")
    settings = resolve_run(run)
    if "train.minutes" not in run:
        settings = replace(settings, train=replace(settings.train, minutes=0.0))
    model = MODELS.get(settings.model)
    space = {key: dim for key, dim in declared(model).items() if key not in run}
    space = _changed(space, search, settings)
    if not space:
        raise FxkitError(
            "nothing to search: every setting that could be is given; leave one out, or say what "
            "to search, as in search.train.lr=0.001..0.05:log"
        )
    return Search(settings, _tune(tune), space)


def load(folder: Path, changes: Mapping[str, Any] | None = None) -> Search:
    """Read the search that was begun in `folder`, with some of its settings changed.

    Raises
    ------
    FxkitError
        If it is no such folder, or a setting cannot be changed any more.
    """
    file = folder / FILE
    if not file.is_file():
        raise FxkitError(f"{folder}: not the folder of a search: it has no {FILE}")
    run, tune, search = _parted(read_yaml(file))
    more_run, more_tune, more_search = _parted(changes or {})
    wrong = [key for key in more_run if key not in ("run.device", "train.threads")]
    wrong += [f"tune.{key}" for key in more_tune if key not in CHANGEABLE]
    wrong += [f"search.{key}" for key in more_search]
    if wrong:
        raise FxkitError(
            f"{wrong[0]} cannot be changed when a search is resumed, only "
            f"{', '.join(f'tune.{key}' for key in CHANGEABLE)}, run.device and train.threads"
        )
    settings = resolve_run({**run, **more_run})
    return Search(settings, _tune({**tune, **more_tune}), _changed({}, search, settings))


def _parted(
    values: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Part settings into those of a run, of ``tune`` and of ``search``, the prefix taken off."""
    run: dict[str, Any] = {}
    tune: dict[str, Any] = {}
    search: dict[str, Any] = {}
    for key, value in flatten(values).items():
        if key in SHORT:
            tune[key] = value
        elif key.startswith("tune."):
            tune[key.removeprefix("tune.")] = value
        elif key.startswith("search."):
            search[key.removeprefix("search.")] = value
        else:
            run[key] = value
    return run, tune, search


def _tune(values: Mapping[str, Any]) -> TuneConfig:
    given = {
        k: v.split(",") if k == "objectives" and isinstance(v, str) else v
        for k, v in values.items()
    }
    return build(TuneConfig, given, prefix="tune")


def _changed(
    space: dict[str, Dimension], search: Mapping[str, Any], settings: Settings
) -> dict[str, Dimension]:
    """Return `space` with what ``search.*`` says."""
    model = MODELS.get(settings.model)
    changed = dict(space)
    for key, text in search.items():
        dimension = parse_dimension(key, text, model)
        if dimension is None:
            changed.pop(key, None)
        else:
            changed[key] = dimension
    return changed
