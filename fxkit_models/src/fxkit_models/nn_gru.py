"""`nn-gru`: a causal convolution that hears the last samples at once, then a GRU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from fxkit.model import Model, State
from fxkit.options import option
from fxkit.recurrent import gru
from fxkit.search import Choice, Range
from torch import Tensor, nn
from torch.nn import functional

from fxkit_models.features import with_controls

if TYPE_CHECKING:
    from fxkit.graph import Graph, Node
    from fxkit.search import Dimension

__all__ = ["NNGRU"]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
}


class NNGRU(Model):
    """Learned filters, a GRU over what they hear, and a linear readout from both.

    The filters are a causal convolution of `taps` samples into `channels` features. The GRU sees
    the features, the sample itself and the knobs; the readout sees the features and the hidden
    state. So what is linear in an amplifier (its tone stack, its speaker) is learned as a plain
    filter, and the recurrent state is left to what is not.
    """

    @dataclass(frozen=True)
    class Config:
        """The settings of the model ``nn-gru``."""

        hidden: int = option(48, "size of the hidden state", unit="units", low=1, high=1024)
        layers: int = option(1, "recurrent layers, one on top of the other", low=1, high=8)
        taps: int = option(64, "length of the filters", unit="samples", low=2, high=8192)
        channels: int = option(12, "filters in the front end", low=1, high=256)
        activation: str = option("none", "what follows the filters", choices=("none", *ACTIVATIONS))
        dry: bool = option(False, "add the input to the output at a learned gain")

    config: Config

    def __init__(self, config: Config, *, sample_rate: int = 44_100, controls: int = 0) -> None:
        super().__init__(config, sample_rate=sample_rate, controls=controls)
        self.filters = nn.Conv1d(1, config.channels, config.taps)
        self.gru = nn.GRU(
            config.channels + 1 + controls, config.hidden, config.layers, batch_first=True
        )
        self.readout = nn.Linear(config.channels + config.hidden, 1)
        self.dry = nn.Parameter(torch.zeros(1)) if config.dry else None

    @classmethod
    def search_space(cls) -> dict[str, Dimension]:
        """Return what `fxkit tune` searches."""
        return {
            "hidden": Choice((16, 24, 32, 48, 64)),
            "layers": Choice((1, 2)),
            "taps": Choice((3, 16, 64, 256)),
            "channels": Range(4, 24, step=4),
        }

    def initial_state(self, batch: int) -> State:
        """Return the past samples ``x``, ``[batch, 1, taps - 1]``, and ``h`` as in `gru`: zeros."""
        config, weight = self.config, self.readout.weight
        return {
            "x": weight.new_zeros(batch, 1, config.taps - 1),
            "h": weight.new_zeros(batch, config.layers, config.hidden),
        }

    def forward(
        self, x: Tensor, state: State, controls: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Process one block; see `fxkit.model.Model.forward`."""
        heard = torch.cat((state["x"], x), dim=-1)
        features = functional.conv1d(heard, self.filters.weight, self.filters.bias)
        if self.config.activation != "none":
            features = ACTIVATIONS[self.config.activation](features)
        inputs = with_controls(torch.cat((features, x), dim=1), controls)
        channels, weight = self.config.channels, self.readout.weight
        readout = weight[:, channels:], self.readout.bias
        y, h = gru(inputs, state["h"].transpose(0, 1), self.gru, readout)
        # The readout's share of the filters is a filter too.
        y = y.transpose(1, 2) + weight[:, :channels] @ features
        if self.dry is not None:
            y = y + self.dry * x
        past = heard[..., heard.shape[-1] - (self.config.taps - 1) :]
        return y, {"x": past, "h": h.transpose(0, 1)}

    def graph(self, g: Graph, x: Node, controls: Node | None) -> Node:
        """Describe filters, GRU, readout and dry path; see `fxkit.model.Model.graph`."""
        features = g.conv(x, self.filters)
        if self.config.activation != "none":
            features = g.activation(features, self.config.activation)
        hidden = g.gru(g.concat(features, x, controls), self.gru)
        y = g.dense(g.concat(features, hidden), self.readout)
        return y if self.dry is None else g.add(y, g.gain(x, self.dry))
