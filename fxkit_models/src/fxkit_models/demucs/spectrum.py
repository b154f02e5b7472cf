"""The way into the frequency domain and back: a complex spectrogram as real channels."""

from __future__ import annotations

import torch
from fxkit.fourier import Fourier
from torch import Tensor, nn

__all__ = ["Spectrum"]


class Spectrum(nn.Module):
    """Short-time Fourier transform and its inverse, for windows of a multiple of the hop.

    The bin at half the sample rate is left out: it holds next to nothing, and without it the number
    of bins is a power of two times what the strides divide. Always computed in float32, also under
    mixed precision.

    Parameters
    ----------
    n_fft, hop_length
        In samples; the hop is half of `n_fft` at most.
    """

    def __init__(self, n_fft: int, hop_length: int) -> None:
        super().__init__()
        self.bins = n_fft // 2
        self.fourier = Fourier(n_fft, hop_length)

    def analyse(self, x: Tensor) -> Tensor:
        """Turn ``[batch, 1, time]`` into ``[batch, 4, bins, frames]``.

        Channels 0 and 1 are real and imaginary part, scaled so that white noise keeps its level. 2
        and 3 are the same at the square root of the magnitude: overtones lie 40 dB and more below
        the strongest partial, where a network that sees only the linear scale finds them last.
        """
        with torch.autocast(x.device.type, enabled=False):
            linear = self.fourier.analyse(x)[:, :, : self.bins]
            # A floor of -60 dB under the square root: its slope stays bounded in silence.
            power = linear[:, :1].square() + linear[:, 1:].square()
            return torch.cat((linear, linear / (power + 1e-6).sqrt().sqrt()), dim=1)

    def synthesise(self, channels: Tensor, time: int) -> Tensor:
        """Turn real and imaginary part, ``[batch, 2, bins, frames]``, into ``[batch, 1, time]``."""
        return self.fourier.synthesise(nn.functional.pad(channels, (0, 0, 0, 1)), time)
