"""The interpreter: a graph as a `Model`, in PyTorch, with the same streaming state as any other."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from fxkit.graph.errors import GraphError
from fxkit.graph.layer import Layer, Place
from fxkit.graph.spec import CONTROLS, INPUT, Spec
from fxkit.model import Model, State
from fxkit.options import NoOptions

__all__ = ["GraphModel"]

CLOCK = "clock"


class GraphModel(Model):
    """Plays a `Spec`: the reference for what a graph means, and for files without their class.

    Parameters
    ----------
    spec
        The layers.
    tensors
        The weights they refer to, floating point, by name; others are left alone.
    sample_rate
        In Hz.
    latency
        By how many samples the output lags the input.

    Raises
    ------
    GraphError
        The layers do not fit each other or their tensors.
    """

    def __init__(
        self,
        spec: Spec,
        tensors: Mapping[str, Tensor],
        *,
        sample_rate: int = 44_100,
        latency: int = 0,
    ) -> None:
        super().__init__(NoOptions(), sample_rate=sample_rate, controls=spec.controls)
        self.signals = spec.check({name: tuple(t.shape) for name, t in tensors.items()})
        self.spec = spec
        self._latency = latency
        # PyTorch does not allow the dots of the names in the names of buffers.
        self._buffer = {name: f"tensor_{i}" for i, name in enumerate(spec.tensors())}
        for name, buffer in self._buffer.items():
            if not tensors[name].is_floating_point():
                raise GraphError(f"tensor {name!r} is not floating point")
            self.register_buffer(buffer, tensors[name].detach())
        # Gives the state its type and device even where no layer has weights.
        self.register_buffer("_like", torch.zeros(()), persistent=False)
        last = {name: i for i, layer in enumerate(spec.layers) for name in layer.inputs}
        self._last_use = {name: i for name, i in last.items() if name != spec.output}
        self._counts = any(s.period > 1 for s in self.signals.values()) or any(
            getattr(layer, "reset_every", 0) for layer in spec.layers
        )

    @property
    def latency(self) -> int:
        """By how many samples the output lags the input."""
        return self._latency

    def tensors(self) -> dict[str, Tensor]:
        """Return the weights by the names that the layers use."""
        return {name: self.get_buffer(buffer) for name, buffer in self._buffer.items()}

    def initial_state(self, batch: int) -> State:
        """Return the memory of every layer, as ``LAYER.WHAT``, and a clock where one is needed."""
        tensors, like = self.tensors(), self.get_buffer("_like")
        state = {
            f"{layer.name}.{what}": leaf
            for layer in self.spec.layers
            for what, leaf in layer.initial_state(
                [self.signals[name] for name in layer.inputs], tensors, batch, like
            ).items()
        }
        if self._counts:
            state[CLOCK] = torch.zeros(batch, dtype=torch.int64, device=like.device)
        return state

    def forward(
        self, x: Tensor, state: State, controls: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Process one block ``[batch, 1, time]``; see `Model.forward`."""
        samples = x.shape[-1]
        clock = int(state[CLOCK][0]) if self._counts else 0
        signals = {INPUT: x}
        if self.spec.controls:
            if controls is None:
                raise GraphError(f"the model has {self.spec.controls} controls: give their values")
            signals[CONTROLS] = controls[:, :, None].expand(-1, -1, samples)
        tensors = self.tensors()
        after = {CLOCK: state[CLOCK] + samples} if self._counts else {}
        for i, layer in enumerate(self.spec.layers):
            inputs = [signals[name] for name in layer.inputs]
            memory = _below(state, layer)
            place = self._place(layer, clock, samples)
            if any(part.shape[-1] for part in inputs) or place.frames:
                y, memory = layer.run(inputs, memory, tensors, place)
            else:
                y = x.new_zeros(x.shape[0], self.signals[layer.name].channels, 0)
            signals[layer.name] = y
            after.update({f"{layer.name}.{what}": leaf for what, leaf in memory.items()})
            for name in layer.inputs:
                if self._last_use.get(name) == i:
                    signals.pop(name, None)
        return signals[self.spec.output], after

    def _place(self, layer: Layer, clock: int, samples: int) -> Place:
        """Say which frames of a layer's input and output begin in ``[clock, clock + samples)``."""
        before, after = self.signals[layer.inputs[0]].period, self.signals[layer.name].period
        frame, out = -(-clock // before), -(-clock // after)
        return Place(frame, out, -(-(clock + samples) // after) - out)


def _below(state: State, layer: Layer) -> State:
    start = f"{layer.name}."
    return {k.removeprefix(start): v for k, v in state.items() if k.startswith(start)}
