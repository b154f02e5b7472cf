"""The window adapter: no seams, any blocks, the latency it declares."""

from dataclasses import dataclass

import pytest
import torch
from fxkit.errors import FxkitError
from fxkit.model import Model, State
from fxkit.options import option
from fxkit.window import WindowModel, overlap_weights
from torch import Tensor, nn


@dataclass(frozen=True)
class Sizes:
    window: int = option(32, "length of a window", unit="samples")
    hop: int = option(16, "from one window to the next", unit="samples")


class Same(WindowModel):
    """Gives each window back as it is, and remembers how many it saw."""

    Config = Sizes

    def __init__(self, config: Sizes, *, sample_rate: int = 44_100, controls: int = 0) -> None:
        super().__init__(
            config,
            sample_rate=sample_rate,
            controls=controls,
            window=config.window,
            hop=config.hop,
        )

    def process(self, x: Tensor, controls: Tensor | None = None) -> Tensor:
        return x


class Spectral(Same):
    """Weighs each bin of a window's spectrum by a learned gain."""

    def __init__(self, config: Sizes, *, sample_rate: int = 44_100, controls: int = 0) -> None:
        super().__init__(config, sample_rate=sample_rate, controls=controls)
        self.gains = nn.Parameter(torch.rand(1 + config.window // 2))

    def process(self, x: Tensor, controls: Tensor | None = None) -> Tensor:
        gains = self.gains if controls is None else self.gains * controls[:, :1].unsqueeze(1)
        return torch.fft.irfft(torch.fft.rfft(x) * gains, n=x.shape[-1])


def noise(batch: int, time: int, seed: int = 0) -> Tensor:
    return torch.randn(batch, 1, time, generator=torch.Generator().manual_seed(seed))


def in_blocks(model: WindowModel, x: Tensor, cuts: list[int], controls: Tensor | None = None):
    state: State = model.initial_state(x.shape[0])
    out = []
    for part in x.split(cuts, dim=-1):
        y, state = model(part, state, controls)
        out.append(y)
    return torch.cat(out, dim=-1)


@pytest.mark.parametrize(("window", "hop"), [(32, 16), (32, 8), (32, 32), (31, 7), (8, 5), (1, 1)])
def test_weights_add_up_to_one(window: int, hop: int) -> None:
    weights = overlap_weights(window, hop)
    total = torch.zeros(window + 40 * hop)
    for k in range(40):
        total[k * hop : k * hop + window] += weights
    assert (weights > 0).all()
    torch.testing.assert_close(total[window : 30 * hop], torch.ones_like(total[window : 30 * hop]))


@pytest.mark.parametrize("hop", [0, 33, -1])
def test_impossible_hops_are_refused(hop: int) -> None:
    with pytest.raises(ValueError, match="hop must be from 1 to"):
        overlap_weights(32, hop)


@pytest.mark.parametrize(("window", "hop"), [(32, 16), (32, 8), (32, 32), (31, 7), (8, 5), (1, 1)])
def test_the_same_windows_give_the_input_back_late_by_the_latency(window: int, hop: int) -> None:
    model = Same(Sizes(window, hop))
    x = noise(2, 300)
    y, _ = model(x, model.initial_state(2))
    assert y.shape == x.shape
    assert model.latency == window - 1
    torch.testing.assert_close(y[..., model.latency :], x[..., : 300 - model.latency])


@pytest.mark.parametrize(("window", "hop"), [(32, 16), (32, 12), (16, 16)])
@pytest.mark.parametrize(
    "cuts", [[300], [1] * 300, [7, 1, 1, 200, 91], [16] * 18 + [12], [31, 32, 33, 204]]
)
def test_blocks_equal_the_whole(window: int, hop: int, cuts: list[int]) -> None:
    torch.manual_seed(1)
    model = Spectral(Sizes(window, hop), controls=1)
    x, knobs = noise(3, 300), torch.rand(3, 1)
    whole, _ = model(x, model.initial_state(3), knobs)
    torch.testing.assert_close(in_blocks(model, x, cuts, knobs), whole, atol=1e-6, rtol=1e-5)
    assert whole[..., 100:].abs().mean() > 0.1


def test_a_filter_in_the_spectrum_leaves_no_seams() -> None:
    """A steady sine on a bin comes out as the same sine at the gain of that bin, everywhere."""
    model = Spectral(Sizes(64, 16))
    with torch.no_grad():
        model.gains.fill_(0.25)
    sine = torch.sin(2 * torch.pi * 4 / 64 * torch.arange(1000)).view(1, 1, -1)
    y, _ = model(sine, model.initial_state(1))
    steady = y[..., 2 * 64 :]
    expected = 0.25 * sine[..., 2 * 64 - model.latency : 1000 - model.latency]
    torch.testing.assert_close(steady, expected, atol=1e-6, rtol=0)


def test_gradients_reach_the_window_function_from_a_crop() -> None:
    torch.manual_seed(2)
    model = Spectral(Sizes())
    x = noise(2, 100)
    y, _ = model(x, model.initial_state(2))
    y[..., model.latency :].square().sum().backward()
    assert model.gains.grad is not None
    assert (model.gains.grad != 0).all()


def test_streams_that_were_reset_at_different_times_stay_apart() -> None:
    torch.manual_seed(3)
    model = Spectral(Sizes(), controls=1)
    x, knobs = noise(3, 250), torch.rand(3, 1)
    _, state = model(x[..., :100], model.initial_state(3), knobs)
    fresh = model.initial_state(3)
    mixed = {name: leaf.clone() for name, leaf in state.items()}
    for name in mixed:
        mixed[name][1] = fresh[name][1]
    y, after = model(x[..., 100:], mixed, knobs)
    for row in range(3):
        start = {name: leaf[row : row + 1] for name, leaf in mixed.items()}
        alone, end = model(x[row : row + 1, :, 100:], start, knobs[row : row + 1])
        torch.testing.assert_close(y[row : row + 1], alone, atol=1e-6, rtol=1e-5)
        for name in end:
            torch.testing.assert_close(after[name][row : row + 1], end[name], atol=1e-6, rtol=0)


def test_only_weights_of_the_author_are_saved() -> None:
    assert list(Spectral(Sizes()).state_dict()) == ["gains"]
    assert Spectral(Sizes()).trains_on == "crops"


def test_a_crop_is_what_its_windows_add_up_to() -> None:
    model = Same(Sizes(window=32, hop=24))
    x = noise(3, 100)
    y, weight = model.crop(x)
    # Windows start at 0, 24 and 48: 80 samples are covered, the rest is not.
    torch.testing.assert_close(y, weight * x)
    assert torch.equal(weight[80:], torch.zeros(20))
    torch.testing.assert_close(weight[8:72], torch.ones(64))
    torch.testing.assert_close(weight[:8], model.weights[:8])
    torch.testing.assert_close(weight[72:80], model.weights[24:])


def test_a_crop_of_one_window_and_one_that_is_too_short() -> None:
    model = Same(Sizes(window=32, hop=16), sample_rate=1000)
    _, weight = model.crop(noise(1, 32))
    torch.testing.assert_close(weight, model.weights)
    with pytest.raises(FxkitError, match=r"crop of 0\.03 s is shorter.*window of 0\.03 s"):
        model.crop(noise(1, 31))


def test_crops_hear_no_neighbours_and_give_gradients() -> None:
    model = Spectral(Sizes())
    x = noise(2, 64)
    both, _ = model.crop(x)
    alone, _ = model.crop(x[1:])
    torch.testing.assert_close(both[1:], alone)
    both.square().mean().backward()
    assert model.gains.grad is not None
    assert model.gains.grad.abs().max() > 0


def test_it_works_once_per_hop() -> None:
    assert Same(Sizes(window=32, hop=24)).granularity == 24


def test_by_default_a_crop_is_played_from_silence_with_the_latency_taken_out() -> None:
    model = Same(Sizes())
    x = noise(2, 100)
    y, weight = Model.crop(model, x)
    torch.testing.assert_close(y, x)
    assert torch.equal(weight, torch.ones(100))
