"""Lists of layers from strangers."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from fxkit.graph import Graph, GraphError, Spec
from fxkit.graph import spec as limits
from torch import nn


@pytest.fixture
def plain() -> dict[str, Any]:
    g = Graph(nn.Module(), controls=1)
    y = g.gru(g.concat(g.x, g.controls), nn.GRU(2, 3))
    return g.finish(g.dense(g.activation(y, "leaky_relu"), nn.Linear(3, 1))).to_plain()


SHAPES = {
    "graph.0": (9, 2),
    "graph.1": (9, 3),
    "graph.2": (9,),
    "graph.3": (9,),
    "graph.4": (1, 3),
    "graph.5": (1,),
}


def refused(plain: Any, said: str, shapes: dict[str, tuple[int, ...]] | None = None) -> None:
    with pytest.raises(GraphError, match=said) as caught:
        Spec.from_plain(plain).check(SHAPES if shapes is None else shapes)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_good(plain: dict[str, Any]) -> None:
    signals = Spec.from_plain(plain).check(SHAPES)
    assert signals["gru_0"] == (3, 1)
    assert signals["dense_0"] == (1, 1)


@pytest.mark.parametrize("junk", [None, [], "x", 3, {}, {"version": "1"}, {"version": True}])
def test_not_a_graph(junk: Any) -> None:
    refused(junk, "graph")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("version", 2, "version 2, this fxkit reads up to 1"),
        ("version", 0, "no version"),
        ("controls", -1, "controls"),
        ("controls", 1.0, "controls"),
        ("controls", 10**9, "controls"),
        ("output", 3, "output"),
        ("output", "nowhere", "'nowhere' is not one of its layers"),
        ("output", "gru_0", "3 channels"),
        ("layers", {}, "must be a list"),
        ("layers", [3], "JSON object"),
        ("layers", [{}], "must have a name"),
        ("layers", [{"name": "a", "type": "warp", "inputs": []}], "'warp' is not a layer type"),
        ("layers", [{"name": "a", "type": [], "inputs": []}], "is not a layer type"),
        ("layers", [{"name": "a", "type": "add", "inputs": "x"}], "list of names"),
        ("layers", [{"name": "a" * 201, "type": "add", "inputs": []}], "1 to 200"),
        ("layers", [], "not one of its layers"),
        ("extra", 1, "no more"),
    ],
)
def test_top_level(plain: dict[str, Any], key: str, value: Any, said: str) -> None:
    refused({**plain, key: value}, said)


@pytest.mark.parametrize(
    ("layer", "key", "value", "said"),
    [
        (0, "inputs", ["x", "gru_0"], "'gru_0' is not an earlier layer"),
        (0, "inputs", ["concat_0"], "not an earlier layer"),
        (0, "name", "x", "name is taken"),
        (1, "name", "concat_0", "name is taken"),
        (1, "inputs", ["x"], "must be"),
        (1, "weight_ih", "missing", "'missing' is not in the file"),
        (1, "weight_ih", 3, "must be a name"),
        (1, "weight_hh", "graph.0", "9 x 2 but has 3 gates"),
        (1, "weight_hh", "graph.2", "must be"),
        (1, "reset_every", -1, "0 or more"),
        (1, "reset_every", 1.5, "whole number"),
        (1, "reset_every", True, "whole number"),
        (1, "hidden", 10**9, "no setting 'hidden'"),
        (2, "function", "exec", "'exec' is not one of its functions"),
        (2, "slope", "0.1", "finite number"),
        (2, "slope", float("nan"), "finite number"),
        (2, "slope", 10**400, "finite number"),
        (2, "low", 0.5, "no setting 'low'"),
        (3, "bias", None, "must be a name"),
        (3, "inputs", [], "takes 1 input"),
        (3, "inputs", ["x", "x"], "takes 1 input"),
    ],
)
def test_layers(plain: dict[str, Any], layer: int, key: str, value: Any, said: str) -> None:
    plain = copy.deepcopy(plain)
    plain["layers"][layer][key] = value
    refused(plain, said)


def test_a_missing_setting_is_named(plain: dict[str, Any]) -> None:
    del plain["layers"][1]["weight_hh"]
    refused(plain, "weight_hh is missing")


def test_controls_of_a_model_without_any(plain: dict[str, Any]) -> None:
    refused({**plain, "controls": 0}, "reads the controls, but the model has none")


def chain(*layers: dict[str, Any]) -> dict[str, Any]:
    named = []
    for i, layer in enumerate(layers):
        inputs = layer.get("inputs", [f"l{i - 1}" if i else "x"])
        named.append({**layer, "name": f"l{i}", "inputs": inputs})
    return {"version": 1, "controls": 0, "layers": named, "output": f"l{len(layers) - 1}"}


def test_bombs() -> None:
    doubling = [{"type": "concat", "inputs": [f"l{i - 1}" if i else "x"] * 2} for i in range(60)]
    refused(chain(*doubling), "at most 4096", {})
    wide = [{"type": "concat", "inputs": ["x"] * 4096}] + [
        {"type": "activation", "function": "relu"}
    ] * 60
    refused(chain(*wide), "channels together", {})
    refused(chain({"type": "delay", "frames": 10**12}), "remembers over", {})
    refused(chain(*[{"type": "delay", "frames": 2**20}] * 17), "remembers over", {})
    dilated = {"type": "conv", "weight": "w", "dilation": 10**9}
    refused(chain(dilated), "remembers over", {"w": (1, 1, 3)})
    refused(chain({"type": "downsample", "factor": 10**9}), "at most 65536", {})
    refused(chain(*[{"type": "delay", "frames": 0}] * (limits.MAX_LAYERS + 1)), "at most 8192", {})
    refused(chain({"type": "dense", "weight": "w"}), "nothing in it", {"w": (0, 1)})
