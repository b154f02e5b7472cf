"""The task contract: which side of a recording pair is learned, and what is measured."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from fxkit.options import NoOptions

if TYPE_CHECKING:
    from fxkit.data.amplified import Amplified
    from fxkit.data.augment import Augmentation

Side = Literal["clean", "wet"]

__all__ = ["Side", "Task"]


class Task(ABC):
    """What is learned from a pair of recordings.

    A subclass fills in the class attributes and registers itself in the entry-point group
    ``fxkit.tasks``. It has no state: the same pipeline serves every task.
    """

    Config: ClassVar[type] = NoOptions

    title: ClassVar[str]
    """What the task does, as a heading: 'Dry guitar to distorted guitar'."""

    input: ClassVar[Side]
    """The side of the pair that the model hears."""

    target: ClassVar[Side]
    """The side of the pair that the model should produce."""

    default_loss: ClassVar[str]
    """The loss expression used when the user names none: ``esr`` or ``esr+0.1*mrstft``."""

    metrics: ClassVar[tuple[str, ...]]
    """The metrics to show, most important first; names as in `fxkit.metrics`."""

    sections: ClassVar[tuple[str, ...]]
    """The sections of the report, in order; names as in `fxkit.report`."""

    def __init__(self, config: Any = None) -> None:
        self.config = config if config is not None else self.Config()

    @property
    def augmentation(self) -> Augmentation | None:
        """How crops are varied while a model learns from crops; None for not at all.

        Only what leaves the task the same: an amplifier answers a louder guitar with another sound,
        so nothing is varied where the wet side is the target.
        """
        return None

    @property
    def amplified(self) -> Amplified | None:
        """Pairs that are made anew while a model learns from crops; None for none.

        Raises
        ------
        FxkitError
            What should make them cannot be used.
        """
        return None
