"""demucs: the laws, seamless windows, and settings that do not fit together."""

import math

import pytest
import torch
from fxkit.config import parse, resolve
from fxkit.errors import FxkitError
from fxkit.model import run_blocks
from fxkit.testing import ModelLaws
from fxkit_models.demucs import Demucs
from fxkit_models.demucs.config import DemucsConfig as Config

SMALL = {
    "channels": 4,
    "time_depth": 2,
    "freq_depth": 1,
    "n_fft": 64,
    "hop_length": 16,
    "width": 8,
    "transformer_heads": 2,
    "gru_layers": 1,
    "transformer_layers": 1,
    "window": 0.01,
}


def small(controls: int = 0, seed: int = 0, **options: object) -> Demucs:
    torch.manual_seed(seed)
    return Demucs(Config(**{**SMALL, **options}), controls=controls).eval()


class TestLaws(ModelLaws):
    @pytest.fixture(params=["small", "bare", "knobs", "remembering"])
    def model(self, request: pytest.FixtureRequest) -> Demucs:
        if request.param == "bare":
            return small(gru_layers=0, transformer_layers=0, time_stride=2, overlap=0.0)
        if request.param == "remembering":
            return small(time_gru=3, time_stride=8)
        return small(controls=2 if request.param == "knobs" else 0)


def shaken(model: Demucs, size: float = 0.1) -> Demucs:
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += size * torch.randn_like(parameter)
    return model


def noise(time: int) -> torch.Tensor:
    return 0.3 * torch.randn(1, 1, time, generator=torch.Generator().manual_seed(3))


def test_the_default_has_about_a_million_parameters_and_fits_twice_into_a_crop() -> None:
    model = Demucs(Config())
    assert 0.8e6 < sum(p.numel() for p in model.parameters()) < 1.3e6
    crop = resolve({"model": "demucs"}).train.crop
    _, weight = model.crop(torch.zeros(1, 1, round(44_100 * crop)))
    assert weight.sum() > 0.7 * weight.numel()
    assert model.window % 256 == 0
    assert model.latency == model.window - 1


def test_it_starts_close_to_its_input() -> None:
    torch.manual_seed(0)
    model = Demucs(Config(window=0.2)).eval()
    x = torch.randn(1, 1, model.window)
    with torch.no_grad():
        assert (model.process(x) - x).std() < 0.05 * x.std()


def test_both_branches_and_both_crossings_are_heard() -> None:
    model = shaken(small())
    x = noise(model.window)
    with torch.no_grad():
        whole = model.process(x)
        for name in (
            "time_up.1.up",
            "freq_up.0.up",
            "exchanges.0.time.across.out",
            "exchanges.0.freq.across.out",
            "time_memory.out",
            "freq_memory.out",
        ):
            layer = model.get_submodule(name)
            weight = layer.weight.clone()
            layer.weight.zero_()
            assert (model.process(x) - whole).abs().max() > 1e-5, name
            layer.weight.copy_(weight)


def test_a_recurrent_layer_in_every_level_hears_far_and_at_every_level() -> None:
    """A click changes what comes long before and after it, with nothing at the bottom to do so."""
    model = shaken(small(time_gru=8, gru_layers=0, transformer_layers=0, freq_depth=1, window=0.1))
    x = noise(model.window)
    click = x.clone()
    middle = model.window // 2
    click[..., middle] += 1.0
    far = 64 + 8 * 16  # beyond every convolution and every transform that holds the click

    def spread() -> torch.Tensor:
        change = (model.process(click) - model.process(x)).abs()[0, 0]
        return torch.minimum(change[: middle - far].max(), change[middle + far :].max())

    with torch.no_grad():
        assert spread() > 1e-6
        for name in ("time_down.0", "time_down.1", "time_up.0", "time_up.1"):
            out = model.get_submodule(f"{name}.memory.out")
            whole = model.process(x)
            out.weight.zero_()
            out.bias.zero_()
            assert (model.process(x) - whole).abs().max() > 1e-5, name
        assert spread() == 0.0


def test_cross_attention_carries_one_domain_into_the_other() -> None:
    """Without the waveform branch's own way up, the waveform still changes the spectrogram's."""
    model = shaken(small())
    x = noise(model.window)

    def spectral(tokens: float) -> torch.Tensor:
        width = model.config.width
        time = torch.full((1, model.window // 16, width), tokens)
        freq = torch.zeros(1, model.window // 16 + 1, width)
        return model._meet(time * torch.linspace(-1, 1, width), freq, None)[1]

    with torch.no_grad():
        assert (spectral(0.0) - spectral(1.0)).abs().max() > 1e-4
        assert model.process(x).isfinite().all()


def test_windows_join_without_a_seam() -> None:
    """However the hops fall, nothing of them is left where the function of a window allows it."""
    model = small()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith(("time_up", "freq_up")):
                parameter.zero_()
        model.dry.fill_(0.1)
    x = noise(5 * model.window)
    with torch.no_grad():
        y, _ = model(x, model.initial_state(1))
    late = model.latency
    torch.testing.assert_close(y[..., late:], x[..., :-late], atol=2e-6, rtol=0)


def seams(y: torch.Tensor, hop: int, first: int) -> float:
    """Return how much larger the second difference is every `hop` from `first` than beside it.

    1 where cutting points do not stand out.
    """
    rough = y[0, 0].diff(n=2).abs()
    cuts = torch.arange(first + hop, len(rough) - hop, hop)[:, None]
    beside = torch.cat((torch.arange(-60, -20), torch.arange(20, 60)))
    return float(rough[cuts + torch.arange(-3, 3)].mean() / rough[cuts + beside].mean())


class Wavering(Demucs):
    """Windows that disagree: each starts at half the level and ends at twice."""

    def process(self, x: torch.Tensor, controls: torch.Tensor | None = None) -> torch.Tensor:
        return x * torch.linspace(0.5, 2.0, self.window)


def test_cutting_points_cannot_be_measured() -> None:
    model = Wavering(Config(**{**SMALL, "window": 0.05}))
    t = torch.arange(200 * model.window) / 44_100
    x = (0.5 * torch.sin(2 * math.pi * 110 * t))[None, None]
    y, _ = model(x, model.initial_state(1))
    y = y[..., model.latency :]
    # The same windows butted against each other: the seams that the overlap is there to hide.
    butted = model.process(x.view(-1, 1, model.window)).view(1, 1, -1)
    assert seams(butted, model.window, 0) > 10.0
    assert 0.9 < seams(y, model.hop, 0) < 1.1  # where windows end
    assert 0.9 < seams(y, model.hop, -model.window % model.hop) < 1.1  # where they start


def test_live_equals_offline() -> None:
    model = shaken(small())
    x = noise(3 * model.window + 100)
    with torch.no_grad():
        whole, _ = model(x, model.initial_state(1))
        live, _ = run_blocks(model, x, model.initial_state(1), None, 64)
    torch.testing.assert_close(live, whole, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["n_fft=256", "hop_length=1024"], "75% of all samples are never seen"),
        (["n_fft=256", "hop_length=1024"], "n_fft=1024 with hop_length=256, or 2048 with 512"),
        (["n_fft=1024", "hop_length=768"], "overlap by less than half"),
        (["n_fft=1024", "freq_depth=5"], "model.freq_depth=5 needs a model.n_fft that is a mult"),
        (["width=90"], "multiple of model.transformer_heads=4"),
        (["time_stride=3"], "model.time_stride"),
    ],
)
def test_settings_that_do_not_fit_are_one_line(options: list[str], message: str) -> None:
    with pytest.raises(FxkitError) as caught:
        resolve(parse(["model=demucs", *(f"model.{o}" for o in options)]))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "options", [{"hop_length": 441}, {"time_stride": 8, "time_depth": 6}], ids=["hop", "stride"]
)
def test_strides_that_make_windows_of_seconds_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(FxkitError, match=r"windows of \d\.\d+ s: lower the depth, or take a hop"):
        Demucs(Config(**options))


@pytest.mark.parametrize(("n_fft", "hop"), [(1024, 256), (2048, 512), (512, 256)])
def test_valid_pairs_invert(n_fft: int, hop: int) -> None:
    model = small(n_fft=n_fft, hop_length=hop)
    x = noise(model.window)
    linear = model.spectrum.analyse(x)[:, :2]
    y = model.spectrum.synthesise(linear, model.window)
    # All but what lies at half the sample rate, where a guitar has nothing.
    assert (y - x).square().mean() < 0.02 * x.square().mean()
    low = torch.sin(torch.arange(model.window) * 0.3)[None, None]
    again = model.spectrum.synthesise(model.spectrum.analyse(low)[:, :2], model.window)
    torch.testing.assert_close(again, low, atol=5e-3, rtol=0)


def test_the_slides_sizes_can_be_made() -> None:
    model = small(
        channels=64,
        time_depth=3,
        freq_depth=3,
        n_fft=1024,
        hop_length=256,
        gru_layers=2,
        transformer_heads=4,
        width=96,
        window=0.05,
    )
    with torch.no_grad():
        assert model.process(noise(model.window)).shape == (1, 1, model.window)
