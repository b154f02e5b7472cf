"""`lstm`: a long short-term memory that runs sample by sample, and a linear readout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fxkit.model import Model, State
from fxkit.options import option
from fxkit.recurrent import lstm
from fxkit.search import Choice
from torch import Tensor, nn

from fxkit_models.dry import DRY_GAINS, dry_gain
from fxkit_models.features import with_controls

if TYPE_CHECKING:
    from fxkit.graph import Graph, Node
    from fxkit.search import Dimension

__all__ = ["LSTM"]


class LSTM(Model):
    """The hidden state of an LSTM, read out linearly, plus the input at a learned gain.

    ``y[t] = w . h[t] + b + g x[t]``, where h is an LSTM (Hochreiter & Schmidhuber, "Long short-term
    memory", Neural Computation 9, 1997, as `torch.nn.LSTM` computes it) over the sample and the
    knobs. The gain g starts at 0: a drive that takes the bass away would have to unlearn a 1. It
    can be fixed at 1 for players that add the input whatever the file says.
    """

    @dataclass(frozen=True)
    class Config:
        """The settings of the model ``lstm``."""

        hidden: int = option(48, "size of the hidden state", unit="units", low=1, high=1024)
        layers: int = option(1, "recurrent layers, one on top of the other", low=1, high=8)
        dry: bool = option(True, "add the input to the output")
        dry_gain: str = option(
            "learned", "gain of the input: learned, or 1 as Proteus has it", choices=DRY_GAINS
        )

    config: Config

    def __init__(self, config: Config, *, sample_rate: int = 44_100, controls: int = 0) -> None:
        super().__init__(config, sample_rate=sample_rate, controls=controls)
        self.lstm = nn.LSTM(1 + controls, config.hidden, config.layers, batch_first=True)
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
        """Return hidden state ``h`` and cell ``c``, each ``[batch, layers, hidden]``: zeros."""
        config = self.config
        shape = (batch, config.layers, config.hidden)
        return {name: self.readout.weight.new_zeros(shape) for name in ("h", "c")}

    def forward(
        self, x: Tensor, state: State, controls: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Process one block; see `fxkit.model.Model.forward`."""
        h, c = state["h"].transpose(0, 1), state["c"].transpose(0, 1)
        readout = self.readout.weight, self.readout.bias
        y, h, c = lstm(with_controls(x, controls), h, c, self.lstm, readout)
        y = y.transpose(1, 2)
        if self.dry is not None:
            y = y + self.dry * x
        return y, {"h": h.transpose(0, 1), "c": c.transpose(0, 1)}

    def graph(self, g: Graph, x: Node, controls: Node | None) -> Node:
        """Describe the LSTM, the readout and the dry path; see `fxkit.model.Model.graph`."""
        y = g.dense(g.lstm(g.concat(x, controls), self.lstm), self.readout)
        return y if self.dry is None else g.add(y, g.gain(x, self.dry))
