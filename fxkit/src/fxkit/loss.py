"""The loss contract: how far an estimate is from its target, as one number per batch item."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import Tensor, nn

from fxkit.options import NoOptions

__all__ = ["Loss"]


class Loss(nn.Module, ABC):
    """A differentiable distance between two signals.

    A subclass names a frozen dataclass `Config` and registers itself in the entry-point group
    ``fxkit.losses``. Laws (`fxkit.testing.LossLaws`): zero when the signals are equal; a finite
    value and gradient on silence and on full-scale noise; positive otherwise. A ratio is one of
    *pooled* energies: its denominator is the energy of the whole batch, so that the mean over the
    batch is the ratio of the sums, and a near-silent item cannot blow up.

    Parameters
    ----------
    config
        An instance of `Config`.
    sample_rate
        The rate in Hz of the signals.
    """

    Config: ClassVar[type] = NoOptions

    def __init__(self, config: Any, *, sample_rate: int = 44_100) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = sample_rate

    @abstractmethod
    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        """Return the loss of each item.

        Parameters
        ----------
        estimate, target
            ``[batch, 1, time]``, float32.

        Returns
        -------
        Tensor
            ``[batch]``; its mean is what training minimises.
        """
