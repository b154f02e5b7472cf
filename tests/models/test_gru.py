"""gru: the laws, and the numbers of an explicit loop."""

import numpy as np
import pytest
import torch
from fxkit.scaled import Scaled
from fxkit.testing import ModelLaws
from fxkit_models.gru import GRU


class TestLaws(ModelLaws):
    @pytest.fixture(params=["default", "deep", "fixed", "knobs"])
    def model(self, request: pytest.FixtureRequest) -> GRU:
        torch.manual_seed(0)
        if request.param == "deep":
            return GRU(GRU.Config(hidden=6, layers=3, dry=False))
        if request.param == "fixed":
            return GRU(GRU.Config(hidden=6, dry_gain="fixed"))
        return GRU(GRU.Config(hidden=8), controls=2 if request.param == "knobs" else 0)


def sigmoid(v: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-v))


def test_numbers_of_an_explicit_loop() -> None:
    torch.manual_seed(1)
    model = GRU(GRU.Config(hidden=5, layers=2), controls=1)
    with torch.no_grad():
        model.dry.fill_(0.3)  # type: ignore[union-attr]
    x, knob = torch.randn(1, 1, 50), torch.tensor([[0.7]])
    w = {name: p.detach().double().numpy() for name, p in model.named_parameters()}
    hidden = [np.zeros(5), np.zeros(5)]
    expected = []
    for sample in x[0, 0].double().numpy():
        heard = np.array([sample, 0.7])
        for layer in range(2):
            a = w[f"gru.weight_ih_l{layer}"] @ heard + w[f"gru.bias_ih_l{layer}"]
            b = w[f"gru.weight_hh_l{layer}"] @ hidden[layer] + w[f"gru.bias_hh_l{layer}"]
            reset, update = sigmoid(a[:5] + b[:5]), sigmoid(a[5:10] + b[5:10])
            new = np.tanh(a[10:] + reset * b[10:])
            heard = hidden[layer] = (1 - update) * new + update * hidden[layer]
        y = w["readout.weight"][0] @ heard + w["readout.bias"][0] + w["dry"][0] * sample
        expected.append(y)
    with torch.no_grad():
        y, state = model(x, model.initial_state(1), knob)
    np.testing.assert_allclose(y[0, 0].numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(state["h"][0].numpy(), hidden, atol=1e-6)


def test_the_dry_path_starts_silent_and_learns() -> None:
    model = GRU(GRU.Config(hidden=4))
    assert model.dry is not None
    assert model.dry.item() == 0.0
    x = torch.randn(2, 1, 20)
    y, _ = model(x, model.initial_state(2))
    (y - x).square().sum().backward()
    assert model.dry.grad is not None
    assert model.dry.grad.item() < 0  # a descent step turns the dry path up


def test_without_a_dry_path_there_is_no_gain() -> None:
    assert "dry" not in GRU(GRU.Config(dry=False)).state_dict()


def test_a_fixed_dry_path_stays_one_through_the_level_gains() -> None:
    model = GRU(GRU.Config(hidden=4, dry_gain="fixed"))
    assert "dry" not in dict(model.named_parameters())
    with torch.no_grad():
        model.readout.weight.zero_()
        model.readout.bias.zero_()
    scaled = Scaled.from_levels(model, input_rms=0.07, target_rms=0.4)
    assert scaled.unit_dry
    x = torch.randn(1, 1, 20)
    y, _ = scaled(x, scaled.initial_state(1))
    torch.testing.assert_close(y, x, rtol=1e-6, atol=0)
    assert not GRU(GRU.Config()).unit_dry
    assert not GRU(GRU.Config(dry=False, dry_gain="fixed")).unit_dry
    assert not Scaled(model, input_gain=2.0).unit_dry
