from __future__ import annotations

import pytest
import torch
from fxkit.graph import Graph, GraphModel, Node, NotExportableError, export
from fxkit.model import Model, State
from fxkit.options import NoOptions
from fxkit.scaled import Scaled
from torch import Tensor, nn


class Filter(Model):
    """A causal filter, a soft clipper, and a knob for the level."""

    error = 0.0

    def __init__(self) -> None:
        super().__init__(NoOptions(), controls=1)
        self.conv = nn.Conv1d(1, 1, 5)

    def initial_state(self, batch: int) -> State:
        return {"past": self.conv.weight.new_zeros(batch, 1, 4)}

    def forward(
        self, x: Tensor, state: State, controls: Tensor | None = None
    ) -> tuple[Tensor, State]:
        assert controls is not None
        heard = torch.cat((state["past"], x), dim=-1)
        return self.conv(heard).tanh() * controls[..., None], {"past": heard[..., -4:]}

    def graph(self, g: Graph, x: Node, controls: Node | None) -> Node:
        assert controls is not None
        weight = self.conv.weight * (1 + self.error) if self.error else self.conv.weight
        y = g.activation(g.conv(x, weight, self.conv.bias), "tanh")
        return g.multiply(y, controls)


def test_a_right_graph_is_exported() -> None:
    model = Scaled(Filter(), input_gain=3.0, output_gain=0.1)
    spec, tensors = export(model)
    assert [layer.type for layer in spec.layers] == [
        "gain",
        "conv",
        "activation",
        "multiply",
        "gain",
    ]
    assert set(tensors) == {
        "model.input_gain",
        "model.inner.conv.weight",
        "model.inner.conv.bias",
        "model.output_gain",
    }
    player = GraphModel(spec, tensors)
    assert export(player) == (spec, player.tensors())


def test_a_graph_that_is_slightly_off_is_refused() -> None:
    model = Filter()
    model.error = 1e-3
    with pytest.raises(NotExportableError, match=r"Filter.graph is not what Filter.forward"):
        export(Scaled(model))
    model.error = 1e-7
    assert "graph.0" in export(Scaled(model))[1]


def test_misfits_and_silence_name_the_model() -> None:
    class Narrow(Filter):
        def graph(self, g: Graph, x: Node, controls: Node | None) -> Node:
            return g.concat(x, controls)

    class Mute(Filter):
        graph = Model.graph

    with pytest.raises(NotExportableError, match=r"Narrow.graph does not fit: .* 2 channels"):
        export(Scaled(Narrow()))
    with pytest.raises(NotExportableError, match=r"Mute does not describe itself"):
        export(Scaled(Mute()))


def test_nan_is_never_equal() -> None:
    model = Filter()
    with torch.no_grad():
        model.conv.bias.fill_(float("nan"))
    with pytest.raises(NotExportableError, match="is not what"):
        export(model)


class Restless(Model):
    """A GRU whose weights are so large that it is chaotic on loud noise."""

    def __init__(self) -> None:
        super().__init__(NoOptions())
        torch.manual_seed(0)
        self.gru = nn.GRU(1, 32, batch_first=True)
        self.readout = nn.Linear(32, 1)
        with torch.no_grad():
            self.gru.weight_ih_l0.mul_(10)
            self.gru.weight_hh_l0.mul_(6)

    def initial_state(self, batch: int) -> State:
        return {"h": self.readout.weight.new_zeros(1, batch, 32)}

    def forward(
        self, x: Tensor, state: State, controls: Tensor | None = None
    ) -> tuple[Tensor, State]:
        y, h = self.gru(x.transpose(1, 2), state["h"])
        return self.readout(y).transpose(1, 2), {"h": h}

    def graph(self, g: Graph, x: Node, controls: Node | None) -> Node:
        return g.dense(g.gru(x, self.gru), self.readout)


@torch.no_grad()
def test_a_model_that_is_chaotic_on_noise_is_exported_all_the_same() -> None:
    model = Restless().eval()
    noise = 2 * torch.rand(1, 1, 4096, generator=torch.Generator().manual_seed(0)) - 1
    played, _ = model(noise, model.initial_state(1))
    exact = Restless().double()
    exact.load_state_dict(model.state_dict())
    wanted, _ = exact(noise.double(), exact.initial_state(1))
    assert (played - wanted).abs().max() > 0.1 * wanted.abs().max()  # rounding alone
    spec, _ = export(model)
    assert [layer.type for layer in spec.layers] == ["gru", "dense"]
