"""The task clean: take the distortion off a recording."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from fxkit.options import option
from fxkit.task import Task

if TYPE_CHECKING:
    from fxkit.data.amplified import Amplified
    from fxkit.data.augment import Augmentation

__all__ = ["Clean"]


class Clean(Task):
    """Distorted guitar to dry guitar: take the distortion off a recording."""

    @dataclass(frozen=True)
    class Config:
        """The settings of the task ``clean``; they matter to models that learn from crops."""

        gain: float = option(
            0.0,
            "crops are made louder or quieter by up to this, both sides alike",
            unit="dB",
            low=0.0,
            high=40.0,
        )
        polarity: bool = option(False, "turn the polarity of every other crop round")
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
        amplifier: str = option(
            "",
            "a model of the amplifier (task=distort, the same recordings), a run's folder or a "
            "model file: it makes new pairs to learn from, out of the dry side varied",
        )
        amplified: float = option(
            0.5, "share of the crops that the amplifier's model makes", low=0.0, high=1.0
        )
        amplified_speed: float = option(
            3.0,
            "their dry side is played faster or slower by up to this",
            unit="semitones",
            low=0.0,
            high=12.0,
        )
        amplified_gain: float = option(
            6.0,
            "their dry side is made louder or quieter by up to this, before the amplifier",
            unit="dB",
            low=0.0,
            high=40.0,
        )
        amplified_mix: float = option(
            0.25,
            "share of them with a second stretch of the dry side played on top",
            low=0.0,
            high=1.0,
        )
        amplified_tilt: float = option(
            3.0,
            "the highs of their dry side are raised or lowered against the lows by up to this",
            unit="dB",
            low=0.0,
            high=24.0,
        )

        def __post_init__(self) -> None:
            if self.amplifier and self.drives:
                raise ValueError("drives and amplifier both make the wet side anew: choose one")

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

    @cached_property
    def amplified(self) -> Amplified | None:
        """Pairs that the model named by ``task.amplifier`` makes; it is opened once."""
        config = self.config
        if not config.amplifier:
            return None
        from fxkit.amplifier import load
        from fxkit.data.amplified import Amplified
        from fxkit.data.varied import Variety

        variety = Variety(
            config.amplified_speed,
            config.amplified_gain,
            config.amplified_mix,
            config.amplified_tilt,
        )
        return Amplified(load(config.amplifier), config.amplified, variety)
