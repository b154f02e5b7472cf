# ruff: noqa: D102 - Layer says what each method does
"""Layers without memory: each output frame depends on the same frame of the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add, mul

import torch
from torch import Tensor
from torch.nn import functional

from fxkit.graph.activations import ACTIVATIONS
from fxkit.graph.layer import Layer, Place, Shapes, Signal, State, Tensors, need, reference

__all__ = ["Activate", "Add", "Concat", "Dense", "Film", "Gain", "Multiply", "PReLU", "Slice"]


@dataclass(frozen=True, kw_only=True)
class Gain(Layer):
    """``y[c] = weight[c] x[c] + bias[c]``."""

    type = "gain"
    weight: str = reference()
    bias: str | None = reference(optional=True)

    def check(self, inputs: Sequence[Signal], shapes: Shapes) -> Signal:
        x = self.one_input(inputs)
        self.want("weight", shapes, (x.channels,))
        if self.bias is not None:
            self.want("bias", shapes, (x.channels,))
        return x

    def run(
        self, inputs: Sequence[Tensor], state: State, tensors: Tensors, place: Place
    ) -> tuple[Tensor, State]:
        y = inputs[0] * tensors[self.weight][:, None]
        if self.bias is not None:
            y = y + tensors[self.bias][:, None]
        return y, state


@dataclass(frozen=True, kw_only=True)
class Dense(Layer):
    """``y = weight x + bias``, the same at every frame."""

    type = "dense"
    weight: str = reference()
    bias: str | None = reference(optional=True)

    def check(self, inputs: Sequence[Signal], shapes: Shapes) -> Signal:
        x = self.one_input(inputs)
        out, _ = self.want("weight", shapes, (None, x.channels))
        if self.bias is not None:
            self.want("bias", shapes, (out,))
        return Signal(out, x.period)

    def run(
        self, inputs: Sequence[Tensor], state: State, tensors: Tensors, place: Place
    ) -> tuple[Tensor, State]:
        bias = None if self.bias is None else tensors[self.bias]
        y = functional.linear(inputs[0].transpose(1, 2), tensors[self.weight], bias)
        return y.transpose(1, 2), state


@dataclass(frozen=True, kw_only=True)
class Film(Layer):
    """``y[c] = scale[c] x[c] + shift[c]`` with ``[scale; shift] = weight condition + bias``.

    Perez et al., "FiLM: visual reasoning with a general conditioning layer", AAAI 2018.
    """

    type = "film"
    weight: str = reference()
    bias: str | None = reference(optional=True)

    def check(self, inputs: Sequence[Signal], shapes: Shapes) -> Signal:
        need(len(inputs) == 2, self, f"takes a signal and a condition, not {len(inputs)} inputs")
        period = self.same_period(inputs)
        x, condition = inputs
        self.want("weight", shapes, (2 * x.channels, condition.channels))
        if self.bias is not None:
            self.want("bias", shapes, (2 * x.channels,))
        return Signal(x.channels, period)

    def run(
        self, inputs: Sequence[Tensor], state: State, tensors: Tensors, place: Place
    ) -> tuple[Tensor, State]:
        x, condition = inputs
        bias = None if self.bias is None else tensors[self.bias]
        both = functional.linear(condition.transpose(1, 2), tensors[self.weight], bias)
        scale, shift = both.transpose(1, 2).chunk(2, dim=1)
        return scale * x + shift, state


@dataclass(frozen=True, kw_only=True)
class Activate(Layer):
    """A function of one number, from `ACTIVATIONS`, with that function's settings and no others."""

    type = "activation"
    function: str
    slope: float | None = None
    low: float | None = None
    high: float | None = None
    low_slope: float | None = None
    high_slope: float | None = None

    def settings(self) -> dict[str, float]:
        """Return what the function is called with."""
        known = ACTIVATIONS[self.function].settings
        given = {name: getattr(self, name) for name in known}
        return {name: known[name] if value is None else value for name, value in given.items()}

    def check(self, inputs: Sequence[Signal], shapes: Shapes) -> Signal:
        if self.function not in ACTIVATIONS:
            raise self.error(
                f"{self.function[:60]!r} is not one of its functions: {', '.join(ACTIVATIONS)}"
            )
        for name in ("slope", "low", "high", "low_slope", "high_slope"):
            if getattr(self, name) is not None and name not in ACTIVATIONS[self.function].settings:
                raise self.error(f"{self.function} has no setting {name!r}")
        settings = self.settings()
        if "low" in settings and settings["low"] > settings["high"]:
            raise self.error(f"low {settings['low']} is above high {settings['high']}")
        return self.one_input(inputs)

    def run(
        self, inputs: Sequence[Tensor], state: State, tensors: Tensors, place: Place
    ) -> tuple[Tensor, State]:
        return ACTIVATIONS[self.function].function(inputs[0], **self.settings()), state


@dataclass(frozen=True, kw_only=True)
class PReLU(Layer):
    """``y[c] = x[c]`` where positive, ``weight[c] x[c]`` elsewhere."""

    type = "prelu"
    weight: str = reference()

    def check(self, inputs: Sequence[Signal], shapes: Shapes) -> Signal:
        x = self.one_input(inputs)
        self.want("weight", shapes, (x.channels,))
        return x

    def run(
        self, inputs: Sequence[Tensor], state: State, tensors: Tensors, place: Place
    ) -> tuple[Tensor, State]:
        x = inputs[0]
        return torch.where(x > 0, x, x * tensors[self.weight][:, None]), state


class _Together(Layer):
    """Several signals of the same size, channel by channel."""

    def check(self, inputs: Sequence[Signal], shapes: Shapes) -> Signal:
        need(len(inputs) >= 2, self, f"takes 2 inputs or more, not {len(inputs)}")
        period = self.same_period(inputs)
        channels = [s.channels for s in inputs]
        if len(set(channels)) != 1:
            raise self.error(f"its inputs have {', '.join(map(str, channels))} channels")
        return Signal(channels[0], period)


@dataclass(frozen=True, kw_only=True)
class Add(_Together):
    """The sum of all inputs: residual paths, dry paths."""

    type = "add"

    def run(
        self, inputs: Sequence[Tensor], state: State, tensors: Tensors, place: Place
    ) -> tuple[Tensor, State]:
        return reduce(add, inputs), state


@dataclass(frozen=True, kw_only=True)
class Multiply(_Together):
    """The product of all inputs: gates."""

    type = "multiply"

    def run(
        self, inputs: Sequence[Tensor], state: State, tensors: Tensors, place: Place
    ) -> tuple[Tensor, State]:
        return reduce(mul, inputs), state


@dataclass(frozen=True, kw_only=True)
class Concat(Layer):
    """The channels of all inputs, one after the other."""

    type = "concat"

    def check(self, inputs: Sequence[Signal], shapes: Shapes) -> Signal:
        need(len(inputs) >= 1, self, "takes 1 input or more")
        return Signal(sum(s.channels for s in inputs), self.same_period(inputs))

    def run(
        self, inputs: Sequence[Tensor], state: State, tensors: Tensors, place: Place
    ) -> tuple[Tensor, State]:
        return torch.cat(list(inputs), dim=1), state


@dataclass(frozen=True, kw_only=True)
class Slice(Layer):
    """Channels `start` (included) to `stop` (not included)."""

    type = "slice"
    start: int
    stop: int

    def check(self, inputs: Sequence[Signal], shapes: Shapes) -> Signal:
        x = self.one_input(inputs)
        if not 0 <= self.start < self.stop <= x.channels:
            raise self.error(f"no channels {self.start} to {self.stop} in {x.channels}")
        return Signal(self.stop - self.start, x.period)

    def run(
        self, inputs: Sequence[Tensor], state: State, tensors: Tensors, place: Place
    ) -> tuple[Tensor, State]:
        return inputs[0][:, self.start : self.stop], state
