"""The laws of fxkit, and what is the WaveNet's own."""

from pathlib import Path

import pytest
import torch
from fxkit.artifact import Artifact
from fxkit.graph import export
from fxkit.manifest import Manifest
from fxkit.registry import FORMATS, MODELS
from fxkit.testing import ModelLaws
from fxkit_wavenet.wavenet import WaveNet


def small(controls: int = 0, **options: int) -> WaveNet:
    torch.manual_seed(0)
    settings = {"channels": 4, "layers": 3, "stacks": 2, **options}
    return WaveNet(WaveNet.Config(**settings), controls=controls)


class TestLaws(ModelLaws):
    """Every law of `fxkit.testing`, without knobs."""

    @pytest.fixture
    def model(self) -> WaveNet:
        return small()


class TestLawsWithKnobs(ModelLaws):
    """The same with two knobs and gates."""

    @pytest.fixture
    def model(self) -> WaveNet:
        return small(controls=2, gated=True)


def test_registered_under_its_name() -> None:
    assert MODELS.get("wavenet") is WaveNet


def test_hears_exactly_its_receptive_field() -> None:
    model = small().double()
    reach = model.warm_up
    assert reach == 2 * (2 + 4 + 8)
    x = torch.randn(1, 1, reach + 1, dtype=torch.float64, requires_grad=True)
    y, _ = model(x, model.initial_state(1))
    (gradient,) = torch.autograd.grad(y[0, 0, -1], x)
    assert gradient[0, 0, 0] != 0
    longer = torch.cat((torch.randn(1, 1, 5, dtype=torch.float64), x.detach()), dim=-1)
    changed = longer.clone()
    changed[..., :5] = 0
    ends = [model(s, model.initial_state(1))[0][0, 0, -1] for s in (longer, changed)]
    assert ends[0] == ends[1]


def test_knobs_change_the_sound() -> None:
    model = small(controls=1)
    with torch.no_grad():
        for layer in model.layers:
            layer.film.weight.normal_()
    x = torch.randn(1, 1, 200)
    low, high = (model(x, model.initial_state(1), torch.tensor([[k]]))[0] for k in (0.0, 1.0))
    assert (low - high).abs().max() > 1e-3


@pytest.mark.parametrize("controls", [0, 2])
@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("stacks", [1, 2])
def test_exports_to_engine_layers(controls: int, gated: bool, stacks: int) -> None:
    model = small(controls, layers=1 if stacks == 1 else 3, stacks=stacks, gated=gated).eval()
    spec, tensors = export(model)  # plays the graph against the model
    assert spec.layers
    assert tensors


@pytest.mark.parametrize("gated", [False, True])
def test_exports_to_nam_and_comes_back(gated: bool, tmp_path: Path) -> None:
    model = small(gated=gated).eval().requires_grad_(False)
    manifest = Manifest("amp", "wavenet", sample_rate=model.sample_rate)
    path = tmp_path / "amp.nam"
    FORMATS.get("nam")().write(Artifact(manifest, model), path)
    back = FORMATS.get("nam")().read(path).model
    x = torch.cat((torch.zeros(1, 1, 100), torch.randn(1, 1, 500)), dim=-1)
    wanted, _ = model(x, model.initial_state(1))
    got, _ = back(x, back.initial_state(1))
    # Behind the silence in which the state settles.
    error = (got - wanted)[..., 100:].abs().max() / wanted[..., 100:].abs().max()
    assert error < 1e-5


def test_learns_a_gain() -> None:
    model = small()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    x = torch.randn(8, 1, 400) * 0.5
    first = last = 0.0
    for step in range(60):
        y, _ = model(x, model.initial_state(8))
        loss = (y - 0.3 * x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        last = loss.item()
        first = first if step else last
    assert last < 0.1 * first
