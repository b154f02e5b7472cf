"""Each law of models finds the one that breaks it, and passes one that keeps it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import SkipTest

import pytest
import torch
from fxkit.errors import FxkitError
from fxkit.model import Model, State
from fxkit.testing import ModelLaws
from fxkit.testing import model_form_laws as forms
from fxkit.testing import model_laws as models
from torch import Tensor, nn


class Echo(Model):
    """A good model: gain, knobs and one sample of memory."""

    def __init__(self, config: Any = None, *, sample_rate: int = 44_100, controls: int = 0) -> None:
        super().__init__(config or self.Config(), sample_rate=sample_rate, controls=controls)
        self.gain = nn.Parameter(torch.tensor([0.5]))
        self.knob = nn.Parameter(torch.linspace(0.2, 0.6, controls)) if controls else None

    def initial_state(self, batch: int) -> State:
        return {"x": self.gain.new_zeros(batch, 1, 1)}

    def forward(
        self, x: Tensor, state: State, controls: Tensor | None = None
    ) -> tuple[Tensor, State]:
        heard = torch.cat((state["x"], x), dim=-1)
        gain = self.gain if controls is None else self.gain + (controls @ self.knob)[:, None, None]
        return gain * (x + 0.5 * heard[..., :-1]), {"x": heard[..., -1:]}


class Forgets(Echo):
    def forward(self, x, state, controls=None):
        return super().forward(x, self.initial_state(x.shape[0]), controls)


class LooksAhead(Echo):
    def forward(self, x, state, controls=None):
        y, state = super().forward(x, state, controls)
        return y + y.mean(dim=-1, keepdim=True), state


class MixesItems(Echo):
    def forward(self, x, state, controls=None):
        return super().forward(x - x.mean(dim=0, keepdim=True), state, controls)


class HidesMemory(Echo):
    """Remembers on the module, gradient and all."""

    last: Tensor | None = None

    def forward(self, x, state, controls=None):
        y, state = super().forward(x, state, controls)
        if self.last is not None and self.last.shape[0] == y.shape[0]:
            y = y + 0.1 * self.last
        self.last = y[..., -1:].tanh()
        return y, state


class Detaches(Echo):
    def forward(self, x, state, controls=None):
        y, state = super().forward(x, state, controls)
        return y, {name: leaf.detach() for name, leaf in state.items()}


class WritesState(Echo):
    def forward(self, x, state, controls=None):
        y, after = super().forward(x, state, controls)
        state["x"].copy_(after["x"])
        return y, after


class WritesInput(Echo):
    def forward(self, x, state, controls=None):
        return super().forward(x.mul_(0.5), state, controls)


class Explodes(Echo):
    def forward(self, x, state, controls=None):
        y, state = super().forward(x, state, controls)
        return y / x.abs().amax(), state


class RootAtZero(Echo):
    def forward(self, x, state, controls=None):
        y, state = super().forward(x, state, controls)
        return torch.sqrt(y.abs()), state


class DeafToKnobs(Echo):
    def forward(self, x, state, controls=None):
        return super().forward(x, state, None)


class LagsMoreThanDeclared(Echo):
    def initial_state(self, batch):
        return {"x": self.gain.new_zeros(batch, 1, 5)}

    def forward(self, x, state, controls=None):
        heard = torch.cat((state["x"], x), dim=-1)
        return self.gain * heard[..., :-5], {"x": heard[..., -5:]}


class DeclaresMoreThanItLags(Echo):
    latency = 64  # type: ignore[assignment]


class GivesTwoChannels(Echo):
    def forward(self, x, state, controls=None):
        y, state = super().forward(x, state, controls)
        return torch.cat((y, y), dim=1), state


class GrowsState(Echo):
    def forward(self, x, state, controls=None):
        y, _ = super().forward(x, {"x": state["x"][..., -1:]}, controls)
        return y, {"x": torch.cat((state["x"], x), dim=-1)}


class StateWithoutBatch(Echo):
    def initial_state(self, batch):
        return {"x": self.gain.new_zeros(1, 1, 1)}


class StateOnTheCpu(Echo):
    def initial_state(self, batch):
        return {"x": torch.zeros(batch, 1, 1, device="cpu")}


class UnsavedWeight(Echo):
    def __init__(self, config=None, **arguments):
        super().__init__(config, **arguments)
        self.secret = torch.rand(1)

    def forward(self, x, state, controls=None):
        y, state = super().forward(x, state, controls)
        return y + self.secret, state


class WrongGraph(Echo):
    def graph(self, g, x, controls):
        return g.gain(x, self.gain)


class WrongWay(Echo):
    trains_on = "batches"  # type: ignore[assignment]


class NothingToLearn(Echo):
    def __init__(self, config=None, **arguments):
        super().__init__(config, **arguments)
        self.gain.requires_grad_(False)
        del self.gain
        self.register_buffer("gain", torch.ones(1))


@pytest.mark.parametrize(
    ("law", "broken", "message"),
    [
        (models.law_blocks_equal_whole, Forgets, "outside of the state, or not at all"),
        (models.law_causal, LooksAhead, "looks ahead"),
        (models.law_items_are_independent, MixesItems, "shared between the items"),
        (models.law_gradient_stops_at_detach, HidesMemory, "keep nothing on the module"),
        (models.law_gradient_stops_at_detach, Detaches, "do not detach inside forward"),
        (models.law_gradient_stops_at_detach, NothingToLearn, "no parameters"),
        (models.law_nothing_is_modified, WritesState, "modifies state 'x' in place"),
        (models.law_nothing_is_modified, WritesInput, "modifies the input in place"),
        (models.law_nothing_is_modified, HidesMemory, "same call twice"),
        (models.law_finite, Explodes, "silence makes the output"),
        (models.law_finite, RootAtZero, "silence makes the gradient of gain"),
        (models.law_controls_are_heard, DeafToKnobs, "turning knob 0 changes nothing"),
        (models.law_latency_is_true, LagsMoreThanDeclared, "how much the output really lags"),
        (models.law_latency_is_true, DeclaresMoreThanItLags, "how much the output really lags"),
        (models.law_shapes, GivesTwoChannels, "it has to be float32"),
        (models.law_shapes, GrowsState, "its form has to stay"),
        (forms.law_initial_state, StateWithoutBatch, "first axis is the batch"),
        (forms.law_initial_state, StateOnTheCpu, "new_zeros of a parameter"),
        (forms.law_saves_and_opens, UnsavedWeight, "belongs in Config"),
        (forms.law_graph_equals_model, WrongGraph, "is not what WrongGraph.forward computes"),
        (forms.law_declarations, WrongWay, "trains_on is 'batches'"),
    ],
)
def test_a_broken_model_is_found(
    law: Callable[[Model], None], broken: type[Model], message: str
) -> None:
    torch.manual_seed(0)
    with pytest.raises(AssertionError, match=message):
        law(broken())


def test_an_artifact_that_differs_is_found() -> None:
    with pytest.raises((AssertionError, FxkitError)):
        forms.law_artifact_equals_model(UnsavedWeight())


class TestGoodModel(ModelLaws):
    @pytest.fixture(params=[0, 3])
    def model(self, request: pytest.FixtureRequest) -> Model:
        return Echo(controls=request.param)


def test_a_model_without_a_graph_is_skipped_not_failed() -> None:
    with pytest.raises(SkipTest, match="no graph"):
        forms.law_graph_equals_model(Echo())
