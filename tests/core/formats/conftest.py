from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from fxkit.artifact import Artifact
from fxkit.graph import Graph, GraphModel
from fxkit.graph.activations import ACTIVATIONS
from fxkit.manifest import Control, Manifest
from fxkit.model import Model, run_blocks
from fxkit.scaled import Scaled
from torch import nn

PEERS = Path(__file__).parents[3].parent / "shared" / "peer_models"
Player = Callable[..., np.ndarray]


@pytest.fixture(scope="session")
def peers() -> Path:
    if not PEERS.is_dir():
        pytest.skip("the other players' files are not here")
    return PEERS


@pytest.fixture(scope="session")
def wavenet() -> ModuleType:
    """The module `wavenet_reference` beside this file: ``play``, ``capture``, ``PREWARM``."""
    path = Path(__file__).with_name("wavenet_reference.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None  # noqa: PT018
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(5).uniform(-0.8, 0.8, 1500).astype(np.float32)


@pytest.fixture
def played() -> Player:
    """Play ``[time]`` through a model in blocks of odd sizes, after some samples of silence."""

    @torch.no_grad()
    def play(
        model: Model, x: np.ndarray, knobs: tuple[float, ...] = (), silence: int = 0
    ) -> np.ndarray:
        signal = torch.from_numpy(np.concatenate((np.zeros(silence, np.float32), x)))[None, None]
        controls = torch.tensor([knobs]) if knobs else None
        y, _ = run_blocks(model, signal, model.initial_state(1), controls, 977)
        return y[0, 0, silence:].numpy()

    return play


@pytest.fixture
def close() -> Callable[[np.ndarray, np.ndarray], None]:
    """Assert that two signals differ by less than 1e-5 of the peak."""

    def check(got: np.ndarray, wanted: np.ndarray) -> None:
        assert got.shape == wanted.shape
        peak = np.abs(wanted).max()
        assert peak > 1e-3
        assert np.abs(got - wanted).max() < 1e-5 * peak

    return check


@pytest.fixture
def trained() -> Callable[..., Artifact]:
    """An artefact of a model of any class, with weights large enough to bend the signal."""

    def make(cls: type[Model], *, sample_rate: int = 8000, controls: int = 0, **config) -> Artifact:
        torch.manual_seed(3)
        inner = cls(cls.Config(**config), sample_rate=sample_rate, controls=controls)
        with torch.no_grad():
            for name, parameter in inner.named_parameters():
                parameter.mul_(1.7)
                if name == "dry":
                    parameter.fill_(0.4)
        output = 1 / 3.0 if inner.unit_dry else 0.7
        model = Scaled(inner, input_gain=3.0, output_gain=output).eval().requires_grad_(False)
        knobs = tuple(Control(f"k{i}") for i in range(controls))
        manifest = Manifest(
            "Bright", cls.__name__.lower(), sample_rate=sample_rate, controls=knobs,
            author="Ann", gear="JCM800", licence="CC0",
        )  # fmt: skip
        return Artifact(manifest, model)

    return make


@pytest.fixture
def every_layer() -> Artifact:
    """A model with every layer type, every activation, strides, resets and states at the start."""
    torch.manual_seed(0)
    g = Graph(nn.Module(), controls=2)
    assert g.controls is not None
    x = g.conv(g.x, torch.randn(6, 1, 3), torch.randn(6), dilation=2)
    x = g.film(x, g.controls, torch.randn(12, 2) * 0.3, torch.randn(12) * 0.1)
    for function in ACTIVATIONS:
        x = g.add(x, g.activation(g.gain(x, torch.randn(6), torch.randn(6)), function))
    x = g.prelu(g.gain(x, torch.tensor(0.1)), torch.rand(6))
    low = g.conv(x, torch.randn(4, 3, 5) * 0.2, stride=4, groups=2)
    low = g.gru(low, nn.GRU(4, 4), initial=torch.randn(1, 4), reset_every=10)
    up = g.upsample(g.lstm(low, nn.LSTM(4, 4, bias=False)), 4)
    other = g.conv(g.upsample(g.downsample(x, 2), 2, "zeros"), torch.randn(4, 6, 2))
    y = g.concat(g.multiply(up, other), g.delay(g.slice(x, 1, 3), 7))
    start = {"initial_h": torch.randn(1, 5), "initial_c": torch.randn(1, 5)}
    y = g.dense(g.lstm(y, nn.LSTM(6, 5), **start), torch.randn(1, 5))
    model = GraphModel(g.finish(y), g.tensors).eval().requires_grad_(False)
    knobs = (Control("a"), Control("b"))
    return Artifact(Manifest("all", "graph", controls=knobs), model, model.spec, model.tensors())
