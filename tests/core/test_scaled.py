from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from fxkit.errors import FxkitError
from fxkit.model import Model, State, run_blocks
from fxkit.options import option
from fxkit.scaled import Scaled
from torch import Tensor, nn


@dataclass(frozen=True)
class ClipperConfig:
    knee: float = option(1.0, "Level at which it clips.")


class Clipper(Model):
    """Clips the running sum at a knee; adds its knob. Not linear, so gains show their place."""

    Config = ClipperConfig
    trains_on = "crops"

    def __init__(self, config: ClipperConfig, *, sample_rate: int = 44_100, controls: int = 0):
        super().__init__(config, sample_rate=sample_rate, controls=controls)
        self.weight = nn.Parameter(torch.tensor(0.5))

    @property
    def latency(self) -> int:
        return 3

    @property
    def warm_up(self) -> int:
        return 17

    def initial_state(self, batch: int) -> State:
        return {"last": self.weight.new_zeros(batch, 1, 1)}

    def forward(
        self, x: Tensor, state: State, controls: Tensor | None = None
    ) -> tuple[Tensor, State]:
        delayed = torch.cat([state["last"], x], dim=-1)[..., :-1]
        y = (x + self.weight * delayed).clamp(-self.config.knee, self.config.knee)
        if controls is not None:
            y = y + controls[..., None]
        return y, {"last": x[..., -1:]}


def scaled() -> Scaled:
    inner = Clipper(ClipperConfig(knee=2.0), sample_rate=8000, controls=1)
    return Scaled.from_levels(inner, input_rms=0.25, target_rms=0.5)


def test_output_is_gain_inner_gain() -> None:
    x = torch.tensor([[[0.25, 0.5, -1.0]]])
    y, _ = scaled()(x, scaled().initial_state(1), torch.tensor([[0.5]]))
    # x / 0.25 = 1, 2, -4; plus half of the one before = 1, 2.5, -3; clipped at 2; plus knob; halved
    assert y.tolist() == [[[0.75, 1.25, -0.75]]]


def test_delegates_what_a_model_declares() -> None:
    model = scaled()
    assert (model.latency, model.warm_up, model.controls) == (3, 17, 1)
    assert (model.sample_rate, model.trains_on) == (8000, "crops")
    assert model.config is model.inner.config
    assert Model.trains_on == "streams"


def test_blocks_equal_whole() -> None:
    model = scaled()
    x, knob = torch.randn(2, 1, 100), torch.rand(2, 1)
    whole, _ = model(x, model.initial_state(2), knob)
    blocks, _ = run_blocks(model, x, model.initial_state(2), knob, 7)
    assert torch.equal(whole, blocks)


def test_gains_are_saved_and_not_trained() -> None:
    model = scaled()
    assert set(model.state_dict()) == {"inner.weight", "input_gain", "output_gain"}
    assert [name for name, _ in model.named_parameters()] == ["inner.weight"]
    other = Scaled(Clipper(ClipperConfig()))
    other.load_state_dict(model.state_dict())
    assert (float(other.input_gain), float(other.output_gain)) == (4.0, 0.5)


@pytest.mark.parametrize("rms", [0.0, -1.0, float("nan"), float("inf")])
def test_silence_cannot_be_normalised(rms: float) -> None:
    inner = Clipper(ClipperConfig())
    with pytest.raises(FxkitError, match="input side"):
        Scaled.from_levels(inner, input_rms=rms, target_rms=1.0)
    with pytest.raises(FxkitError, match="target side"):
        Scaled.from_levels(inner, input_rms=1.0, target_rms=rms)
    with pytest.raises(ValueError, match="output_gain"):
        Scaled(inner, output_gain=rms)
