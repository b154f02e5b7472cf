"""What a training is fed with, and how a model that learns from crops is called."""

from __future__ import annotations

from torch import Tensor, nn

from fxkit.data import Crops, Split, Streams
from fxkit.data.augment import Augmentation
from fxkit.distributed import Ranks
from fxkit.errors import FxkitError
from fxkit.model import Model, State
from fxkit.task import Task
from fxkit.train_config import TrainConfig

__all__ = ["CropNetwork", "check", "source", "unheard"]


class CropNetwork(nn.Module):
    """Sends crops through `Model.crop`, called as a network is."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, state: State, controls: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the output and what each sample of it counts; the state has no say in it."""
        del state
        return self.model.crop(x, controls)


def check(model: Model, task: Task) -> None:
    """Raise `FxkitError` if the task makes what this model cannot learn from."""
    if task.amplified is not None and model.trains_on != "crops":
        raise FxkitError(
            "task.amplifier is for models that learn from crops, as demucs does, and this one "
            "learns from streams: leave it out"
        )


def unheard(model: Model, task: Task) -> str:
    """Return what of the task's settings does nothing for this model; empty where all count."""
    if model.trains_on == "crops" or task.augmentation in (None, Augmentation()):
        return ""
    return (
        "crops are varied for models that learn from crops, as demucs does; this one learns from "
        "streams, which stay as they were recorded"
    )


def source(
    model: Model, split: Split, task: Task, config: TrainConfig, seed: int, ranks: Ranks
) -> Streams | Crops:
    """Return what `model` is trained on: parallel streams, or crops, this rank's share of them.

    Raises
    ------
    FxkitError
        The training part is too short, or the task makes what this model cannot learn from.
    """
    check(model, task)
    if model.trains_on == "crops":
        return Crops(
            split.train,
            input=task.input,
            target=task.target,
            batch=config.batch,
            length=round(config.crop * model.sample_rate),
            seed=seed,
            share=ranks.share,
            augmentation=task.augmentation,
            amplified=task.amplified,
        )
    return Streams(
        split.train,
        input=task.input,
        target=task.target,
        streams=config.batch,
        window=config.window,
        warm_up=model.warm_up if config.warm_up < 0 else config.warm_up,
        latency=model.latency,
        seed=seed,
        share=ranks.share,
    )
