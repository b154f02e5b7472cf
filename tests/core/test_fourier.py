"""The transform for window models: as torch.stft, and the same numbers where it is exported."""

import pytest
import torch
from fxkit.fourier import Fourier

SIZES = [(64, 16, 320), (64, 32, 320), (64, 24, 480), (64, 16, 333), (30, 7, 200)]


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("n_fft", "hop", "time"), SIZES)
def test_back_and_forth_gives_the_sound_again(n_fft, hop, time):
    fourier, x = Fourier(n_fft, hop), noise(2, 1, time)
    spectrum = fourier.analyse(x)
    assert spectrum.shape == (2, 2, n_fft // 2 + 1, time // hop + 1)
    within = time - time % hop  # behind the last frame's centre little is seen
    y = fourier.synthesise(spectrum, time)[..., :within]
    torch.testing.assert_close(y, x[..., :within], rtol=0, atol=1e-4)


@pytest.mark.parametrize(("n_fft", "hop", "time"), SIZES)
def test_the_products_of_an_export_are_the_same(monkeypatch, n_fft, hop, time):
    fourier, x = Fourier(n_fft, hop), noise(2, 1, time)
    spectrum = fourier.analyse(x)
    any_spectrum = noise(*spectrum.shape)
    any_spectrum[:, 1, [0, -1]] = 0  # the lowest and the highest bin are real
    within = time - time % hop
    sound = fourier.synthesise(any_spectrum, within)
    monkeypatch.setattr(torch.compiler, "is_exporting", lambda: True)
    torch.testing.assert_close(fourier.analyse(x), spectrum, rtol=0, atol=1e-5)
    torch.testing.assert_close(fourier.synthesise(any_spectrum, within), sound, rtol=0, atol=1e-4)
