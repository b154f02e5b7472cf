"""What other players' recurrent files say, in one form: one stack, a linear head, a dry gain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fxkit.graph import Graph, GraphModel

__all__ = ["Kind", "RecurrentLayer", "RecurrentNet", "play"]

Kind = Literal["lstm", "gru"]
GATES = {"lstm": 4, "gru": 3}
Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class RecurrentLayer:
    """The weights of one layer, gates ordered as PyTorch has them: i, f, g, o or r, z, n."""

    weight_ih: Array
    """``[gates hidden, inputs]``."""
    weight_hh: Array
    """``[gates hidden, hidden]``."""
    bias_ih: Array
    """``[gates hidden]``."""
    bias_hh: Array
    """``[gates hidden]``."""
    h: Array | None = None
    """The hidden state at the start, ``[hidden]``; None for zeros."""
    c: Array | None = None
    """The cell state of an LSTM at the start, ``[hidden]``; None for zeros."""

    @property
    def hidden(self) -> int:
        """The size of the state."""
        return int(self.weight_hh.shape[1])


@dataclass(frozen=True)
class RecurrentNet:
    """``y[t] = head . h[t] + bias + dry x[t]``, h the state of the last of the layers.

    The first layer hears the sample, then the knobs.
    """

    kind: Kind
    layers: tuple[RecurrentLayer, ...]
    head: Array
    """``[hidden]``."""
    bias: float
    dry: float
    """The linear gain of the dry path; 0 for none."""
    controls: int = 0
    """The number of knobs."""

    @property
    def hidden(self) -> int:
        """The size of the state of the last layer."""
        return self.layers[-1].hidden


def play(net: RecurrentNet, sample_rate: int) -> GraphModel:
    """Return the model that plays `net`, made of the engine's layers."""
    g = Graph(nn.Module(), controls=net.controls)
    signal = g.concat(g.x, g.controls)
    for layer in net.layers:
        inputs, hidden = layer.weight_ih.shape[1], layer.hidden
        state = {
            name: _tensor(getattr(layer, name.removesuffix("_l0")))
            for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        }
        h = None if layer.h is None else _tensor(layer.h)[None]
        # Made on "meta": random weights that are thrown away would move the caller's numbers on.
        if net.kind == "lstm":
            c = None if layer.c is None else _tensor(layer.c)[None]
            lstm = nn.LSTM(inputs, hidden, batch_first=True, device="meta")
            lstm.load_state_dict(state, assign=True)
            signal = g.lstm(signal, lstm, initial_h=h, initial_c=c)
        else:
            gru = nn.GRU(inputs, hidden, batch_first=True, device="meta")
            gru.load_state_dict(state, assign=True)
            signal = g.gru(signal, gru, initial=h)
    y = g.dense(signal, _tensor(net.head)[None], _tensor(np.array([net.bias])))
    if net.dry == 1.0:
        y = g.add(y, g.x)
    elif net.dry != 0.0:
        y = g.add(y, g.gain(g.x, _tensor(np.array([net.dry]))))
    model = GraphModel(g.finish(y), g.tensors, sample_rate=sample_rate)
    return model.eval().requires_grad_(False)


def _tensor(array: Array) -> Tensor:
    return torch.from_numpy(np.array(array, np.float32))
