"""The task clean: take the distortion off a recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fxkit.options import option
from fxkit.task import Task

if TYPE_CHECKING:
    from fxkit.data.augment import Augmentation

__all__ = ["Clean"]


class Clean(Task):
    """Distorted guitar to dry guitar: take the distortion off a recording."""

    @dataclass(frozen=True)
    class Config:
        """The settings of the task ``clean``; they matter to models that learn from crops."""

        gain: float = option(
            3.0,
            "crops are made louder or quieter by up to this, both sides alike",
            unit="dB",
            low=0.0,
            high=40.0,
        )
        polarity: bool = option(True, "turn the polarity of every other crop round")
        drives: bool = option(
            False,
            "distort each crop anew, at a drive of its own from light to heavy: "
            "for the built-in guitar",
        )
        speed: float = option(
            0.0,
            "crops are played faster or slower by up to this, both sides alike, as a tape is",
            unit="semitones",
            low=0.0,
            high=12.0,
        )

    config: Config

    title = "Distorted guitar to dry guitar"
    input = "wet"
    target = "clean"
    default_loss = "esr"
    metrics = (
        "esr",
        "si_sdr",
        "mrstft",
        "esr_pre_emphasised",
        "esr_attack",
        "esr_elsewhere",
        "dc",
    )
    sections = (
        "summary",
        "scores",
        "cleaned",
        "listen",
        "overtones",
        "estimate",
        "phrase",
        "attack",
        "spectrum",
        "bands",
        "esr_over_time",
        "realtime",
        "training",
        "data",
        "provenance",
    )

    @property
    def augmentation(self) -> Augmentation:
        """Level, polarity, drive and speed of crops, as the settings say."""
        from fxkit.data.augment import Augmentation

        config = self.config
        return Augmentation(config.gain, config.polarity, config.drives, config.speed)
