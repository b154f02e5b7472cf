"""Recurrent layers: gates, order and state as `torch.nn.GRU` and `torch.nn.LSTM` define them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from fxkit.graph.layer import Layer, Place, Shapes, Signal, State, Tensors, need, reference

__all__ = ["GRU", "LSTM"]


@dataclass(frozen=True, kw_only=True)
class _Recurrent(Layer):
    """One recurrent layer; stacked layers are one of these after the other."""

    gates: ClassVar[int]
    memories: ClassVar[tuple[str, ...]]

    weight_ih: str = reference()
    weight_hh: str = reference()
    bias_ih: str | None = reference(optional=True)
    bias_hh: str | None = reference(optional=True)
    initial_h: str | None = reference(optional=True)
    reset_every: int = 0
    """The state starts afresh at every frame whose index is a multiple of this; 0: never."""

    def check(self, inputs: Sequence[Signal], shapes: Shapes) -> Signal:
        x = self.one_input(inputs)
        rows, hidden = self.want("weight_hh", shapes, (None, None))
        if rows != self.gates * hidden:
            raise self.error(f"weight_hh is {rows} x {hidden} but has {self.gates} gates a unit")
        self.want("weight_ih", shapes, (rows, x.channels))
        for bias in ("bias_ih", "bias_hh"):
            if getattr(self, bias) is not None:
                self.want(bias, shapes, (rows,))
        for memory in self.memories:
            if getattr(self, f"initial_{memory}") is not None:
                self.want(f"initial_{memory}", shapes, (hidden,))
        need(self.reset_every >= 0, self, "reset_every must be 0 or more")
        return Signal(hidden, x.period)

    def memory(self, inputs: Sequence[Signal], shapes: Shapes) -> int:
        return len(self.memories) * shapes[self.weight_hh][1]

    def initial_state(
        self, inputs: Sequence[Signal], tensors: Tensors, batch: int, like: Tensor
    ) -> State:
        hidden = tensors[self.weight_hh].shape[1]
        state = {}
        for memory in self.memories:
            name = getattr(self, f"initial_{memory}")
            one = like.new_zeros(hidden) if name is None else tensors[name]
            state[memory] = one.expand(batch, hidden).clone()
        return state

    def run(
        self, inputs: Sequence[Tensor], state: State, tensors: Tensors, place: Place
    ) -> tuple[Tensor, State]:
        x = inputs[0].transpose(1, 2)
        if not self.reset_every:
            y, state = self._step(x, state, tensors)
            return y.transpose(1, 2), state
        parts, start = [], 0
        while start < x.shape[1]:
            into = (place.frame + start) % self.reset_every
            if into == 0:
                state = self.initial_state((), tensors, x.shape[0], x)
            stop = start + self.reset_every - into
            y, state = self._step(x[:, start:stop], state, tensors)
            parts.append(y)
            start = stop
        return torch.cat(parts, dim=1).transpose(1, 2), state

    def _step(self, x: Tensor, state: State, tensors: Tensors) -> tuple[Tensor, State]:
        raise NotImplementedError

    def _weights(self, tensors: Tensors) -> list[Tensor]:
        weight = tensors[self.weight_ih]
        zeros = weight.new_zeros(weight.shape[0])
        return [
            weight,
            tensors[self.weight_hh],
            zeros if self.bias_ih is None else tensors[self.bias_ih],
            zeros if self.bias_hh is None else tensors[self.bias_hh],
        ]


@dataclass(frozen=True, kw_only=True)
class GRU(_Recurrent):
    """Gates in the order r, z, n; the reset gate covers the bias: ``tanh(.. + r (W h + b))``."""

    type = "gru"
    gates = 3
    memories = ("h",)

    def _step(self, x: Tensor, state: State, tensors: Tensors) -> tuple[Tensor, State]:
        h = state["h"][None].contiguous()
        y, h = torch.gru(x, h, self._weights(tensors), True, 1, 0.0, False, False, True)
        return y, {"h": h[0]}


@dataclass(frozen=True, kw_only=True)
class LSTM(_Recurrent):
    """Gates in the order i, f, g, o."""

    type = "lstm"
    gates = 4
    memories = ("h", "c")
    initial_c: str | None = reference(optional=True)

    def _step(self, x: Tensor, state: State, tensors: Tensors) -> tuple[Tensor, State]:
        before = (state["h"][None].contiguous(), state["c"][None].contiguous())
        y, h, c = torch.lstm(x, before, self._weights(tensors), True, 1, 0.0, False, False, True)
        return y, {"h": h[0], "c": c[0]}
