"""Which settings are searched, and over what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fxkit.config import build
from fxkit.errors import FxkitError
from fxkit.search import Choice, Dimension, Range
from fxkit.train_config import TrainConfig

if TYPE_CHECKING:
    from fxkit.model import Model

__all__ = ["check", "declared", "parse_dimension"]

TRAINING: dict[str, Dimension] = {
    "train.lr": Range(1e-3, 5e-2, log=True),
    "train.window": Choice((256, 512, 1024, 2048)),
    "train.weight_decay": Range(1e-7, 1e-3, log=True),
}
"""What is searched of the training of any model, if it says nothing else."""

OF_STREAMS = ("train.window",)
"""What only matters to models that learn from streams."""

OF_THE_SEARCH = ("train.epochs", "train.minutes", "train.patience", "train.threads")
"""What the search itself decides, so that it cannot be searched."""


def declared(model: type[Model]) -> dict[str, Dimension]:
    """Return the search space of a model: that of the training, and what the model declares.

    Raises
    ------
    FxkitError
        If the model declares a setting that it does not have, or values that it refuses.
    """
    space = dict(TRAINING)
    if model.trains_on != "streams":
        space = {key: space[key] for key in space if key not in OF_STREAMS}
    for name, dimension in model.search_space().items():
        space[name if name.startswith("train.") else f"model.{name}"] = dimension
    try:
        for key, dimension in space.items():
            check(key, dimension, model)
    except FxkitError as error:
        raise FxkitError(f"the search space of {model.__name__} is wrong: {error}") from None
    return space


def check(key: str, dimension: Dimension, model: type[Model]) -> None:
    """Make sure that every value of `dimension` can be given to the setting `key`.

    Raises
    ------
    FxkitError
        If there is no such setting of the model or the training, or it takes other values.
    """
    if not isinstance(dimension, Range | Choice):
        raise FxkitError(f"{key}: needs a Range or a Choice of fxkit.search, not {dimension!r}")
    values = dimension.values if isinstance(dimension, Choice) else (dimension.low, dimension.high)
    for value in values:
        _typed(key, value, model)


def parse_dimension(key: str, text: Any, model: type[Model]) -> Dimension | None:
    """Read what ``search.KEY=`` says: ``0.001..0.05:log``, ``16..64:8``, ``16,32``; or none.

    Raises
    ------
    FxkitError
        If it cannot be read, or the setting takes no such values.
    """
    written = "none" if text is None else str(text).strip()
    refusal = FxkitError(
        f"search.{key}={written}: write low..high, low..high:log, low..high:step, "
        "values as in 16,32,48, or none"
    )
    if written == "none":
        return None
    try:
        if ".." in written:
            bounds, _, end = written.partition(":")
            low, _, high = bounds.partition("..")
            ends = _typed(key, low, model), _typed(key, high, model)
            step = None
            if end not in ("", "log"):
                step = type(ends[0])(end)
            return Range(*ends, log=end == "log", step=step)
        values = [part.strip() for part in written.split(",")]
        return Choice(tuple(_typed(key, value, model) for value in values))
    except (ValueError, TypeError):
        raise refusal from None


def _typed(key: str, value: Any, model: type[Model]) -> Any:
    """Return `value` as the setting `key` has it."""
    group, _, name = key.partition(".")
    classes: Mapping[str, type[Any]] = {"model": model.Config, "train": TrainConfig}
    if group not in classes or key in OF_THE_SEARCH:
        raise FxkitError(
            f"{key} cannot be searched: only model.* and train.* can, "
            f"without {', '.join(OF_THE_SEARCH)}"
        )
    made = build(classes[group], {name: value}, prefix=group)
    for part in name.split("."):
        made = getattr(made, part)
    return made
