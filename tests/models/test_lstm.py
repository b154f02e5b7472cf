"""lstm: the laws, and the numbers of an explicit loop."""

import numpy as np
import pytest
import torch
from fxkit.scaled import Scaled
from fxkit.testing import ModelLaws
from fxkit_models.lstm import LSTM


class TestLaws(ModelLaws):
    @pytest.fixture(params=["default", "deep", "fixed", "knobs"])
    def model(self, request: pytest.FixtureRequest) -> LSTM:
        torch.manual_seed(0)
        if request.param == "deep":
            return LSTM(LSTM.Config(hidden=6, layers=3, dry=False))
        if request.param == "fixed":
            return LSTM(LSTM.Config(hidden=6, dry_gain="fixed"))
        return LSTM(LSTM.Config(hidden=8), controls=2 if request.param == "knobs" else 0)


def sigmoid(v: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-v))


def test_numbers_of_an_explicit_loop() -> None:
    torch.manual_seed(1)
    model = LSTM(LSTM.Config(hidden=5, layers=2), controls=1)
    with torch.no_grad():
        model.dry.fill_(0.3)  # type: ignore[union-attr]
    x, knob = torch.randn(1, 1, 50), torch.tensor([[0.7]])
    w = {name: p.detach().double().numpy() for name, p in model.named_parameters()}
    hidden, cell = [np.zeros(5), np.zeros(5)], [np.zeros(5), np.zeros(5)]
    expected = []
    for sample in x[0, 0].double().numpy():
        heard = np.array([sample, 0.7])
        for layer in range(2):
            gates = w[f"lstm.weight_ih_l{layer}"] @ heard + w[f"lstm.bias_ih_l{layer}"]
            gates += w[f"lstm.weight_hh_l{layer}"] @ hidden[layer] + w[f"lstm.bias_hh_l{layer}"]
            let_in, keep, new, out = gates[:5], gates[5:10], gates[10:15], gates[15:]
            cell[layer] = sigmoid(keep) * cell[layer] + sigmoid(let_in) * np.tanh(new)
            heard = hidden[layer] = sigmoid(out) * np.tanh(cell[layer])
        y = w["readout.weight"][0] @ heard + w["readout.bias"][0] + w["dry"][0] * sample
        expected.append(y)
    with torch.no_grad():
        y, state = model(x, model.initial_state(1), knob)
    np.testing.assert_allclose(y[0, 0].numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(state["h"][0].numpy(), hidden, atol=1e-6)
    np.testing.assert_allclose(state["c"][0].numpy(), cell, atol=1e-6)


def test_the_dry_path_starts_silent() -> None:
    model = LSTM(LSTM.Config(hidden=4))
    assert model.dry is not None
    assert model.dry.item() == 0.0
    assert "dry" not in LSTM(LSTM.Config(dry=False)).state_dict()


def test_a_fixed_dry_path_stays_one_through_the_level_gains() -> None:
    model = LSTM(LSTM.Config(hidden=4, dry_gain="fixed"))
    assert "dry" not in dict(model.named_parameters())
    with torch.no_grad():
        model.readout.weight.zero_()
        model.readout.bias.zero_()
    scaled = Scaled.from_levels(model, input_rms=0.07, target_rms=0.4)
    assert scaled.unit_dry
    x = torch.randn(1, 1, 20)
    y, _ = scaled(x, scaled.initial_state(1))
    torch.testing.assert_close(y, x, rtol=1e-6, atol=0)
    assert not LSTM(LSTM.Config()).unit_dry
    assert not LSTM(LSTM.Config(dry=False, dry_gain="fixed")).unit_dry
    assert not Scaled(model, input_gain=2.0).unit_dry
