"""Each law finds the plug-in that breaks it, and passes one that keeps it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import SkipTest

import pytest
import torch
from fxkit.artifact import Artifact, save
from fxkit.artifact import open as open_artifact
from fxkit.errors import FxkitError
from fxkit.format import Format
from fxkit.loss import Loss
from fxkit.manifest import Manifest
from fxkit.model import Model, State
from fxkit.options import NoOptions, option
from fxkit.task import Task
from fxkit.testing import FormatLaws, LossLaws, ModelLaws, TaskLaws, check
from fxkit.testing import format_laws as formats
from fxkit.testing import loss_laws as losses
from fxkit.testing import model_form_laws as forms
from fxkit.testing import model_laws as models
from fxkit.testing import task_laws as tasks
from fxkit.testing.config_laws import law_config_round_trips, law_search_space
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


class MeanSquare(Loss):
    """A good loss."""

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        return (estimate - target).square().mean(dim=(1, 2))


def loss_of(function: Callable[[Tensor, Tensor], Tensor]) -> Loss:
    class Given(Loss):
        def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
            return function(estimate, target)

    return Given(NoOptions())


def mse(e: Tensor, t: Tensor) -> Tensor:
    return (e - t).square().mean(dim=(1, 2))


def far_is_negative(e: Tensor, t: Tensor) -> Tensor:
    return torch.where(mse(e, t) > 0.03, -mse(e, t), mse(e, t))


@pytest.mark.parametrize(
    ("law", "broken", "message"),
    [
        (losses.law_one_number_per_item, lambda e, t: mse(e, t).mean(), "do not average"),
        (losses.law_is_zero_when_equal, lambda e, t: mse(e, t) + 0.1, "not 0"),
        (losses.law_is_positive, lambda e, t: 0 * mse(e, t), "has to be above 0"),
        (losses.law_is_positive, far_is_negative, "negative"),
        (losses.law_is_finite, lambda e, t: mse(e, t) / t.square().mean(dim=(1, 2)), "silence"),
        (losses.law_is_finite, lambda e, t: mse(e, t).sqrt(), "infinite gradient or NaN"),
        (losses.law_is_finite, lambda e, t: mse(e, t).detach(), "no gradient"),
        (
            losses.law_is_pooled,
            lambda e, t: mse(e, t) / (t.square().mean(dim=(1, 2)) + 1e-20),
            "energy of the whole batch",
        ),
        (losses.law_items_keep_their_order, lambda e, t: mse(e, t).sort().values, "turned round"),
        (losses.law_signals_are_not_modified, lambda e, t: mse(e.sub_(t), t), "in place"),
    ],
)
def test_a_broken_loss_is_found(
    law: Callable[[Loss], None],
    broken: Callable[[Tensor, Tensor], Tensor],
    message: str,
) -> None:
    with pytest.raises(AssertionError, match=message):
        law(loss_of(broken))


class TestGoodLoss(LossLaws):
    @pytest.fixture
    def loss(self) -> Loss:
        return MeanSquare(NoOptions())


class Learn(Task):
    """A good task."""

    title = "Dry to wet"
    input = "clean"
    target = "wet"
    default_loss = "esr+0.1*dc"
    metrics = ("esr",)
    sections = ("summary",)


@pytest.mark.parametrize(
    ("law", "attributes", "message"),
    [
        (tasks.law_title, {"title": ""}, "one line"),
        (tasks.law_sides_differ, {"target": "clean"}, "one is 'clean'"),
        (tasks.law_default_loss_exists, {"default_loss": "esr+*"}, "default_loss="),
        (tasks.law_default_loss_exists, {"default_loss": "no-such-loss"}, "no-such-loss"),
        (tasks.law_metrics_exist, {"metrics": ("loudest",)}, "no 'loudest'"),
        (tasks.law_metrics_exist, {"metrics": ("esr", "esr")}, "twice"),
        (tasks.law_sections_exist, {"sections": ()}, "one at least"),
    ],
)
def test_a_broken_task_is_found(
    law: Callable[[Task], None], attributes: dict[str, Any], message: str
) -> None:
    with pytest.raises(AssertionError, match=message):
        law(type("Broken", (Learn,), attributes)())


class TestGoodTask(TaskLaws):
    @pytest.fixture
    def task(self) -> Task:
        return Learn()


class Copy(Format):
    """A good format: the model file itself under another name."""

    title = "A copy"
    suffixes = (".copy",)

    def write(self, artifact: Artifact, path: Path) -> None:
        save(path, artifact.model, artifact.manifest)

    def read(self, path: Path) -> Artifact:
        return open_artifact(path)


class Crashes(Copy):
    def read(self, path: Path) -> Artifact:
        raise KeyError("weights")


class ReadsAnything(Copy):
    def read(self, path: Path) -> Artifact:
        return None  # type: ignore[return-value]


class LeavesHalf(Copy):
    def write(self, artifact: Artifact, path: Path) -> None:
        path.with_suffix(".part").write_bytes(b"half")
        super().write(artifact, path)


class Louder(Copy):
    def write(self, artifact: Artifact, path: Path) -> None:
        artifact.model.output_gain.mul_(2.0)
        super().write(artifact, path)
        artifact.model.output_gain.mul_(0.5)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    from fxkit_models.gru import GRU

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("law") / "law.fxkit"
    return save(path, GRU(GRU.Config(hidden=4)), Manifest(name="law", model="gru"))


class TestGoodFormat(FormatLaws):
    @pytest.fixture
    def format(self) -> Format:
        return Copy()


def test_a_broken_format_is_found(artifact: Artifact) -> None:
    with pytest.raises(AssertionError, match="begin with a dot"):
        formats.law_suffixes(type("Bad", (Copy,), {"suffixes": ("Copy",)})())
    with pytest.raises(AssertionError, match="neither write nor read"):
        formats.law_writes_or_reads(
            type("Idle", (Format,), {"title": "none", "suffixes": (".none",)})()
        )
    with pytest.raises(AssertionError, match="not True or False"):
        formats.law_sniffs(type("Shrugs", (Copy,), {"sniff": lambda self, path: None})())
    with pytest.raises(AssertionError, match="raises KeyError"):
        formats.law_junk_is_refused(Crashes())
    with pytest.raises(AssertionError, match="as if it were a model"):
        formats.law_junk_is_refused(ReadsAnything())
    with pytest.raises(AssertionError, match="leaves files behind"):
        formats.law_failed_write_leaves_nothing(LeavesHalf(), artifact)
    with pytest.raises(AssertionError, match="of the peak away"):
        formats.law_reads_what_it_writes(Louder(), artifact)


@dataclass(frozen=True)
class NoDefault:
    size: int


@dataclass
class Thawed:
    size: int = option(1, "how big")


@dataclass(frozen=True)
class Mute:
    size: int = 1


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (dict, "not a dataclass"),
        (NoDefault, "no default for size"),
        (Thawed, "can be changed"),
        (Mute, "does not say what size means"),
    ],
)
def test_a_broken_config_is_found(config: type, message: str) -> None:
    broken = type("Broken", (MeanSquare,), {"Config": config})
    with pytest.raises(AssertionError, match=message):
        law_config_round_trips(broken(None))


def test_check_runs_every_law_without_pytest() -> None:
    results = check("loss", "esr")
    names = [result.name for result in results]
    assert names[0] == "can be made"
    assert "is zero when equal" in names
    assert len(results) == 1 + sum(name.startswith("test_") for name in vars(LossLaws))
    assert all(result.passed and math.isfinite(result.seconds) for result in results)


def test_check_reports_what_is_broken_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from fxkit.registry import LOSSES

    class Divides(MeanSquare):
        def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
            raise ZeroDivisionError("oh")

    monkeypatch.setattr(LOSSES, "get", lambda name: Divides)
    results = {result.name: result for result in check("loss", "mine")}
    assert results["config round trips"].passed
    assert not results["is finite"].passed
    assert results["is finite"].detail == "ZeroDivisionError: oh"


def test_check_refuses_an_unknown_kind() -> None:
    with pytest.raises(FxkitError, match="kind=amp: needs one of model, loss, task, format"):
        check("amp", "gru")


def test_a_search_space_of_other_settings_is_found() -> None:
    from fxkit.registry import MODELS
    from fxkit.search import Choice

    gru = MODELS.get("gru")
    law_search_space(gru(gru.Config(hidden=2)))
    wrong = type("Wrong", (gru,), {"search_space": classmethod(lambda cls: {"x": Choice((1, 2))})})
    with pytest.raises(AssertionError, match="the search space of Wrong is wrong: no setting"):
        law_search_space(wrong(gru.Config(hidden=2)))
