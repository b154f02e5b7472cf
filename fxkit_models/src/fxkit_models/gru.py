"""`gru`: a gated recurrent unit that runs sample by sample, and a linear readout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fxkit.model import Model, State
from fxkit.options import option
from fxkit.recurrent import gru
from fxkit.search import Choice
from torch import Tensor, nn

from fxkit_models.dry import DRY_GAINS, dry_gain
from fxkit_models.features import with_controls

if TYPE_CHECKING:
    from fxkit.graph import Graph, Node
    from fxkit.search import Dimension

__all__ = ["GRU"]


class GRU(Model):
    """The hidden state of a GRU, read out linearly, plus the input at a learned gain.

    ``y[t] = w . h[t] + b + g x[t]``, where h is a GRU (Cho et al., "Learning phrase representations
    using RNN encoder-decoder", EMNLP 2014, as `torch.nn.GRU` computes it) over the sample and the
    knobs. The gain g starts at 0: a drive that takes the bass away would have to unlearn a 1. It
    can be fixed at 1 for players that add the input whatever the file says.
    """

    @dataclass(frozen=True)
    class Config:
        """The settings of the model ``gru``."""

        hidden: int = option(48, "size of the hidden state", unit="units", low=1, high=1024)
        layers: int = option(1, "recurrent layers, one on top of the other", low=1, high=8)
        dry: bool = option(True, "add the input to the output")
        dry_gain: str = option(
            "learned", "gain of the input: learned, or 1 as Proteus has it", choices=DRY_GAINS
        )

    config: Config

    def __init__(self, config: Config, *, sample_rate: int = 44_100, controls: int = 0) -> None:
        super().__init__(config, sample_rate=sample_rate, controls=controls)
        self.gru = nn.GRU(1 + controls, config.hidden, config.layers, batch_first=True)
        self.readout = nn.Linear(config.hidden, 1)
        self.dry = dry_gain(config.dry_gain) if config.dry else None

    @property
    def unit_dry(self) -> bool:
        """Whether the input is added to the output at a gain of exactly 1."""
        return self.config.dry and self.config.dry_gain == "fixed"

    @classmethod
    def search_space(cls) -> dict[str, Dimension]:
        """Return what `fxkit tune` searches."""
        return {"hidden": Choice((16, 24, 32, 48, 64)), "layers": Choice((1, 2))}

    def initial_state(self, batch: int) -> State:
        """Return ``h``, ``[batch, layers, hidden]`` of zeros."""
        config = self.config
        return {"h": self.readout.weight.new_zeros(batch, config.layers, config.hidden)}

    def forward(
        self, x: Tensor, state: State, controls: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Process one block; see `fxkit.model.Model.forward`."""
        readout = self.readout.weight, self.readout.bias
        y, h = gru(with_controls(x, controls), state["h"].transpose(0, 1), self.gru, readout)
        y = y.transpose(1, 2)
        if self.dry is not None:
            y = y + self.dry * x
        return y, {"h": h.transpose(0, 1)}

    def graph(self, g: Graph, x: Node, controls: Node | None) -> Node:
        """Describe the GRU, the readout and the dry path; see `fxkit.model.Model.graph`."""
        y = g.dense(g.gru(g.concat(x, controls), self.gru), self.readout)
        return y if self.dry is None else g.add(y, g.gain(x, self.dry))
