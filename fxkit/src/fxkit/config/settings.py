"""Everything that a run needs, resolved: the chosen plug-ins and all their settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from fxkit.config.build import OptionInfo, build, describe, to_plain
from fxkit.config.expression import Term, parse_loss
from fxkit.config.parse import flatten
from fxkit.errors import FxkitError
from fxkit.registry import LOSSES, MODELS, TASKS, nearest
from fxkit.run_config import RunConfig
from fxkit.train_config import TrainConfig

if TYPE_CHECKING:
    from fxkit.data.config import DataConfig
    from fxkit.loss import Loss

__all__ = ["DEFAULTS", "Settings", "build_loss", "chosen", "keys", "resolve", "to_yaml"]

DEFAULTS = {"task": "distort", "model": "gru"}
"""What is learned, and by which model, when the user does not say."""

_PATHS = ("data.path", "data.clean", "data.wet", "run.dir", "run.reference", "task.amplifier")


@dataclass(frozen=True)
class Settings:
    """Everything a run needs."""

    task: str
    model: str
    loss: str
    """A loss expression, as in ``esr+0.1*mrstft``."""
    task_config: Any
    model_config: Any
    data: DataConfig
    train: TrainConfig
    run: RunConfig
    loss_options: dict[str, dict[str, Any]]
    """Name of each loss in the expression to all its options."""

    def to_plain(self) -> dict[str, Any]:
        """Return dotted keys and JSON values; `resolve` makes the same settings of them."""
        plain: dict[str, Any] = {"task": self.task, "model": self.model, "loss": self.loss}
        groups = {"task": self.task_config, "model": self.model_config}
        for name, config in groups.items():
            plain |= flatten({name: to_plain(config)})
        for name, options in self.loss_options.items():
            plain |= flatten({"loss": {name: options}})
        for name, config in {"data": self.data, "train": self.train, "run": self.run}.items():
            plain |= flatten({name: to_plain(config)})
        return plain


@dataclass(frozen=True)
class _Chosen:
    """The plug-ins of a run."""

    task: str
    model: str
    loss: str
    terms: tuple[Term, ...]
    groups: dict[str, type[Any]]
    """Prefix of keys (``train``, ``loss.esr``) to the dataclass behind it, in order of help."""
    defaults: Mapping[str, Any]
    """What the model asks for of ``train``, in the place of its general defaults."""

    def full_key(self, key: str) -> str:
        """Turn ``loss.OPTION`` into ``loss.NAME.OPTION`` where there is only one loss."""
        parts = key.split(".")
        if parts[0] != "loss" or len(parts) < 2 or len(self.terms) > 1:
            return key
        if len(parts) > 2 and parts[1] in (self.terms[0].name, *LOSSES.names()):
            return key
        return ".".join(["loss", self.terms[0].name, *parts[1:]])

    def prefix(self, key: str) -> str | None:
        """Return the group that has the setting `key`, or None."""
        for prefix, cls in self.groups.items():
            if key.startswith(prefix + "."):
                known = [info.key for info in describe(cls, prefix)]
                # A setting that is a dataclass itself can be given whole.
                if any(k == key or k.startswith(key + ".") for k in known):
                    return prefix
        return None


def resolve(values: Mapping[str, Any]) -> Settings:
    """Choose the plug-ins and make all their settings.

    Parameters
    ----------
    values
        Dotted keys or nested groups, as from `parse`. ``recipe`` names a recipe whose settings
        come first.

    Raises
    ------
    FxkitError
        In one line, for an unknown name or key (with the nearest), or a value of a wrong type.
    """
    flat = _with_recipe(flatten(values))
    chosen = _choose(flat)
    parts: dict[str, dict[str, Any]] = {prefix: {} for prefix in chosen.groups}
    for given, value in flat.items():
        key = chosen.full_key(given)
        if key in ("task", "model", "loss"):
            continue
        prefix = chosen.prefix(key)
        if prefix is None:
            raise FxkitError(_unknown(given, chosen))
        parts[prefix][key.removeprefix(prefix + ".")] = _path(key, value)
    parts["train"] = {**chosen.defaults, **parts["train"]}
    made = {p: build(cls, parts[p], prefix=p) for p, cls in chosen.groups.items()}
    return Settings(
        task=chosen.task,
        model=chosen.model,
        loss=chosen.loss,
        task_config=made["task"],
        model_config=made["model"],
        data=made["data"],
        train=made["train"],
        run=made["run"],
        loss_options={t.name: to_plain(made[f"loss.{t.name}"]) for t in chosen.terms},
    )


def chosen(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the ``task``, ``model`` and ``loss`` of a run, by name; `values` as for `resolve`."""
    found = _choose(_with_recipe(flatten(values)))
    return {"task": found.task, "model": found.model, "loss": found.loss}


def keys(values: Mapping[str, Any]) -> dict[str, list[OptionInfo]]:
    """List every setting of the chosen model, loss and task, and of data, training and run.

    Parameters
    ----------
    values
        As for `resolve`. Those of ``recipe``, ``task``, ``model`` and ``loss`` choose what is
        listed; of the others only the names are looked at.

    Returns
    -------
    dict
        Heading to settings: ``"model gru"``, ``"loss esr"``, ``"train"``, ...

    Raises
    ------
    FxkitError
        For an unknown name or key, as by `resolve`.
    """
    flat = _with_recipe(flatten(values))
    chosen = _choose(flat)
    for given in flat:
        key = chosen.full_key(given)
        if key not in ("task", "model", "loss") and chosen.prefix(key) is None:
            raise FxkitError(_unknown(given, chosen))
    listed = {}
    for prefix, cls in chosen.groups.items():
        name = {"task": chosen.task, "model": chosen.model}.get(prefix, "")
        heading = prefix.replace("loss.", "loss ") + (f" {name}" if name else "")
        listed[heading] = [
            replace(info, default=chosen.defaults[info.key.removeprefix("train.")])
            if info.key.removeprefix("train.") in chosen.defaults
            else info
            for info in describe(cls, prefix)
        ]
    return listed


def to_yaml(settings: Settings) -> str:
    """Return the text of a file that ``--config`` turns into the same settings.

    Paths in it are absolute, so that it means the same wherever it is used.
    """
    plain = settings.to_plain()
    for key in _PATHS:
        if plain.get(key):
            plain[key] = str(Path(plain[key]).absolute())
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)


def build_loss(settings: Settings, sample_rate: int) -> Loss:
    """Make the loss that `settings` describes, for signals of `sample_rate` Hz."""
    from fxkit.weighted_sum import WeightedSum

    terms = []
    for term in parse_loss(settings.loss):
        cls = LOSSES.get(term.name)
        options = settings.loss_options.get(term.name, {})
        config = build(cls.Config, options, prefix=f"loss.{term.name}")
        terms.append((term.weight, cls(config, sample_rate=sample_rate)))
    if len(terms) == 1 and terms[0][0] == 1.0:
        only: Loss = terms[0][1]
        return only
    return WeightedSum(terms, sample_rate=sample_rate)


def _with_recipe(flat: dict[str, Any]) -> dict[str, Any]:
    recipe = flat.pop("recipe", None)
    if recipe is None:
        return flat
    from fxkit import recipes

    base = flatten(recipes.load(str(recipe)))
    if "recipe" in base:
        raise FxkitError(f"recipe={recipe}: a recipe cannot name another recipe")
    return {**base, **flat}


def _choose(flat: Mapping[str, Any]) -> _Chosen:
    from fxkit.data.config import DataConfig

    names = {kind: _name(kind, flat.get(kind, DEFAULTS[kind])) for kind in DEFAULTS}
    task, model = TASKS.get(names["task"]), MODELS.get(names["model"])
    loss = _name("loss", flat.get("loss", task.default_loss))
    terms = parse_loss(loss)
    groups = {"model": model.Config}
    groups |= {f"loss.{term.name}": LOSSES.get(term.name).Config for term in terms}
    groups |= {"task": task.Config, "data": DataConfig, "train": TrainConfig, "run": RunConfig}
    return _Chosen(names["task"], names["model"], loss, terms, groups, model.train_defaults)


def _name(kind: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise FxkitError(f"{kind}={'' if value is None else value}: needs the name of a {kind}")
    return value


def _path(key: str, value: Any) -> Any:
    """Expand ``~``, which a shell leaves alone after an equals sign."""
    if key in _PATHS and isinstance(value, str | Path) and str(value)[:2] in ("~/", "~\\"):
        return str(Path(value).expanduser())
    return str(value) if isinstance(value, Path) else value


def _unknown(given: str, chosen: _Chosen) -> str:
    """Say that there is no such setting, and which one was most likely meant."""
    start = f"no setting {given!r}"
    kind = given.partition(".")[0]
    others = _others(given, chosen)
    if others:
        current = {"model": chosen.model, "task": chosen.task, "loss": chosen.loss}[kind]
        return f"{start} for {kind}={current}; {kind}={' and '.join(others)} has it"
    if kind == given and any(f"{prefix}.".startswith(f"{given}.") for prefix in chosen.groups):
        return f"{start}: it is a group, of {given}.*; fxkit run --help lists all"
    valid = [i.key for prefix, cls in chosen.groups.items() for i in describe(cls, prefix)]
    last = {key: key.rpartition(".")[2] for key in valid}
    wanted = given.rpartition(".")[2]
    near = [key for key in valid if last[key] == wanted]
    near = near or nearest(given, [*valid, "task", "model", "loss", "recipe"], count=1)
    if not near:
        close = nearest(wanted, last.values(), count=1)
        near = [key for key in valid if last[key] in close]
    if near:
        return f"{start}; did you mean {' or '.join(near[:3])}?"
    return f"{start}; fxkit run --help lists all"


def _others(given: str, chosen: _Chosen) -> list[str]:
    """Name the models, tasks or losses that were not chosen and that have the setting."""
    kind, _, option = given.partition(".")
    registries = {"model": MODELS, "task": TASKS, "loss": LOSSES}
    if kind not in registries or not option:
        return []
    registry = registries[kind]
    mine = {chosen.model, chosen.task} if kind != "loss" else {t.name for t in chosen.terms}
    rest = option
    candidates = registry.names()
    if kind == "loss" and option.partition(".")[0] in candidates:
        name, _, rest = option.partition(".")
        candidates = [name]
    found = []
    for name in candidates:
        try:
            keys_of = [info.key for info in describe(registry.get(name).Config, kind)]
        except FxkitError:
            # A broken plug-in has nothing to say here; `fxkit list` shows it.
            continue
        if f"{kind}.{rest}" in keys_of:
            found.append(name)
    # With several losses chosen it is the name of the loss that is missing, not the setting.
    return [] if mine & set(found) else found
