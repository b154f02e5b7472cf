"""The engine against PyTorch in 64 bits: every layer, every shipped model, any cut into blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from fxkit.graph import Graph, GraphModel, Node
from fxkit.manifest import Control, Manifest
from fxkit.realtime import measure
from fxkit.registry import MODELS
from torch import Tensor, nn

from fxkit import artifact, engine, rendering

fxkit_engine = pytest.importorskip("fxkit_engine")
if not hasattr(fxkit_engine, "Engine"):
    pytest.skip("fxkit-engine is older than its engine", allow_module_level=True)

ISAS = fxkit_engine.available_isas()
SAMPLES = 2000
TOLERANCE = 1e-5


@pytest.fixture(autouse=True)
def _seed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("FXKIT_ENGINE", raising=False)
    torch.manual_seed(0)
    with torch.no_grad():
        yield


def save(path: Path, model: GraphModel | nn.Module, *, controls: int = 0) -> artifact.Artifact:
    knobs = tuple(Control(f"knob {i}", 0.3) for i in range(controls))
    manifest = Manifest(name="test", model="graph", controls=knobs)
    return artifact.save(path, model, manifest, probe_seconds=0.02)


def wanted(saved: artifact.Artifact, x: Tensor, knobs: list[float] | None = None) -> np.ndarray:
    """Play ``[channels, time]`` through the graph in 64 bits."""
    assert saved.graph is not None
    tensors = {name: tensor.double() for name, tensor in saved.tensors.items()}
    model = GraphModel(saved.graph, tensors).double()
    controls = torch.tensor([knobs], dtype=torch.float64).expand(len(x), -1) if knobs else None
    y, _ = model(x.double()[:, None], model.initial_state(len(x)), controls)
    return y[:, 0].numpy()


def close(got: np.ndarray, expected: np.ndarray, tolerance: float = TOLERANCE) -> None:
    assert np.abs(got - expected).max() <= tolerance * np.abs(expected).max()


def in_blocks(player, x: np.ndarray, sizes: list[int]) -> np.ndarray:
    parts, at = [], 0
    while at < x.shape[-1]:
        size = sizes[len(parts) % len(sizes)]
        parts.append(player.process(np.ascontiguousarray(x[..., at : at + size])))
        at += size
    return np.concatenate(parts, axis=-1)


def saturate(model: nn.Module) -> None:
    """Draw weights so large that gates are at their ends most of the time."""
    for name, p in model.named_parameters():
        p.normal_(0, 6.0 if "weight_ih" in name else 0.8 / max(p.shape[-1], 4) ** 0.5)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("name", ["gru", "lstm", "nn-gru"])
@pytest.mark.parametrize("controls", [0, 2])
def test_shipped_models(tmp_path: Path, name: str, controls: int, isa: str) -> None:
    cls = MODELS.get(name)
    model = cls(cls.Config(hidden=24, layers=2), sample_rate=96_000, controls=controls)
    saturate(model)
    saved = save(tmp_path / "m.fxkit", model, controls=controls)
    x = 0.5 * torch.randn(2, SAMPLES)
    expected = wanted(saved, x, [0.3] * controls)
    player = fxkit_engine.Engine.open(tmp_path / "m.fxkit", isa=isa, channels=2)
    assert player.sample_rate == 96_000
    assert player.isa == isa
    whole = player.process(x.numpy())
    close(whole, expected)
    for sizes in ([1], [7], [64], [512], [1, 0, 300, 5]):
        player.reset()
        np.testing.assert_array_equal(in_blocks(player, x.numpy(), sizes), whole)


@pytest.mark.parametrize("saturated", [False, True])
@pytest.mark.parametrize("hidden", [16, 48])
@pytest.mark.parametrize("name", ["gru", "lstm", "nn-gru"])
def test_as_exact_as_pytorch(tmp_path: Path, name: str, hidden: int, saturated: bool) -> None:
    cls = MODELS.get(name)
    model = cls(cls.Config(hidden=hidden), sample_rate=48_000, controls=0)
    if saturated:
        saturate(model)
    saved = save(tmp_path / "m.fxkit", model)
    x = 0.5 * torch.randn(1, 4 * SAMPLES)
    truth = wanted(saved, x)
    single = GraphModel(saved.graph, saved.tensors)
    by_pytorch = single(x[:, None], single.initial_state(1))[0][:, 0].numpy()
    played = fxkit_engine.Engine.open(tmp_path / "m.fxkit").process(x[0].numpy())
    # What magnifies rounding does so in PyTorch too.
    error = np.abs(by_pytorch - truth).max() / np.abs(truth).max()
    close(played, truth[0], max(1e-6, 3 * error))


Build = Callable[[Graph, Node, Node], Node]


class Holder(nn.Module):
    """Weights for the graphs below."""

    def __init__(self) -> None:
        super().__init__()
        self.expand = nn.Linear(1, 6)
        self.mix = nn.Linear(6, 1)
        self.conv = nn.Conv1d(6, 6, 3, dilation=5)
        self.grouped = nn.Conv1d(6, 6, 2, groups=3)
        self.down = nn.Conv1d(6, 6, 4, stride=4)
        self.depthwise = nn.Conv1d(6, 6, 9, groups=6, bias=False)
        self.film = nn.Linear(2, 12)
        self.gru = nn.GRU(6, 6, 2, batch_first=True)
        self.lstm = nn.LSTM(6, 6, 2, bias=False, batch_first=True)
        self.gains = nn.Parameter(torch.randn(6))
        self.shifts = nn.Parameter(torch.randn(6))
        self.state = nn.Parameter(torch.randn(2, 6))
        self.slopes = nn.PReLU(6)


H = Holder()

LAYERS: dict[str, Build] = {
    "dense": lambda g, x, k: x,
    "conv": lambda g, x, k: g.conv(x, H.conv),
    "grouped": lambda g, x, k: g.conv(x, H.grouped),
    "depthwise": lambda g, x, k: g.conv(x, H.depthwise),
    "strided": lambda g, x, k: g.upsample(g.conv(x, H.down), 4),
    "transposed": lambda g, x, k: g.conv(
        g.upsample(g.gru(g.conv(x, H.down), H.gru, reset_every=3), 4, "zeros"), H.conv
    ),
    "downsample": lambda g, x, k: g.upsample(g.downsample(x, 7), 7),
    "delay": lambda g, x, k: g.add(g.delay(x, 333), g.delay(x, 0)),
    "film": lambda g, x, k: g.film(x, k, H.film),
    "knobs": lambda g, x, k: g.slice(g.concat(x, k), 2, 8),
    "gru": lambda g, x, k: g.gru(x, H.gru, initial=H.state),
    "gru, reset": lambda g, x, k: g.gru(x, H.gru, initial=H.state, reset_every=50),
    "lstm": lambda g, x, k: g.lstm(x, H.lstm, initial_h=H.state, initial_c=H.state),
    "gain": lambda g, x, k: g.gain(x, H.gains, H.shifts),
    "prelu": lambda g, x, k: g.prelu(x, H.slopes),
    "gate": lambda g, x, k: g.multiply(x, g.activation(x, "sigmoid"), x),
    "sums": lambda g, x, k: g.add(x, g.conv(x, H.conv), x, g.conv(x, H.grouped)),
    **{
        function: lambda g, x, k, f=function: g.activation(g.gain(x, 4 * H.gains), f)
        for function in [
            "tanh",
            "sigmoid",
            "relu",
            "leaky_relu",
            "elu",
            "softplus",
            "hardtanh",
            "leaky_hardtanh",
            "hardsigmoid",
            "hardswish",
            "softsign",
            "silu",
            "gelu",
            "gelu_tanh",
            "sin",
        ]
    },
}


@pytest.mark.parametrize("layer", LAYERS)
def test_layers(tmp_path: Path, layer: str) -> None:
    g = Graph(H, controls=2)
    assert g.controls is not None
    node = LAYERS[layer](g, g.dense(g.x, H.expand), g.controls)
    spec = g.finish(g.dense(node, H.mix))
    path = tmp_path / "m.fxkit"
    saved = save(path, GraphModel(spec, g.tensors, sample_rate=44_100), controls=2)
    x = torch.randn(3, SAMPLES)
    expected = wanted(saved, x, [0.3, 0.3])
    for isa in ISAS:
        player = fxkit_engine.Engine.open(path, isa=isa, channels=3)
        whole = player.process(x.numpy())
        close(whole, expected)
        player.reset()
        np.testing.assert_array_equal(in_blocks(player, x.numpy(), [1, 7, 64, 512]), whole)


@pytest.mark.parametrize("rate", [44_100, 48_000, 88_200, 192_000])
def test_rendering_takes_the_engine(
    tmp_path: Path, rate: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    cls = MODELS.get("gru")
    saved = save(tmp_path / "m.fxkit", cls(cls.Config(hidden=8), sample_rate=48_000))
    x = 0.3 * torch.randn(rate // 20, 2).numpy()
    assert rendering.Renderer(saved, rate).backend.startswith("fxkit engine")
    played = saved.render(x, rate)
    monkeypatch.setenv("FXKIT_ENGINE", "off")
    assert rendering.Renderer(saved, rate).backend == "PyTorch"
    close(played, saved.render(x, rate))


def test_rendering_with_knobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cls = MODELS.get("lstm")
    saved = save(tmp_path / "m.fxkit", cls(cls.Config(hidden=8), controls=2), controls=2)
    x = 0.3 * torch.randn(3000).numpy()
    played = saved.render(x, 44_100, [0.9, 0.1])
    monkeypatch.setenv("FXKIT_ENGINE", "off")
    close(played, saved.render(x, 44_100, [0.9, 0.1]))


def test_block_times_are_those_of_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    cls = MODELS.get("gru")
    model = cls(cls.Config(hidden=8))
    assert measure(model, block=64, seconds=0.05).backend.startswith("fxkit engine")
    monkeypatch.setenv("FXKIT_ENGINE", "baseline")
    assert measure(model, block=64, seconds=0.05).backend == "fxkit engine, baseline"
    monkeypatch.setenv("FXKIT_ENGINE", "off")
    assert measure(model, block=64, seconds=0.05).backend.startswith("PyTorch")


def test_a_model_without_a_graph_is_played_by_pytorch() -> None:
    class Opaque(MODELS.get("gru")):
        def graph(self, g, x, controls):
            from fxkit.graph import NotExportableError

            raise NotExportableError("no")

    assert engine.for_model(Opaque(Opaque.Config(hidden=4))) is None


def test_what_the_engine_says_of_a_file(tmp_path: Path) -> None:
    cls = MODELS.get("gru")
    save(tmp_path / "m.fxkit", cls(cls.Config(hidden=4), controls=1), controls=1)
    player = fxkit_engine.Engine.open(str(tmp_path / "m.fxkit"))
    assert player.controls == [("knob 0", pytest.approx(0.3))]
    assert (player.latency, player.channels) == (0, 1)
    assert '"name"' in player.manifest
    assert player.probe_error < 1e-5
    assert player.process(np.zeros(0, np.float32)).shape == (0,)
    assert player.process(np.zeros(5)).dtype == np.float32
    with pytest.raises(ValueError, match="1 channels, not 2"):
        player.process(np.zeros((2, 5), np.float32))
    player.prepare(2)
    assert player.process(np.zeros((2, 5), np.float32)).shape == (2, 5)
    with pytest.raises(ValueError, match="0 to 1"):
        player.set_control(0, 1.5)
    with pytest.raises(IndexError):
        player.set_control(1, 0.5)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    cls = MODELS.get("gru")
    path = tmp_path / "m.fxkit"
    save(path, cls(cls.Config(hidden=4)))
    data = path.read_bytes()
    assert fxkit_engine.Engine.from_bytes(data).sample_rate == 44_100
    with pytest.raises(fxkit_engine.EngineError, match="damaged"):
        fxkit_engine.Engine.from_bytes(data[:-1])
    with pytest.raises(fxkit_engine.EngineError, match="no such file"):
        fxkit_engine.Engine.open(tmp_path / "other.fxkit")
    with pytest.raises(fxkit_engine.EngineError, match="no kernels for 'mmx'"):
        fxkit_engine.Engine.open(path, isa="mmx")
