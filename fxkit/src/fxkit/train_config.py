"""The settings of a training, `train.*`; imports no torch, so that help and lists stay instant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fxkit.options import option

__all__ = ["TrainConfig"]


@dataclass(frozen=True)
class TrainConfig:
    """How long, how fast and in what portions a model learns."""

    minutes: float = option(
        5.0, "stop after this much training time; 0 for no limit", unit="minutes", low=0
    )
    epochs: int = option(
        1000, "stop after this many passes over the training part", unit="epochs", low=1
    )
    patience: int = option(
        0,
        "stop when the validation loss has not improved for this many epochs; 0 for never",
        unit="epochs",
        low=0,
    )
    lr: float = option(0.016, "highest learning rate", low=1e-8, high=1.0)
    ramp: float = option(
        0.02, "share of the training over which the learning rate rises", low=0.0, high=0.9
    )
    floor: float = option(
        0.005, "learning rate at the end, as a share of the highest", low=0.0, high=1.0
    )
    window: int = option(
        1024,
        "samples between two weight updates; the state is carried over, the gradient is cut",
        unit="samples",
        low=1,
    )
    batch: int = option(32, "parallel streams, or crops per step", unit="streams", low=1)
    accumulate: int = option(
        1,
        "steps whose gradients are added up before the weights change: a larger batch in the "
        "memory of a small one",
        unit="steps",
        low=1,
    )
    precision: Literal["auto", "fp32", "tf32", "bf16"] = option(
        "auto",
        "arithmetic of the training: all digits, factors of 11 bits on a GPU, or mixed precision. "
        "auto is tf32 where it pays, on a GPU that has it, for models that learn from crops; else "
        "fp32",
        choices=("auto", "fp32", "tf32", "bf16"),
    )
    ema: float = option(
        0.0,
        "keep a running mean of the weights, each step of which has this much of the old mean in "
        "it (0.999), and judge and save that; 0 for none",
        low=0.0,
        high=0.999999,
    )
    crop: float = option(
        1.5, "length of a crop, for models that learn from crops", unit="seconds", low=0.01
    )
    warm_up: int = option(
        -1,
        "unscored samples before a stream's first scored one; -1 for what the model asks for",
        unit="samples",
        low=-1,
    )
    weight_decay: float = option(0.0, "decoupled weight decay (AdamW)", low=0.0, high=1.0)
    clip: float = option(
        1.0, "largest norm of the gradient; longer ones are scaled down; 0 for no limit", low=0.0
    )
    validation_seconds: float = option(
        60.0,
        "at most this much of the validation part is heard after each epoch",
        unit="seconds",
        low=0.1,
    )
    threads: int = option(0, "processor threads; 0 for all cores", unit="threads", low=0)
