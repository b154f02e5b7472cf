"""mrstft: the laws, and values solvable by hand."""

import math

import pytest
import torch
from fxkit.errors import FxkitError
from fxkit.testing import LossLaws
from fxkit_losses.stft import MRSTFT, magnitudes


class TestLaws(LossLaws):
    @pytest.fixture(params=[(512, 1024, 2048), (64,)])
    def loss(self, request: pytest.FixtureRequest) -> MRSTFT:
        return MRSTFT(MRSTFT.Config(resolutions=request.param))


def test_a_full_scale_sine_on_a_bin_reads_one() -> None:
    sine = torch.sin(2 * math.pi * 8 / 256 * torch.arange(4096)).view(1, 1, -1)
    spectrogram = magnitudes(sine, torch.hann_window(256), 64)
    middle = spectrogram[0, :, 10:-10]
    torch.testing.assert_close(middle[8], torch.ones_like(middle[8]), atol=1e-4, rtol=0)
    assert (middle[20:] < 1e-4).all()


def test_half_the_level_costs_a_half_and_the_logarithm_of_two() -> None:
    target = torch.randn(1, 1, 8192, generator=torch.Generator().manual_seed(0))
    value = MRSTFT(MRSTFT.Config(floor=-160.0))(0.5 * target, target)
    torch.testing.assert_close(value, torch.tensor([0.5 + math.log(2)]), atol=1e-3, rtol=0)


def test_polarity_is_not_heard() -> None:
    target = torch.randn(2, 1, 3000)
    assert (MRSTFT(MRSTFT.Config())(-target, target) < 1e-6).all()


@pytest.mark.parametrize("resolutions", [(), (8,)])
def test_impossible_resolutions_are_refused(resolutions: tuple[int, ...]) -> None:
    with pytest.raises(FxkitError, match=r"loss\.mrstft\.resolutions"):
        MRSTFT(MRSTFT.Config(resolutions=resolutions))
