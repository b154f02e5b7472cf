"""Training from crops, gradient accumulation, running means and mixed precision."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from fxkit.checkpoint import load_average
from fxkit.data import Recording, Segment, Split, Take
from fxkit.data.amplified import Amplified
from fxkit.ema import Average
from fxkit.errors import FxkitError
from fxkit.loss import Loss
from fxkit.options import NoOptions
from fxkit.progress import SilentProgress
from fxkit.scaled import Scaled
from fxkit.tasks.clean import Clean
from fxkit.train import TrainConfig, train
from fxkit.window import WindowModel
from torch import nn

RATE = 8000
WINDOW = 200
CONFIG = TrainConfig(
    minutes=0, epochs=3, batch=4, crop=0.05, lr=0.05, ramp=0.0, clip=0.0, ema=0.9, accumulate=3
)


class Filter(WindowModel):
    """A short filter over each window: what undoes the effect below is one of its kind."""

    Config = NoOptions

    def __init__(self, config=None, *, sample_rate=RATE, controls=0):
        super().__init__(config, sample_rate=sample_rate, controls=controls, window=WINDOW, hop=150)
        self.conv = nn.Conv1d(1, 1, 3, padding=1, bias=False)
        nn.init.constant_(self.conv.weight, 0.1)
        self.windows = 0

    def process(self, x, controls=None):
        self.windows += len(x)
        self.seen = self.conv(x).dtype
        return self.conv(x)


class Squared(Loss):
    """Mean of the squared error."""

    def forward(self, estimate, target):
        assert estimate.dtype == torch.float32
        return (estimate - target).square().mean(dim=(1, 2))


class Ratio(Loss):
    """Squared error over the energy of the batch."""

    def forward(self, estimate, target):
        return (estimate - target).square().mean(dim=(1, 2)) / target.square().mean()


@pytest.fixture
def split():
    wet = np.random.default_rng(0).normal(0, 0.3, 16_000).astype(np.float32)
    dry = np.convolve(wet, [0.2, 0.7, -0.4], "same").astype(np.float32)
    take = Take("noise", Recording.from_array(dry, RATE), Recording.from_array(wet, RATE))
    return Split(
        (Segment(take, 0, 10_000),),
        (Segment(take, 10_400, 13_000),),
        (Segment(take, 13_400, 16_000),),
    )


class Squarer:
    """An amplifier that makes wet of dry in one line."""

    sample_rate = RATE
    run_in = 50
    peak = 10.0
    description = "squarer"

    def play(self, stretches):
        return [x + x * x for x in stretches]


class Amped(Clean):
    """Half of the crops are made by the amplifier above."""

    amplified = Amplified(Squarer())


def go(split, directory, config=CONFIG, loss=None, task=None, **options):
    torch.manual_seed(0)
    directory.mkdir(exist_ok=True)
    model = Scaled.from_levels(Filter(), input_rms=0.3, target_rms=0.25)
    result = train(
        model,
        loss or Squared(None),
        split,
        task or Clean(),
        config,
        device=torch.device("cpu"),
        directory=directory,
        progress=SilentProgress(),
        **options,
    )
    return model, result


def test_learns_the_filter_in_time_with_the_input(split, tmp_path):
    config = replace(CONFIG, epochs=30, accumulate=1, ema=0.0)
    model, result = go(split, tmp_path / "run", config)
    # Cross-correlation: the newest sample comes last.
    found = model.inner.conv.weight.detach().flatten() * 0.25 / 0.3
    torch.testing.assert_close(found, torch.tensor([-0.4, 0.7, 0.2]), atol=0.01, rtol=0)
    assert result.history[-1].validation_loss < 1e-4


def test_every_window_of_a_crop_is_processed_once(split, tmp_path):
    config = replace(CONFIG, epochs=1, validation_seconds=0.1)
    model, _ = go(split, tmp_path / "run", config)
    crops = 10_000 // 400 // 4 * 4
    in_training = crops * ((400 - WINDOW) // 150 + 1)
    validated = model.inner.windows - in_training
    assert 0 < validated < in_training


def test_a_crop_shorter_than_the_window_is_one_line(split, tmp_path):
    with pytest.raises(FxkitError, match=r"shorter than the model's window.*raise train\.crop"):
        go(split, tmp_path / "run", replace(CONFIG, crop=0.02))


def test_accumulating_equals_the_large_batch(split, tmp_path):
    """With a ratio of pooled energies, steps of 2 x 4 crops are steps of 8."""

    class Plain(Clean):
        augmentation = None

    def weights(name, **options):
        torch.manual_seed(0)
        (tmp_path / name).mkdir()
        model = Scaled.from_levels(Filter(), input_rms=0.3, target_rms=0.25)
        train(
            model,
            Ratio(None),
            split,
            Plain(),
            replace(CONFIG, epochs=1, ema=0.0, floor=1.0, **options),
            device=torch.device("cpu"),
            directory=tmp_path / name,
            progress=SilentProgress(),
        )
        return model.inner.conv.weight

    # 25 crops: 3 batches of 8 either way.
    torch.testing.assert_close(
        weights("few", batch=4, accumulate=2), weights("many", batch=8, accumulate=1)
    )


def test_a_pause_does_not_lead_the_training(tmp_path):
    """The loss of an epoch is the ratio over all of it, not the mean of the ratios of batches."""
    wet = np.random.default_rng(1).normal(0, 0.3, 16_000).astype(np.float32)
    # All but a few crops have next to no target to be compared with.
    dry = np.where(np.arange(16_000) % 8000 < 1200, wet, 1e-3 * wet).astype(np.float32)
    take = Take("pauses", Recording.from_array(dry, RATE), Recording.from_array(wet, RATE))
    parts = Split((Segment(take, 0, 16_000),), (Segment(take, 0, 8000),), ())
    config = replace(CONFIG, epochs=1, batch=1, accumulate=1, lr=1e-8, ema=0.0)
    _, result = go(parts, tmp_path / "run", config, Ratio(None))
    # The untrained filter passes about a tenth: the ratio over all is a handful, of a pause 1e5.
    assert 0.1 < result.history[0].loss < 10


def test_what_is_left_at_the_end_of_an_epoch_is_a_step_too(split, tmp_path):
    """Six windows of four crops are two steps of four windows: the second of two windows."""
    steps = []

    class Counted(Squared):
        def forward(self, estimate, target):
            steps.append(1)
            return super().forward(estimate, target)

    model, _ = go(
        split, tmp_path / "a", replace(CONFIG, epochs=1, accumulate=4, floor=1.0), Counted(None)
    )
    start = torch.full_like(model.inner.conv.weight, 0.1)
    # AdamW moves each weight by up to the learning rate: more than one step's worth was taken.
    moved = (checkpoint_weights(tmp_path / "a") - start).abs().max()
    assert moved > 1.2 * CONFIG.lr
    assert len(steps) == 6 + 1


def checkpoint_weights(directory):
    from safetensors.torch import load_file

    return load_file(directory / "last.safetensors")["model.inner.conv.weight"]


class Cut(Exception):  # noqa: N818 - not an error: a power cut
    pass


class CutAfter(Squared):
    """Ends the training after some calls."""

    def __init__(self, calls):
        super().__init__(None)
        self.calls = calls

    def forward(self, estimate, target):
        self.calls -= 1
        if self.calls < 0:
            raise Cut
        return super().forward(estimate, target)


@pytest.mark.parametrize("task", [Clean(), Amped()])
def test_a_resumed_run_gives_the_same_numbers_as_an_uninterrupted_one(task, split, tmp_path):
    model, whole = go(split, tmp_path / "whole", task=task)
    with pytest.raises(Cut):
        go(split, tmp_path / "cut", loss=CutAfter(7 + 4), task=task)
    again, resumed = go(split, tmp_path / "cut", task=task, resume=True)
    for kind in ("loss", "validation_loss", "lr"):
        assert [getattr(e, kind) for e in resumed.history] == [
            getattr(e, kind) for e in whole.history
        ]
    for a, b in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
    means = [load_average(tmp_path / run / "last.safetensors") for run in ("whole", "cut")]
    assert means[0].keys() == means[1].keys() == {"updates", "mean.inner.conv.weight"}
    assert all(torch.equal(means[0][name], means[1][name]) for name in means[0])


def test_pairs_made_anew_are_learned_from_and_not_validated_with(split, tmp_path):
    settings = replace(CONFIG, epochs=1)
    _, plain = go(split, tmp_path / "plain", settings)
    _, made = go(split, tmp_path / "made", settings, task=Amped())
    assert made.history[0].loss != plain.history[0].loss
    # Without a step to speak of both are the same model, which the same recordings judge.
    still = replace(settings, lr=1e-8)
    _, plain = go(split, tmp_path / "plain-still", still)
    _, made = go(split, tmp_path / "made-still", still, task=Amped())
    assert made.history[0].validation_loss == pytest.approx(plain.history[0].validation_loss)


def test_a_running_mean_asked_for_on_resuming_starts_from_the_weights_so_far(split, tmp_path):
    go(split, tmp_path / "run", replace(CONFIG, epochs=2, ema=0.0))
    before = checkpoint_weights(tmp_path / "run")
    go(split, tmp_path / "run", replace(CONFIG, lr=1e-8, ema=0.999), resume=True)
    mean = load_average(tmp_path / "run" / "last.safetensors")["mean.inner.conv.weight"]
    torch.testing.assert_close(mean, before, atol=1e-6, rtol=0)


def test_the_mean_is_judged_and_kept_and_the_weights_go_on(split, tmp_path):
    model, result = go(split, tmp_path / "run", replace(CONFIG, epochs=1, accumulate=1))
    mean = load_average(tmp_path / "run" / "last.safetensors")["mean.inner.conv.weight"]
    torch.testing.assert_close(model.inner.conv.weight.detach(), mean)
    assert not torch.equal(checkpoint_weights(tmp_path / "run"), mean)
    assert result.best_epoch == 1


def test_mixed_precision_reaches_the_network_and_not_the_loss(split, tmp_path):
    model, _ = go(
        split,
        tmp_path / "half",
        replace(CONFIG, precision="bf16", epochs=20, ema=0.0, accumulate=1),
    )
    # Validation, which comes last, is in full precision.
    assert model.inner.seen == torch.float32
    found = model.inner.conv.weight.detach().flatten() * 0.25 / 0.3
    torch.testing.assert_close(found, torch.tensor([-0.4, 0.7, 0.2]), atol=0.03, rtol=0)
    exact, _ = go(split, tmp_path / "full", replace(CONFIG, epochs=20, ema=0.0, accumulate=1))
    assert not torch.equal(exact.inner.conv.weight, model.inner.conv.weight)


class TestAverage:
    def test_starts_short_and_reaches_its_length(self):
        model = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(model.weight)
        average = Average(model, 0.9)
        expected = 0.0
        for n in range(1, 200):
            with torch.no_grad():
                model.weight.fill_(float(n))
            average.update(model)
            keep = min(0.9, (1 + n) / (10 + n))
            expected = keep * expected + (1 - keep) * n
        assert average.tensors()["mean.weight"].item() == pytest.approx(expected, rel=1e-5)

    def test_is_lent_and_given_back_even_when_something_fails(self):
        model = nn.Linear(1, 1, bias=False)
        own = model.weight.item()
        average = Average(model, 0.5)
        with torch.no_grad():
            model.weight.add_(1.0)

        def fail():
            with average.applied(model):
                assert model.weight.item() == own
                raise Cut

        with pytest.raises(Cut):
            fail()
        assert model.weight.item() == own + 1.0
        assert average.tensors()["mean.weight"].item() == own

    def test_goes_on_from_what_was_kept(self):
        torch.manual_seed(0)
        model = nn.Linear(2, 1)
        average = Average(model, 0.99)
        average.update(model)
        kept = {name: tensor.clone() for name, tensor in average.tensors().items()}
        again = Average(nn.Linear(2, 1), 0.99)
        again.load(kept)
        assert all(torch.equal(tensor, kept[n]) for n, tensor in again.tensors().items())


class Remembering(Filter):
    """The filter, with a recurrent layer behind it that the fused kernels could run."""

    def __init__(self, config=None, *, sample_rate=RATE, controls=0):
        super().__init__(config, sample_rate=sample_rate, controls=controls)
        self.gru = nn.GRU(1, 1, batch_first=True)

    def process(self, x, controls=None):
        self.threads = torch.get_num_threads()
        return super().process(x, controls)


def test_a_recurrent_layer_among_others_leaves_pytorch_its_threads(split, tmp_path):
    """What learns from crops is mostly what PyTorch shares out: it is not held to one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        model = Remembering()
        train(
            Scaled.from_levels(model, input_rms=0.3, target_rms=0.25),
            Squared(None),
            split,
            Clean(),
            replace(CONFIG, epochs=1),
            device=torch.device("cpu"),
            directory=tmp_path,
            progress=SilentProgress(),
        )
        assert model.threads == 2
    finally:
        torch.set_num_threads(before)
