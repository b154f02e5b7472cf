from __future__ import annotations

import pytest
import torch
from fxkit.graph import Graph, GraphError, Node, NotExportableError, Spec
from torch import nn


def graph(controls: int = 0, module: nn.Module | None = None) -> Graph:
    return Graph(module or nn.Module(), controls=controls)


def test_parameters_keep_their_names_and_are_stored_once() -> None:
    module = nn.Sequential(nn.Linear(1, 4), nn.Linear(4, 1))
    g = graph(module=module)
    y = g.dense(g.activation(g.dense(g.x, module[0]), "tanh"), module[1])
    y = g.gain(g.gain(y, module[1].bias), module[1].bias)
    spec = g.finish(y)
    assert spec.tensors() == ["model.0.weight", "model.0.bias", "model.1.weight", "model.1.bias"]
    assert g.tensors["model.1.bias"].data_ptr() == module[1].bias.data_ptr()


def test_other_tensors_get_names_of_their_own() -> None:
    module = nn.Linear(3, 1)
    g = graph(module=module)
    half = module.weight[:, :1]
    spec = g.finish(g.dense(g.dense(g.x, half), half))
    assert spec.tensors() == ["graph.0"]
    assert torch.equal(g.tensors["graph.0"], module.weight[:, :1])


def test_every_layer_counts_its_channels_and_frames() -> None:
    g = graph(controls=2)
    assert g.controls is not None
    x = g.conv(g.x, nn.Conv1d(1, 6, 4, stride=3))
    assert (x.channels, x.period) == (6, 3)
    assert g.concat(x, None, x).channels == 12
    assert g.concat(None, x) is x
    assert g.slice(x, 1, 3).channels == 2
    assert g.gru(x, nn.GRU(6, 5, 2)).channels == 5
    assert g.lstm(x, nn.LSTM(6, 7)).channels == 7
    assert g.film(g.x, g.controls, nn.Linear(2, 2)).channels == 1
    assert g.prelu(x, nn.PReLU()).channels == 6
    assert g.delay(x, 3) == Node("delay_0", 6, 3)
    assert g.upsample(x, 3).period == 1
    assert g.downsample(g.x, 5).period == 5


def test_layers_that_the_output_does_not_need_are_left_out() -> None:
    g = graph()
    g.gain(g.x, torch.tensor([3.0]))
    spec = g.finish(g.activation(g.x, "relu"))
    assert [layer.name for layer in spec.layers] == ["activation_0"]
    assert g.tensors == {}


def test_misfits_name_the_layer_and_the_sizes() -> None:
    g = graph()
    x = g.conv(g.x, nn.Conv1d(1, 4, 3))
    slow = g.downsample(x, 2)
    for attempt, said in [
        (lambda: g.dense(x, nn.Linear(3, 1)), r"dense_0.*\[1, 3\] but must be \[any, 4\]"),
        (lambda: g.add(x, g.x), "add_0.*4, 1 channels"),
        (lambda: g.add(x, slow), "every 1 and 2 samples"),
        (lambda: g.add(x), "takes 2 inputs or more"),
        (lambda: g.slice(x, 2, 5), "no channels 2 to 5 in 4"),
        (lambda: g.upsample(x, 2), "every 1 samples cannot come 2 times"),
        (lambda: g.gain(x, torch.ones(3)), r"\[3\] but must be \[4\]"),
        (lambda: g.conv(x, torch.ones(2, 2, 3)), r"must be \[any, 4, any\]"),
        (lambda: g.conv(x, torch.ones(2, 1, 3), groups=3), "cut into 3 groups"),
        (lambda: g.conv(x, torch.ones(2, 4, 3), dilation=0), "dilation must be 1"),
        (lambda: g.activation(x, "tahn"), "'tahn' is not one of its functions: tanh"),
        (lambda: g.activation(x, "relu", slope=0.1), "relu: its settings are: none"),
        (lambda: g.gru(x, nn.GRU(3, 2)), r"must be \[6, 4\]"),
        (lambda: g.delay(x, -1), "0 or more"),
        (lambda: g.finish(x), "has 4 channels every 1 samples; it must have 1"),
    ]:
        with pytest.raises(GraphError, match=said):
            attempt()


def test_a_node_of_another_graph_is_refused() -> None:
    other = graph()
    node = other.conv(other.x, nn.Conv1d(1, 2, 3))
    with pytest.raises(GraphError, match="another graph"):
        graph().add(node, node)


def test_what_cannot_be_played_says_so() -> None:
    g = graph()
    with pytest.raises(NotExportableError, match="proj_size"):
        g.lstm(g.x, nn.LSTM(1, 4, proj_size=2))
    with pytest.raises(NotExportableError, match="future"):
        g.gru(g.x, nn.GRU(1, 4, bidirectional=True))


def test_json_round_trip() -> None:
    import json

    g = graph(controls=1)
    y = g.activation(g.conv(g.concat(g.x, g.controls), nn.Conv1d(2, 3, 2)), "hardtanh", low=-2.0)
    y = g.dense(g.lstm(y, nn.LSTM(3, 4), initial_h=torch.ones(1, 4)), nn.Linear(4, 1, bias=False))
    spec = g.finish(y)
    assert Spec.from_plain(json.loads(json.dumps(spec.to_plain()))) == spec
