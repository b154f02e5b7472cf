"""`wavenet`: dilated, causal convolutions with residual connections and one head on their sum.

The network is that of van den Oord et al., "WaveNet: a generative model for raw audio" (2016),
section 2, used as Damskägg et al. do in "Deep learning for tube amplifier emulation" (ICASSP 2019):
it turns the input of an effect into its output directly and predicts nothing. Its details are those
of Neural Amp Modeler's WaveNet, so that a run can be exported to .nam.

Knobs scale and shift what each layer hears before its activation (FiLM: Perez et al., AAAI 2018);
a .nam file has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from fxkit.model import Model, State
from fxkit.options import option
from fxkit.search import Dimension, Range
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from fxkit.graph import Graph, Node

__all__ = ["WaveNet"]


class Layer(nn.Module):
    """One dilated convolution, its activation, and the residual path on from there."""

    def __init__(
        self, channels: int, kernel: int, dilation: int, gated: bool, controls: int
    ) -> None:
        super().__init__()
        self.channels = channels
        self.dilation = dilation
        self.gated = gated
        rows = 2 * channels if gated else channels
        self.past = (kernel - 1) * dilation
        """How many earlier samples the convolution looks at."""
        self.conv = nn.Conv1d(channels, rows, kernel, dilation=dilation)
        self.mixin = nn.Conv1d(1, rows, 1, bias=False)
        self.film = nn.Linear(controls, 2 * rows) if controls else None
        if self.film is not None:  # begin with knobs that do nearly nothing
            with torch.no_grad():
                self.film.weight.mul_(0.1)
                self.film.bias[:rows] = 1.0
                self.film.bias[rows:] = 0.0
        self.residual = nn.Conv1d(channels, channels, 1)

    def forward(
        self, h: Tensor, x: Tensor, past: Tensor, controls: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Process one block.

        Parameters
        ----------
        h, x
            What the layer below says, ``[batch, channels, time]``, and the audio itself,
            ``[batch, 1, time]``.
        past
            The samples of h before this block, ``[batch, channels, past]``.
        controls
            ``[batch, K]`` or None.

        Returns
        -------
        tuple of Tensor
            What goes to the layer above, what goes to the head, and the new past.
        """
        heard = torch.cat((past, h), dim=-1)
        z = functional.conv1d(heard, self.conv.weight, self.conv.bias, dilation=self.dilation)
        z = z + self.mixin(x)
        if self.film is not None and controls is not None:
            scale, shift = self.film(controls).unsqueeze(-1).chunk(2, dim=1)
            z = scale * z + shift
        if self.gated:
            value, gate = z.chunk(2, dim=1)
            made = torch.tanh(value) * torch.sigmoid(gate)
        else:
            made = torch.tanh(z)
        newest = heard[..., heard.shape[-1] - self.past :]
        return h + self.residual(made), made, newest

    def graph(self, g: Graph, h: Node, x: Node, controls: Node | None) -> tuple[Node, Node]:
        """Say the same in engine layers; the engine keeps the past by itself."""
        z = g.add(g.conv(h, self.conv), g.conv(x, self.mixin))
        if self.film is not None and controls is not None:
            z = g.film(z, controls, self.film)
        if self.gated:
            value = g.activation(g.slice(z, 0, self.channels), "tanh")
            gate = g.activation(g.slice(z, self.channels, 2 * self.channels), "sigmoid")
            made = g.multiply(value, gate)
        else:
            made = g.activation(z, "tanh")
        return g.add(h, g.conv(made, self.residual)), made


class WaveNet(Model):
    """A stack of layers whose dilations double, and a linear head on the sum of what they make.

    The state holds the past of every layer, ``layer_N`` of shape ``[batch, channels, past]``: as
    long as the layer's convolution reaches back, so that blocks of any size give the same output.
    """

    @dataclass(frozen=True)
    class Config:
        """The settings of the model ``wavenet``."""

        channels: int = option(12, "width of every layer", unit="channels", low=1, high=256)
        layers: int = option(9, "layers per stack; the dilations are 1, 2, 4, ...", low=1, high=14)
        stacks: int = option(2, "how often the dilations start again from 1", low=1, high=8)
        kernel: int = option(3, "taps of each convolution", unit="samples", low=2, high=64)
        gated: bool = option(False, "multiply each tanh by a learned sigmoid, at twice the cost")

    config: Config

    def __init__(self, config: Config, *, sample_rate: int = 44_100, controls: int = 0) -> None:
        super().__init__(config, sample_rate=sample_rate, controls=controls)
        dilations = [2**i for i in range(config.layers)] * config.stacks
        self.expand = nn.Conv1d(1, config.channels, 1, bias=False)
        self.layers = nn.ModuleList(
            Layer(config.channels, config.kernel, d, config.gated, controls) for d in dilations
        )
        self.head = nn.Conv1d(config.channels, 1, 1)

    @classmethod
    def search_space(cls) -> dict[str, Dimension]:
        """Return what ``fxkit tune model=wavenet`` searches."""
        return {
            "channels": Range(4, 16, step=4),
            "layers": Range(6, 10),
            "train.lr": Range(5e-4, 2e-2, log=True),
        }

    @property
    def warm_up(self) -> int:
        """Samples that the layers reach back together: the receptive field, less one."""
        return sum(layer.past for layer in self._layers())

    def initial_state(self, batch: int) -> State:
        """Return the past of every layer: zeros."""
        weight = self.head.weight
        return {
            f"layer_{i}": weight.new_zeros(batch, self.config.channels, layer.past)
            for i, layer in enumerate(self._layers())
        }

    def forward(
        self, x: Tensor, state: State, controls: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Process one block; see `fxkit.model.Model.forward`."""
        h = self.expand(x)
        new: State = {}
        total = torch.zeros_like(h)
        for i, layer in enumerate(self._layers()):
            h, made, new[f"layer_{i}"] = layer(h, x, state[f"layer_{i}"], controls)
            total = total + made
        return self.head(total), new

    def graph(self, g: Graph, x: Node, controls: Node | None) -> Node:
        """Describe the model as engine layers."""
        h = g.conv(x, self.expand)
        heard = []
        for layer in self._layers():
            h, made = layer.graph(g, h, x, controls)
            heard.append(made)
        return g.conv(g.add(*heard) if len(heard) > 1 else heard[0], self.head)

    def _layers(self) -> list[Layer]:
        return [layer for layer in self.layers if isinstance(layer, Layer)]
