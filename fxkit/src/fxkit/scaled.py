"""A model between an input gain and an output gain: levels are normalised, and stay so when saved.

Recordings come at any level, networks learn best when signals have an RMS near 1. The two gains are
set once from the training recordings and are part of the saved model, so whoever plays it feeds and
hears the levels of the recordings.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from fxkit.errors import FxkitError
from fxkit.model import Model, State

if TYPE_CHECKING:
    from fxkit.graph import Graph, Node

__all__ = ["Scaled"]


class Scaled(Model):
    """``y = output_gain * inner(input_gain * x)``; all else is the inner model's.

    The gains are buffers of shape ``[1]``: they are saved with the model and follow it to its
    device, but are not trained. Everything that a `Model` declares (configuration, latency, initial
    state, knobs, ...) is taken from the inner model. The state dict holds ``inner.*``,
    ``input_gain`` and ``output_gain``.

    Parameters
    ----------
    inner
        The model that sees and makes signals of normalised level.
    input_gain, output_gain
        Linear factors, finite and above 0.
    """

    input_gain: Tensor
    output_gain: Tensor

    def __init__(self, inner: Model, *, input_gain: float = 1.0, output_gain: float = 1.0) -> None:
        super().__init__(inner.config, sample_rate=inner.sample_rate, controls=inner.controls)
        self.inner = inner
        self.trains_on = inner.trains_on  # type: ignore[misc]  # each wrapper has its inner's way
        self.register_buffer("input_gain", torch.tensor([_checked("input_gain", input_gain)]))
        self.register_buffer("output_gain", torch.tensor([_checked("output_gain", output_gain)]))

    @classmethod
    def from_levels(cls, inner: Model, *, input_rms: float, target_rms: float) -> Scaled:
        """Wrap `inner` so that it sees, and has to make, signals with an RMS of 1.

        A model that has to keep a dry gain of 1 makes signals of the input's level instead.

        Parameters
        ----------
        inner
            The model to wrap.
        input_rms, target_rms
            RMS of the training input and of the training target, linear, full scale 1.

        Raises
        ------
        FxkitError
            When a side is silent or not finite, so that no gain would normalise it.
        """
        for side, rms in (("input", input_rms), ("target", target_rms)):
            if not (math.isfinite(rms) and rms > 0):
                raise FxkitError(
                    f"the {side} side of the training recordings has an RMS of {rms}: "
                    "nothing can be learned from it; check the recording"
                )
        output_rms = input_rms if inner.unit_dry else target_rms
        return cls(inner, input_gain=1.0 / input_rms, output_gain=output_rms)

    @property
    def latency(self) -> int:
        """The inner model's latency in samples."""
        return self.inner.latency

    @property
    def warm_up(self) -> int:
        """The inner model's warm-up in samples."""
        return self.inner.warm_up

    @property
    def unit_dry(self) -> bool:
        """What the inner model says, if the two gains leave it so."""
        through = float(self.input_gain) * float(self.output_gain)
        return self.inner.unit_dry and abs(through - 1) < 1e-6

    def initial_state(self, batch: int) -> State:
        """Return the inner model's memory of silence."""
        return self.inner.initial_state(batch)

    def forward(
        self, x: Tensor, state: State, controls: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Process one block ``[batch, 1, time]``; see `Model.forward`."""
        y, state = self.inner(x * self.input_gain, state, controls)
        return y * self.output_gain, state

    def crop(self, x: Tensor, controls: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Process whole crops ``[batch, 1, time]``; see `Model.crop`."""
        y, weight = self.inner.crop(x * self.input_gain, controls)
        return y * self.output_gain, weight

    @property
    def granularity(self) -> int:
        """The inner model's granularity in samples."""
        return self.inner.granularity

    def graph(self, g: Graph, x: Node, controls: Node | None) -> Node:
        """Describe gain, inner model, gain."""
        y = self.inner.graph(g, g.gain(x, self.input_gain), controls)
        return g.gain(y, self.output_gain)


def _checked(name: str, value: float) -> float:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be finite and above 0, not {value}")
    return float(value)
