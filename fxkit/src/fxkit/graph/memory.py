# ruff: noqa: D102 - Layer says what each method does
"""Layers that look back over a fixed number of frames, and those that change the frame rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from fxkit.graph.layer import Layer, Place, Shapes, Signal, State, Tensors, need, reference

__all__ = ["Conv", "Delay", "Downsample", "Upsample"]


@dataclass(frozen=True, kw_only=True)
class Conv(Layer):
    """A causal convolution; the last tap of the weight is the newest frame, as in PyTorch.

    ``y[o, m] = bias[o] + sum over i, j of weight[o, i, j] x[i, m stride - (k - 1 - j) dilation]``,
    with zeros before the start of the stream.
    """

    type = "conv"
    weight: str = reference()
    bias: str | None = reference(optional=True)
    dilation: int = 1
    stride: int = 1
    groups: int = 1

    def check(self, inputs: Sequence[Signal], shapes: Shapes) -> Signal:
        x = self.one_input(inputs)
        for name in ("dilation", "stride", "groups"):
            need(getattr(self, name) >= 1, self, f"{name} must be 1 or more")
        need(
            x.channels % self.groups == 0,
            self,
            f"{x.channels} channels cannot be cut into {self.groups} groups",
        )
        out, _, _ = self.want("weight", shapes, (None, x.channels // self.groups, None))
        need(out % self.groups == 0, self, f"{out} outputs cannot be cut into {self.groups} groups")
        if self.bias is not None:
            self.want("bias", shapes, (out,))
        return Signal(out, x.period * self.stride)

    def memory(self, inputs: Sequence[Signal], shapes: Shapes) -> int:
        return inputs[0].channels * (shapes[self.weight][2] - 1) * self.dilation

    def initial_state(
        self, inputs: Sequence[Signal], tensors: Tensors, batch: int, like: Tensor
    ) -> State:
        past = (tensors[self.weight].shape[2] - 1) * self.dilation
        return {"past": like.new_zeros(batch, inputs[0].channels, past)}

    def run(
        self, inputs: Sequence[Tensor], state: State, tensors: Tensors, place: Place
    ) -> tuple[Tensor, State]:
        x, weight = inputs[0], tensors[self.weight]
        past = state["past"].shape[2]
        heard = torch.cat((state["past"], x), dim=2)
        kept = heard[..., heard.shape[2] - past :]
        first = -place.frame % self.stride  # the first of these frames that makes an output
        if first >= x.shape[2]:
            return x.new_zeros(x.shape[0], weight.shape[0], 0), {"past": kept}
        bias = None if self.bias is None else tensors[self.bias]
        y = functional.conv1d(
            heard[..., first:],
            weight,
            bias,
            stride=self.stride,
            dilation=self.dilation,
            groups=self.groups,
        )
        return y, {"past": kept}


@dataclass(frozen=True, kw_only=True)
class Delay(Layer):
    """``y[m] = x[m - frames]``, with zeros before the start of the stream."""

    type = "delay"
    frames: int

    def check(self, inputs: Sequence[Signal], shapes: Shapes) -> Signal:
        need(self.frames >= 0, self, "frames must be 0 or more")
        return self.one_input(inputs)

    def memory(self, inputs: Sequence[Signal], shapes: Shapes) -> int:
        return inputs[0].channels * self.frames

    def initial_state(
        self, inputs: Sequence[Signal], tensors: Tensors, batch: int, like: Tensor
    ) -> State:
        return {"past": like.new_zeros(batch, inputs[0].channels, self.frames)}

    def run(
        self, inputs: Sequence[Tensor], state: State, tensors: Tensors, place: Place
    ) -> tuple[Tensor, State]:
        x = inputs[0]
        heard = torch.cat((state["past"], x), dim=2)
        return heard[..., : x.shape[2]], {"past": heard[..., x.shape[2] :]}


@dataclass(frozen=True, kw_only=True)
class Downsample(Layer):
    """``y[m] = x[m factor]``: every so many frames one is kept; nothing is filtered."""

    type = "downsample"
    factor: int

    def check(self, inputs: Sequence[Signal], shapes: Shapes) -> Signal:
        need(self.factor >= 1, self, "factor must be 1 or more")
        x = self.one_input(inputs)
        return Signal(x.channels, x.period * self.factor)

    def run(
        self, inputs: Sequence[Tensor], state: State, tensors: Tensors, place: Place
    ) -> tuple[Tensor, State]:
        return inputs[0][..., -place.frame % self.factor :: self.factor], state


@dataclass(frozen=True, kw_only=True)
class Upsample(Layer):
    """Undo a stride: ``y[m] = x[m // factor]`` (hold), or zeros between the frames (zeros).

    With zeros and a convolution behind it, this is a transposed convolution.
    """

    type = "upsample"
    factor: int
    mode: str = "hold"

    def check(self, inputs: Sequence[Signal], shapes: Shapes) -> Signal:
        need(self.mode in ("hold", "zeros"), self, "mode must be hold or zeros")
        x = self.one_input(inputs)
        need(
            self.factor >= 1 and x.period % self.factor == 0,
            self,
            f"frames that come every {x.period} samples cannot come {self.factor} times as often",
        )
        return Signal(x.channels, x.period // self.factor)

    def memory(self, inputs: Sequence[Signal], shapes: Shapes) -> int:
        return inputs[0].channels

    def initial_state(
        self, inputs: Sequence[Signal], tensors: Tensors, batch: int, like: Tensor
    ) -> State:
        # The frame that is still held when a block ends in the middle of it.
        return {"last": like.new_zeros(batch, inputs[0].channels, 1)}

    def run(
        self, inputs: Sequence[Tensor], state: State, tensors: Tensors, place: Place
    ) -> tuple[Tensor, State]:
        x = inputs[0]
        index = torch.arange(place.out, place.out + place.frames, device=x.device)
        held = torch.cat((state["last"], x), dim=2)
        y = held[..., index // self.factor - place.frame + 1]
        if self.mode == "zeros":
            y = y * (index % self.factor == 0).to(y.dtype)
        return y, {"last": held[..., -1:]}
