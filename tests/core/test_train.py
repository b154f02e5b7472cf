import itertools
import math
import re
import signal
import sys
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fxkit.data import Recording, Segment, Split, Take
from fxkit.errors import FxkitError
from fxkit.loss import Loss
from fxkit.model import Model
from fxkit.progress import SilentProgress
from fxkit.scaled import Scaled
from fxkit.tasks.distort import Distort
from fxkit.train import DivergedError, TrainConfig, train
from fxkit.validate import Validation
from torch import nn

RATE = 8000
CONFIG = TrainConfig(
    minutes=0, epochs=3, window=100, batch=4, lr=0.01, warm_up=50, ramp=0.0, clip=0.0
)


@dataclass(frozen=True)
class NoConfig:
    pass


class Leak(Model):
    """y[n] = a y[n-1] + b x[n]: a state that matters, and an exact solution to learn."""

    Config = NoConfig

    def __init__(self):
        super().__init__(NoConfig(), sample_rate=RATE)
        self.a = nn.Parameter(torch.tensor(0.0))
        self.b = nn.Parameter(torch.tensor(0.1))

    @property
    def warm_up(self):
        return 64

    def initial_state(self, batch):
        return {"y": torch.zeros(batch, 1)}

    def forward(self, x, state, controls=None):
        y, out = state["y"], []
        for n in range(x.shape[-1]):
            y = self.a * y + self.b * x[..., n]
            out.append(y)
        return torch.stack(out, dim=-1), {"y": y}


class Squared(Loss):
    """Mean of the squared error."""

    def forward(self, estimate, target):
        return (estimate - target).square().mean(dim=(1, 2))


def leaky(x, a=0.5, b=0.8):
    y = np.zeros_like(x)
    last = 0.0
    for n, value in enumerate(x):
        y[n] = last = a * last + b * value
    return y


@pytest.fixture
def split():
    x = np.random.default_rng(0).normal(0, 0.3, 6000).astype(np.float32)
    take = Take("noise", Recording.from_array(x, RATE), Recording.from_array(leaky(x), RATE))
    return Split(
        (Segment(take, 0, 4000),), (Segment(take, 4200, 5000),), (Segment(take, 5200, 6000),)
    )


def go(split, directory, config=CONFIG, model=None, loss=None, **kwargs):
    torch.manual_seed(0)
    model = model or Scaled.from_levels(Leak(), input_rms=0.3, target_rms=0.3)
    result = train(
        model,
        loss or Squared(None),
        split,
        Distort(),
        config,
        device=torch.device("cpu"),
        directory=directory,
        progress=kwargs.pop("progress", SilentProgress()),
        **kwargs,
    )
    return model, result


def test_learns_the_recursion(split, tmp_path):
    model, result = go(split, tmp_path, replace(CONFIG, epochs=25, lr=0.05))
    assert model.inner.a.item() == pytest.approx(0.5, abs=0.01)
    assert model.inner.b.item() == pytest.approx(0.8, abs=0.02)
    assert result.history[-1].validation_loss < 1e-4 < result.history[0].validation_loss
    assert result.stopped == "25 epochs done, as many as asked for"
    assert not model.training


def test_the_same_seed_gives_the_same_numbers(split, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    _, first = go(split, tmp_path / "a")
    _, second = go(split, tmp_path / "b")
    assert [e.loss for e in first.history] == [e.loss for e in second.history]


class Cut(Exception):  # noqa: N818 - not an error: a power cut
    """Stands for whatever ends a process in mid-epoch."""


class CutAfter(Squared):
    """Ends the training after some calls."""

    def __init__(self, calls, kind):
        super().__init__(None)
        self.calls = calls
        self.kind = kind

    def forward(self, estimate, target):
        self.calls -= 1
        if self.calls < 0:
            raise self.kind
        return super().forward(estimate, target)


def test_a_resumed_run_gives_the_same_numbers_as_an_uninterrupted_one(split, tmp_path):
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    model, whole = go(split, tmp_path / "whole")
    with pytest.raises(Cut):
        go(split, tmp_path / "cut", loss=CutAfter(whole_epoch_calls(split) + 3, Cut))
    again, resumed = go(split, tmp_path / "cut", resume=True)
    assert [e.loss for e in resumed.history] == [e.loss for e in whole.history]
    assert [e.validation_loss for e in resumed.history] == [
        e.validation_loss for e in whole.history
    ]
    for a, b in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


def whole_epoch_calls(split):
    """Loss calls of one epoch: its scored windows and one validation."""
    return (split.train[0].stop - split.train[0].start) // (CONFIG.batch * CONFIG.window) + 1


def test_ctrl_c_keeps_the_best_model(split, tmp_path):
    cut = CutAfter(2 * whole_epoch_calls(split) + 2, KeyboardInterrupt)
    model, result = go(split, tmp_path, loss=cut)
    assert result.interrupted
    assert result.stopped == "stopped by hand"
    assert len(result.history) == 2
    best = torch.tensor([e.validation_loss for e in result.history]).argmin().item() + 1
    assert result.best_epoch == best
    assert not model.training


class ClumsyAfter(Squared):
    """Is sent a SIGINT in a destructor, which can only print the exception."""

    def __init__(self, calls):
        super().__init__(None)
        self.calls = calls

    def forward(self, estimate, target):
        self.calls -= 1
        if self.calls == 0:
            Clumsy()
        return super().forward(estimate, target)


class Clumsy:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_is_not_lost_where_python_cannot_raise(split, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", lambda it: None)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _, result = go(split, tmp_path, loss=ClumsyAfter(2 * whole_epoch_calls(split) + 2))
    finally:
        signal.signal(signal.SIGINT, before)
    assert result.interrupted
    assert len(result.history) == 2


class CutOnce(CutAfter):
    """As one Ctrl-C does: what comes after it is left alone."""

    def forward(self, estimate, target):
        if self.calls < 0:
            return Squared.forward(self, estimate, target)
        return super().forward(estimate, target)


def test_ctrl_c_in_the_first_epoch_keeps_what_it_has_learned(split, tmp_path):
    _, result = go(split, tmp_path, loss=CutOnce(2, KeyboardInterrupt))
    assert result.interrupted
    assert result.best_epoch == len(result.history) == 1
    assert math.isfinite(result.history[0].validation_loss)
    _, resumed = go(split, tmp_path, resume=True)
    assert len(resumed.history) == CONFIG.epochs


def test_ctrl_c_before_there_is_anything_to_keep_is_passed_on(split, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        go(split, tmp_path, loss=CutAfter(1, KeyboardInterrupt))


class Explodes(Squared):
    """Is NaN from the second epoch on."""

    calls = 0

    def forward(self, estimate, target):
        self.calls += 1
        return super().forward(estimate, target) * (math.nan if self.calls > 12 else 1.0)


def test_nan_stops_and_names_the_setting(split, tmp_path):
    with pytest.raises(DivergedError, match=r"epoch 2.*best model so far is kept.*train\.lr"):
        go(split, tmp_path, loss=Explodes(None))
    assert (tmp_path / "best.safetensors").exists()


class ExplodesOnce(Squared):
    """Is NaN at one step of the third epoch."""

    calls = 0

    def forward(self, estimate, target):
        self.calls += estimate.requires_grad
        once = self.calls == 20 and estimate.requires_grad
        return super().forward(estimate, target) * (math.nan if once else 1.0)


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_a_training_that_diverges_goes_on_from_its_best_epoch_at_half_the_rate(
    split, tmp_path, ema
):
    lines = []

    class Notes(SilentProgress):
        def note(self, line):
            lines.append(line)

    config = replace(CONFIG, epochs=25, lr=0.05, ema=ema, floor=1.0)
    model, result = go(split, tmp_path, config, loss=ExplodesOnce(None), progress=Notes())
    assert [epoch.number for epoch in result.history] == list(range(1, 26))
    rates = [epoch.lr for epoch in result.history]
    assert rates[1] == pytest.approx(0.05)
    assert rates[-1] == pytest.approx(0.025)
    assert model.inner.a.item() == pytest.approx(0.5, abs=0.02)
    (line,) = lines
    assert re.fullmatch(
        r"epoch \d ran beyond all numbers: on from epoch \d, at 0\.5 of the learning rate", line
    )


def test_the_halved_rate_is_kept_over_a_break(split, tmp_path):
    config = replace(CONFIG, epochs=8, lr=0.05, floor=1.0)
    go(split, tmp_path, config, loss=ExplodesOnce(None))
    _, result = go(split, tmp_path, replace(config, epochs=10), resume=True)
    assert result.history[-1].lr == pytest.approx(0.025)


class Overflows(Squared):
    """Has a gradient of infinity at some calls, though the loss itself is a number."""

    def __init__(self, at):
        super().__init__(None)
        self.at = at
        self.calls = 0

    def forward(self, estimate, target):
        self.calls += 1
        if estimate.requires_grad and self.at(self.calls):
            estimate.register_hook(lambda gradient: gradient * math.inf)
        return super().forward(estimate, target)


@pytest.mark.parametrize("clip", [0.0, 1.0])
def test_a_gradient_beyond_all_numbers_costs_one_step(split, tmp_path, clip):
    config = replace(CONFIG, epochs=25, lr=0.05, clip=clip)
    model, result = go(split, tmp_path, config, loss=Overflows(lambda call: call % 7 == 3))
    assert model.inner.a.item() == pytest.approx(0.5, abs=0.02)
    assert result.history[-1].validation_loss < 1e-3


def test_gradients_that_stay_beyond_all_numbers_stop_it(split, tmp_path):
    config = replace(CONFIG, epochs=100)
    with pytest.raises(DivergedError, match=r"gradients.*best model so far is kept.*train\.lr"):
        go(split, tmp_path, config, loss=Overflows(lambda call: call > 30))
    assert (tmp_path / "best.safetensors").exists()


def test_patience(split, tmp_path):
    frozen = Scaled.from_levels(Leak(), input_rms=0.3, target_rms=0.3)
    config = replace(CONFIG, epochs=50, patience=2, lr=1e-8, floor=0.0)

    class Worse(Squared):
        """Grows, so that no epoch after the first can improve."""

        calls = 0.0

        def forward(self, estimate, target):
            self.calls += 1
            return super().forward(estimate, target) * self.calls

    _, result = go(split, tmp_path, config, model=frozen, loss=Worse(None))
    assert result.best_epoch == 1
    assert len(result.history) == 3
    assert "2 epochs" in result.stopped


def test_the_clock_ends_it(split, tmp_path, monkeypatch):
    ticks = itertools.count()
    clock = SimpleNamespace(monotonic=lambda: 0.002 * next(ticks))
    monkeypatch.setattr("fxkit.train.time", clock)
    _, result = go(split, tmp_path, replace(CONFIG, minutes=0.5 / 60, epochs=10**6))
    assert "minutes are up" in result.stopped
    assert result.history[-1].seconds == pytest.approx(0.5, abs=0.02)
    assert result.history[-1].lr < 0.02 * CONFIG.lr


def test_too_little_for_one_window_is_one_line(split, tmp_path):
    with pytest.raises(FxkitError, match=r"train\.(window|batch)"):
        go(split, tmp_path, replace(CONFIG, window=3000))


def test_validation_scores_each_sample_once_with_a_warm_state(split):
    model = Leak()
    with torch.no_grad():
        model.a.fill_(0.5)
        model.b.fill_(0.8)
    validation = Validation(model, split.validation, Distort(), seconds=60.0)
    # The exact model: only what the cut-off history would add is left, and 0.5 ** 64 is nothing.
    assert validation(model, Squared(None), torch.device("cpu")) < 1e-12
    assert validation.target.numel() >= 0.9 * 800


def test_validation_hears_no_more_than_it_is_given(split):
    validation = Validation(Leak(), split.validation, Distort(), seconds=0.05)
    assert validation.target.numel() <= 0.05 * RATE
