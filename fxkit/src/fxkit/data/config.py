"""The settings of the data, `data.*`; imports nothing heavy, so that help stays instant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fxkit.errors import FxkitError
from fxkit.options import option

__all__ = ["DataConfig"]


@dataclass(frozen=True)
class DataConfig:
    """Which recordings to learn from, and how they are aligned and divided.

    Without `path`, `clean` and `wet` the built-in guitar is used.
    """

    path: str | None = option(
        None, "folder with clean.* and wet.*, or with a dataset.yaml; or such a .yaml file"
    )
    clean: str | None = option(None, "recording of the dry guitar; goes with data.wet")
    wet: str | None = option(None, "recording of the effect's output; goes with data.clean")
    level: Literal["light", "medium", "heavy"] = option(
        "medium",
        "drive of the built-in data, where no recordings are given",
        choices=("light", "medium", "heavy"),
    )
    channel: Literal["left", "right", "mix"] | int | None = option(
        None, "which channel of a stereo file: left, right, mix (their mean), or counted from 1"
    )
    sample_rate: int | None = option(
        None, "rate to work at; that of the first file if not set", unit="Hz", low=1000, high=768000
    )
    align: int | Literal["auto", "off"] = option(
        "auto",
        "remove the delay of wet against clean: auto, off, or by so many samples"
        " (positive: wet comes later)",
        unit="samples",
    )
    split: Literal["time", "recording"] = option(
        "time",
        "hold out the end of every recording, or whole recordings; marks in dataset.yaml go first",
        choices=("time", "recording"),
    )
    validation: float = option(
        0.1, "share that is held out to choose the best weights", low=0.001, high=0.9
    )
    test: float = option(0.1, "share that is held out for the final scores", low=0.001, high=0.9)
    guard: float = option(
        0.5, "unused gap between two parts of one recording", unit="seconds", low=0.0, high=3600.0
    )
    seed: int = option(
        0, "seed of the built-in data and of the choice of held-out recordings", low=0
    )
    memory: int = option(
        512,
        "recordings are kept in memory up to this size in all; beyond it they are read from disk",
        unit="MiB",
        low=0,
    )

    def __post_init__(self) -> None:
        if self.path is not None and (self.clean is not None or self.wet is not None):
            raise FxkitError("give either data.path or data.clean and data.wet, not both")
        if (self.clean is None) != (self.wet is None):
            given, missing = ("clean", "wet") if self.wet is None else ("wet", "clean")
            raise FxkitError(f"data.{given} is given without data.{missing}: name both files")
        if isinstance(self.channel, int) and self.channel < 1:
            raise FxkitError(f"data.channel={self.channel}: channels are counted from 1")
        if self.validation + self.test >= 1.0:
            raise FxkitError(
                f"data.validation={self.validation:g} and data.test={self.test:g} leave nothing to "
                "train on: their sum must be below 1"
            )
