"""Builds convolutional graphs that start as if they had heard silence for ever.

A graph's convolution begins with zeros as its past. Players of .nam files play silence before they
start, and since every layer has a bias, what its convolution has heard by then is not zero but a
constant. So each signal is followed together with its value in silence; what a convolution looks
back on is kept as the difference from that value, whose past is zero, and the constant itself goes
into the biases. The samples are the same, without a single operation more.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from fxkit.graph import Graph, GraphModel, Node
from fxkit.graph.activations import ACTIVATIONS

__all__ = ["SettledGraph", "Settling"]


@dataclass(frozen=True)
class Settling:
    """A signal of the graph, and what it is in silence."""

    node: Node
    silence: Tensor
    """``[channels]``, 64-bit."""
    relative: bool
    """Whether the node is the difference from `silence`, or the signal itself."""

    @property
    def channels(self) -> int:
        """The number of channels."""
        return self.node.channels


class SettledGraph:
    """As `fxkit.graph.Graph`, of the layers that a WaveNet has."""

    def __init__(self) -> None:
        self._graph = Graph(nn.Module(), controls=0)
        self.x = Settling(self._graph.x, torch.zeros(1, dtype=torch.float64), True)
        """The audio: zero in silence."""

    def conv(
        self,
        x: Settling,
        weight: Tensor,
        bias: Tensor | None = None,
        *,
        dilation: int = 1,
        groups: int = 1,
        relative: bool = False,
    ) -> Settling:
        """Add a causal convolution; `relative` says what its output is to be."""
        taps = weight.shape[2]
        if taps > 1:
            x = self._made_relative(x)
        still = x.silence[None, :, None].expand(1, -1, taps)
        constant = functional.conv1d(still, weight.double(), groups=groups)[0, :, 0]
        offset = torch.zeros_like(constant) if bias is None else bias.double()
        silence = constant + offset
        folded = offset + constant if x.relative else offset
        if relative:
            folded = folded - silence
        used = None if bias is None and not folded.any() else folded.float()
        node = self._graph.conv(x.node, weight, used, dilation=dilation, groups=groups)
        return Settling(node, silence, relative)

    def add(self, *signals: Settling) -> Settling:
        """Add the sum of signals that are all relative, or all not."""
        if len(signals) == 1:
            return signals[0]
        assert len({s.relative for s in signals}) == 1
        silence = torch.stack([s.silence for s in signals]).sum(dim=0)
        node = self._graph.add(*(s.node for s in signals))
        return Settling(node, silence, signals[0].relative)

    def multiply(self, a: Settling, b: Settling) -> Settling:
        """Add the product of two signals that are not relative."""
        assert not a.relative
        assert not b.relative
        return Settling(self._graph.multiply(a.node, b.node), a.silence * b.silence, False)

    def slice(self, x: Settling, start: int, stop: int) -> Settling:
        """Take some of the channels."""
        return Settling(self._graph.slice(x.node, start, stop), x.silence[start:stop], x.relative)

    def activation(self, x: Settling, function: str, **settings: float) -> Settling:
        """Add a function of a signal that is not relative."""
        assert not x.relative
        known = ACTIVATIONS[function]
        silence = known.function(x.silence, **{**known.settings, **settings})
        return Settling(self._graph.activation(x.node, function, **settings), silence, False)

    def prelu(self, x: Settling, slopes: Tensor) -> Settling:
        """Add a ReLU with slopes, one or one per channel, of a signal that is not relative."""
        assert not x.relative
        silence = torch.where(x.silence > 0, x.silence, x.silence * slopes.double())
        return Settling(self._graph.prelu(x.node, slopes), silence, False)

    def gain(self, x: Settling, weight: Tensor) -> Settling:
        """Multiply a signal by one number."""
        node = self._graph.gain(x.node, weight)
        return Settling(node, x.silence * weight.double(), x.relative)

    def finish(self, y: Settling, sample_rate: int) -> GraphModel:
        """Return the model whose output is `y`."""
        assert not y.relative
        model = GraphModel(self._graph.finish(y.node), self._graph.tensors, sample_rate=sample_rate)
        return model.eval().requires_grad_(False)

    def _made_relative(self, x: Settling) -> Settling:
        if x.relative:
            return x
        ones = torch.ones(x.channels)
        return Settling(self._graph.gain(x.node, ones, -x.silence.float()), x.silence, True)
