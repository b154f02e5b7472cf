"""What was found, as a recipe that ``fxkit run recipe=FILE`` trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from fxkit.config import keys
from fxkit.config.settings import to_yaml
from fxkit.files import write_text
from fxkit.tuning.records import TrialRecord
from fxkit.tuning.settings import Search

__all__ = ["recipe_text", "write_recipe"]


def write_recipe(path: Path, search: Search, record: TrialRecord, trials: int) -> None:
    """Write the recipe of one trial, complete or not at all.

    Parameters
    ----------
    trials
        How many trials it was chosen from.
    """
    write_text(path, recipe_text(search, record, trials))


def recipe_text(search: Search, record: TrialRecord, trials: int) -> str:
    """Return the recipe of one trial as YAML.

    It names the plug-ins, every setting of the model, what was searched, the length of the final
    training, and whatever else differs from the defaults. The training is bound by epochs unless
    ``train.minutes`` was given, so that it gives the same numbers again.
    """
    settings = search.with_values(record.params, final=True)
    # As in a run's own settings, paths are absolute: the recipe means the same everywhere.
    plain: dict[str, Any] = yaml.safe_load(to_yaml(settings))
    choice = {"task": settings.task, "model": settings.model, "loss": settings.loss}
    listed = keys(choice)
    defaults = {info.key: info.default for infos in listed.values() for info in infos}
    always = {*choice, *record.params, "train.minutes", "train.epochs", "train.patience"}
    body = {
        key: value
        for key, value in plain.items()
        if key in always
        or key.startswith("model.")
        or (key != "run.dir" and _plain(defaults.get(key)) != value)
    }
    lines = [
        f"# {settings.model}, {settings.task}: trial {record.number} of a search of {trials}.",
        "# fxkit run recipe=THIS_FILE trains it.",
        *(
            f"# search_{name} {value!r}"
            for name, value in zip(search.tune.objectives, record.values, strict=True)
        ),
    ]
    if record.esr is not None and "esr" not in search.tune.objectives:
        lines.append(f"# search_esr {record.esr!r}")
    lines.append(f"# n_trials {trials}")
    return "\n".join(lines) + "\n" + _lines(body, set(record.params))


def _lines(body: dict[str, Any], searched: set[str]) -> str:
    text = []
    for key, value in body.items():
        line = yaml.safe_dump({key: value}, default_flow_style=False, width=1000).rstrip()
        text.append(f"{line}  # searched" if key in searched else line)
    return "\n".join(text) + "\n"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
