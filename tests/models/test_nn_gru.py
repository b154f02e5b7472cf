"""nn-gru: the laws, and the front end as the filter that it is."""

import numpy as np
import pytest
import torch
from fxkit.testing import ModelLaws
from fxkit_models.nn_gru import NNGRU


class TestLaws(ModelLaws):
    @pytest.fixture(params=["default", "deep", "knobs"])
    def model(self, request: pytest.FixtureRequest) -> NNGRU:
        torch.manual_seed(0)
        if request.param == "deep":
            config = NNGRU.Config(
                hidden=6, layers=2, taps=2, channels=1, activation="tanh", dry=True
            )
            return NNGRU(config)
        config = NNGRU.Config(hidden=8, taps=33, channels=3)
        return NNGRU(config, controls=2 if request.param == "knobs" else 0)


def test_with_a_silent_hidden_state_it_is_the_filter_that_numpy_computes() -> None:
    torch.manual_seed(1)
    model = NNGRU(NNGRU.Config(hidden=4, taps=16, channels=3))
    with torch.no_grad():
        model.readout.weight[:, 3:] = 0.0
    x = torch.randn(1, 1, 200)
    with torch.no_grad():
        y, state = model(x, model.initial_state(1))
    mix = model.readout.weight[0, :3].detach().double().numpy()
    taps = mix @ model.filters.weight[:, 0].detach().double().numpy()
    offset = mix @ model.filters.bias.detach().double().numpy() + model.readout.bias.item()
    # A convolution layer correlates: its last tap is the newest sample.
    expected = np.convolve(x[0, 0].double().numpy(), taps[::-1])[:200] + offset
    np.testing.assert_allclose(y[0, 0].numpy(), expected, atol=1e-6)
    torch.testing.assert_close(state["x"], x[..., -15:])


def test_the_recurrent_part_hears_features_sample_and_knobs() -> None:
    model = NNGRU(NNGRU.Config(channels=5), controls=2)
    assert model.gru.input_size == 5 + 1 + 2


@pytest.mark.parametrize("activation", ["none", "tanh", "relu", "sigmoid"])
def test_each_activation_gives_another_output(activation: str) -> None:
    outputs = {}
    for name in ("none", "tanh", "relu", "sigmoid"):
        torch.manual_seed(2)
        model = NNGRU(NNGRU.Config(hidden=4, taps=8, channels=2, activation=name))
        outputs[name], _ = model(torch.linspace(-1, 1, 50).view(1, 1, -1), model.initial_state(1))
    for name, other in outputs.items():
        assert torch.equal(other, outputs[activation]) == (name == activation)
