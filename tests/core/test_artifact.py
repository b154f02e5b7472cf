"""The model file: it opens as it was saved, and nothing damaged or hostile gets through."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fxkit.errors import ArtifactError, PluginError
from fxkit.graph import Graph, GraphModel, Node
from fxkit.manifest import Control, Level, Manifest
from fxkit.model import Model, State, run_blocks
from fxkit.options import option
from fxkit.registry import Entry
from fxkit.scaled import Scaled
from torch import Tensor, nn

from fxkit import artifact, container


@dataclass(frozen=True)
class TinyConfig:
    hidden: int = option(4, "Size of the state.", low=1)


class Tiny(Model):
    """A GRU with a knob and a readout."""

    Config = TinyConfig

    def __init__(self, config: TinyConfig, *, sample_rate: int = 44_100, controls: int = 0) -> None:
        super().__init__(config, sample_rate=sample_rate, controls=controls)
        self.gru = nn.GRU(1 + controls, config.hidden, batch_first=True)
        self.readout = nn.Linear(config.hidden, 1)

    def initial_state(self, batch: int) -> State:
        return {"h": self.readout.weight.new_zeros(batch, self.config.hidden)}

    def forward(
        self, x: Tensor, state: State, controls: Tensor | None = None
    ) -> tuple[Tensor, State]:
        knobs = [] if controls is None else [controls[:, :, None].expand(-1, -1, x.shape[-1])]
        y, h = self.gru(torch.cat([x, *knobs], dim=1).transpose(1, 2), state["h"][None])
        return self.readout(y).transpose(1, 2), {"h": h[0]}

    def graph(self, g: Graph, x: Node, controls: Node | None) -> Node:
        return g.dense(g.gru(g.concat(x, controls), self.gru), self.readout)


class Plain(Tiny):
    """The same without a description."""

    graph = Model.graph


class Wrong(Tiny):
    """The same with a description of something else."""

    def graph(self, g: Graph, x: Node, controls: Node | None) -> Node:
        return g.activation(super().graph(g, x, controls), "tanh")


class Late(Tiny):
    """The same, but it declares a latency of its own."""

    latency = 5  # type: ignore[assignment]


class FakeRegistry:
    def __init__(self) -> None:
        self.classes: dict[str, Any] = {"tiny": Tiny, "plain": Plain, "wrong": Wrong}

    def entries(self) -> list[Entry]:
        return [Entry(name, "some-models", "1.2", "m:C") for name in self.classes]

    def get(self, name: str) -> type[Model]:
        found = self.classes[name]
        if isinstance(found, PluginError):
            raise found
        return found  # type: ignore[no-any-return]


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> FakeRegistry:
    fake = FakeRegistry()
    monkeypatch.setattr(artifact, "MODELS", fake)
    return fake


MANIFEST = Manifest(
    name="Heavy",
    model="tiny",
    task="distort",
    controls=(Control("drive", 0.3),),
    input=Level(rms=0.1, peak=0.9, loudness=-20.0),
    output=Level(rms=0.2, peak=1.0, dbu=12.5),
    gear="amp",
    author="me",
    licence="CC0",
    training={"seed": 0, "data": {"clean": "clean.flac"}},
    metrics={"esr": 0.01, "bands": {"63": -20.0}, "aliasing": None},
)


def tiny(cls: type[Tiny] = Tiny, hidden: int = 4) -> Scaled:
    torch.manual_seed(0)
    inner = cls(TinyConfig(hidden=hidden), sample_rate=8000, controls=1)
    return Scaled.from_levels(inner, input_rms=0.1, target_rms=0.2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    artifact.save(tmp_path / "m.fxkit", tiny(), MANIFEST)
    return tmp_path / "m.fxkit"


def play(model: Model) -> Tensor:
    x = torch.randn(2, 1, 300, generator=torch.Generator().manual_seed(3))
    knobs = torch.tensor([[0.1], [0.9]])
    with torch.no_grad():
        return run_blocks(model, x, model.initial_state(2), knobs, 64)[0]


def same(got: Tensor, wanted: Tensor) -> None:
    # Not to the bit: PyTorch adds up in another order where weights lie at other addresses.
    torch.testing.assert_close(got, wanted, atol=1e-6, rtol=0)


def test_opens_as_it_was_saved(path: Path) -> None:
    opened = artifact.open(path)
    assert isinstance(opened.model, Scaled)
    assert not opened.model.training
    same(play(opened.model), play(tiny()))
    assert opened.manifest == replace(
        MANIFEST,
        config={"hidden": 4},
        sample_rate=8000,
        distribution="some-models",
        distribution_version="1.2",
        fxkit=opened.manifest.fxkit,
    )
    assert (opened.model.sample_rate, opened.model.config) == (8000, TinyConfig(4))


def test_saving_again_changes_nothing(path: Path, tmp_path: Path) -> None:
    opened = artifact.open(path)
    artifact.save(tmp_path / "again.fxkit", opened.model, opened.manifest)
    metadata, tensors = container.read(path)
    again, tensors_again = container.read(tmp_path / "again.fxkit")
    assert again == metadata
    assert tensors_again.keys() == tensors.keys()
    for name in tensors:
        torch.testing.assert_close(tensors_again[name], tensors[name], atol=1e-6, rtol=0)


def test_opening_leaves_the_random_numbers_alone(path: Path) -> None:
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    artifact.open(path)
    assert torch.equal(torch.rand(3), wanted)


def test_saving_does_not_touch_the_model(tmp_path: Path) -> None:
    model = tiny().train()
    artifact.save(tmp_path / "m.fxkit", model, MANIFEST)
    assert model.training
    assert all(p.requires_grad for p in model.parameters())


def test_a_model_without_gains_gets_gains_of_one(tmp_path: Path) -> None:
    inner = tiny().inner
    opened = artifact.save(tmp_path / "m.fxkit", inner, MANIFEST)
    assert float(opened.model.get_buffer("input_gain")) == 1.0
    same(play(opened.model), play(inner))


def test_plays_from_its_graph_where_the_class_is_missing(
    path: Path, registry: FakeRegistry, tmp_path: Path
) -> None:
    by_class, by_graph = artifact.open(path), artifact.open(path, from_graph=True)
    assert isinstance(by_graph.model, GraphModel)
    same(play(by_graph.model), play(by_class.model))
    registry.classes.clear()
    opened = artifact.open(path)
    assert isinstance(opened.model, GraphModel)
    same(play(opened.model), play(by_graph.model))
    again = artifact.save(tmp_path / "again.fxkit", opened.model, opened.manifest)
    assert again.manifest.model == "graph"
    same(play(artifact.open(tmp_path / "again.fxkit").model), play(opened.model))


def test_weights_are_stored_once(path: Path) -> None:
    metadata, tensors = container.read(path)
    refers = {
        value
        for layer in json.loads(metadata["fxkit.graph"])["layers"]
        for key, value in layer.items()
        if key.startswith(("weight", "bias"))
    }
    assert refers <= tensors.keys()
    assert all(name.startswith("model.") for name in refers)


def test_a_model_without_a_graph_says_why(tmp_path: Path, registry: FakeRegistry) -> None:
    for cls, said in [(Plain, "does not describe itself"), (Wrong, "is not what Wrong.forward")]:
        manifest = replace(MANIFEST, model=cls.__name__.lower())
        opened = artifact.save(tmp_path / "m.fxkit", tiny(cls), manifest)
        assert opened.graph is None
        assert said in opened.manifest.no_graph
        assert said in artifact.open(tmp_path / "m.fxkit").manifest.no_graph
        with pytest.raises(ArtifactError, match="has no graph"):
            artifact.open(tmp_path / "m.fxkit", from_graph=True)
    registry.classes.clear()
    with pytest.raises(ArtifactError, match="'wrong' is not installed: pip install some-models"):
        artifact.open(tmp_path / "m.fxkit")


def test_a_broken_plugin_is_named(path: Path, registry: FakeRegistry) -> None:
    registry.classes["tiny"] = PluginError("model 'tiny' of package some-models 1.2 is broken: x")
    with pytest.raises(ArtifactError, match="broken"):
        artifact.open(path)
    assert isinstance(artifact.open(path, from_graph=True).model, GraphModel)


def test_half_precision_is_saved_as_single(tmp_path: Path) -> None:
    opened = artifact.save(tmp_path / "m.fxkit", tiny().double(), MANIFEST)
    assert {t.dtype for t in opened.tensors.values()} == {torch.float32}


def test_render(path: Path) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, 400).astype(np.float32)
    opened = artifact.open(path)
    y = opened.render(x, 8000, [0.9])
    model, knob = tiny(), torch.tensor([[0.9]])
    with torch.no_grad():
        wanted, _ = model(torch.from_numpy(x)[None, None], model.initial_state(1), knob)
    np.testing.assert_allclose(y, wanted[0, 0].numpy(), atol=1e-6)


def test_what_cannot_be_saved_leaves_the_old_file(path: Path) -> None:
    before = path.read_bytes()
    broken = tiny()
    with torch.no_grad():
        broken.inner.readout.weight.fill_(float("nan"))
    with pytest.raises(ArtifactError, match="NaN"):
        artifact.save(path, broken, MANIFEST)
    with pytest.raises(ArtifactError, match="names 0 controls, the model has 1"):
        artifact.save(path, tiny(), replace(MANIFEST, controls=()))
    with pytest.raises(ArtifactError, match="manifest cannot be written"):
        artifact.save(path, tiny(), replace(MANIFEST, metrics={"esr": [1.0, float("inf")]}))
    with pytest.raises(ArtifactError, match=r"nowhere.*No such file"):
        artifact.save(path.parent / "nowhere" / "m.fxkit", tiny(), MANIFEST)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


Change = Callable[[dict[str, str], dict[str, Tensor]], Any]


def manifest(**changes: Any) -> Change:
    def change(metadata: dict[str, str], tensors: dict[str, Tensor]) -> None:
        plain = json.loads(metadata["fxkit.manifest"])
        metadata["fxkit.manifest"] = json.dumps({**plain, **changes})

    return change


def tensor(name: str, function: Callable[[Tensor], Tensor] | None) -> Change:
    def change(metadata: dict[str, str], tensors: dict[str, Tensor]) -> None:
        if function is None:
            del tensors[name]
        else:
            tensors[name] = function(tensors.get(name, torch.zeros(3)))

    return change


def text(key: str, value: str | None) -> Change:
    def change(metadata: dict[str, str], tensors: dict[str, Tensor]) -> None:
        if value is None:
            del metadata[key]
        else:
            metadata[key] = value

    return change


READOUT = "model.inner.readout.weight"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (text("fxkit.format", "2"), "version 2, this fxkit reads up to 1: pip install --upgrade"),
        (text("fxkit.format", "0"), "never was"),
        (text("fxkit.format", "one"), "not a model file"),
        (text("fxkit.format", "9" * 5000), "not a model file"),
        (text("fxkit.manifest", None), "no manifest"),
        (text("fxkit.manifest", "{"), "not valid"),
        (text("fxkit.manifest", "[" * 100_000), "recursion limit"),
        (text("fxkit.graph", "[" * 100_000), "graph is not JSON"),
        (text("fxkit.graph", "{"), "graph is not JSON"),
        (text("fxkit.graph", "[]"), "must be a JSON object"),
        (manifest(extra=1), "extra"),
        (manifest(sample_rate=0), "sample_rate"),
        (manifest(sample_rate="44100"), "sample_rate"),
        (manifest(latency=3), "latency of 3 samples, its model has 0"),
        (manifest(latency=10**18), "latency"),
        (manifest(controls=[]), "differ in the number of controls"),
        (manifest(metrics={"esr": float("nan")}), "not finite"),
        (manifest(config={"hidden": 10**5}), r"model 'tiny' has \[300000\]"),
        (manifest(config={"hidden": 10**9}), "cannot be made"),
        (manifest(config={"hidden": 10**30}), "other settings|cannot be made"),
        (manifest(config={"hidden": 5}), "model 'tiny' has"),
        (manifest(config={"hidden": -1}), "other settings"),
        (manifest(config={"hiden": 4}), "other settings: .*hidden"),
        (tensor(READOUT, None), "not in the file"),
        (tensor(READOUT, lambda t: t * 1.01), "probe comes out .* away"),
        (tensor(READOUT, lambda t: t * float("nan")), "NaN or infinite"),
        (tensor(READOUT, lambda t: t.double()), "32-bit"),
        (tensor(READOUT, lambda t: t.T), "must be"),
        (tensor(READOUT, lambda t: t.flatten()), "must be"),
        (tensor("model.other", lambda t: t), "no tensor 'other'"),
        (tensor("other", lambda t: t), "'other' has no place"),
        (tensor("probe.input", None), "probe.input must be there"),
        (tensor("probe.output", lambda t: t[:-1]), "differ in length"),
        (tensor("probe.input", lambda t: t[None]), "one row"),
        (tensor("probe.input", lambda t: t.int()), "32-bit"),
        (tensor("probe.output", lambda t: t[:0]), "has 0 numbers|must not be 0"),
        (tensor("probe.controls", lambda t: torch.zeros(2)), "has 2 numbers"),
        (tensor("probe.controls", lambda t: t + 0.5), "probe comes out"),
    ],
)
def test_lies(path: Path, change: Change, said: str) -> None:
    metadata, tensors = container.read(path)
    change(metadata, tensors)
    path.write_bytes(container.pack(tensors, metadata))
    with pytest.raises(ArtifactError, match=said) as caught:
        artifact.open(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_lie_about_the_size_of_a_model_without_graph(tmp_path: Path) -> None:
    file = tmp_path / "m.fxkit"
    artifact.save(file, tiny(Plain), replace(MANIFEST, model="plain"))
    metadata, tensors = container.read(file)
    manifest(config={"hidden": 10**5})(metadata, tensors)
    file.write_bytes(container.pack(tensors, metadata))
    with pytest.raises(ArtifactError, match=r"model 'plain' has \[300000\]"):
        artifact.open(file)


def test_a_plugin_that_changed_its_latency(path: Path, registry: FakeRegistry) -> None:
    registry.classes["tiny"] = Late
    with pytest.raises(ArtifactError, match="its model has 5"):
        artifact.open(path)


def test_damage_anywhere_is_refused_or_harmless(path: Path) -> None:
    """Flip bits, cut, repeat and fill in a real file; what still opens has proven itself."""
    good = path.read_bytes()
    random = np.random.default_rng(0)
    header = 8 + int.from_bytes(good[:8], "little")
    opened, refused = 0, []
    for i in range(400):
        data = bytearray(good)
        # Most of the file is weights and probe; half of the blows go to the header.
        at = int(random.integers(0, header if i % 2 else len(data)))
        kind = i // 2 % 5
        if kind == 0:
            data[at] ^= 1 << int(random.integers(0, 8))
        elif kind == 1:
            del data[at:]
        elif kind == 2:
            data[at : at + 8] = random.bytes(8)
        elif kind == 3:
            data[at:at] = data[at : at + int(random.integers(1, 40))]
        else:
            data[at] = random.choice(list(b'0129{}[]",:-e'))
        path.write_bytes(data)
        try:
            played = play(artifact.open(path).model)
        except ArtifactError as error:
            refused.append(str(error))
        else:
            opened += 1
            assert torch.isfinite(played).all()
    assert len(refused) > 250
    assert not any("\n" in line or len(line) > 600 for line in refused)
    assert opened > 10  # a digit of a score, a bit far behind the point of a weight
