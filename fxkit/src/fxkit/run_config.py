"""The settings of a run as a whole, `run.*`; imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from fxkit.options import option

__all__ = ["RunConfig"]


@dataclass(frozen=True)
class RunConfig:
    """Where a run goes, what it runs on, and what is written into the model file about it."""

    dir: str = option("", "folder for the run, made new; empty for runs/TASK-MODEL-NUMBER")
    seed: int = option(0, "seed of every random choice", low=0)
    device: str = option("auto", "auto, cpu, cuda, cuda:N or mps")
    name: str = option("", "name of the model, for players; empty for one made from the data")
    author: str = option("", "who made the model")
    gear: str = option("", "what was recorded, for players: maker and model of the amp or pedal")
    reference: str = option(
        "", "folder of an earlier run, whose scores the report shows beside this one's"
    )
    licence: str = option("", "terms under which the model file may be used")
