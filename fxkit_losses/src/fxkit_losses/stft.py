"""`mrstft`: the distance between two spectrograms, at several resolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from fxkit.errors import FxkitError
from fxkit.loss import Loss
from fxkit.options import option
from torch import Tensor

from fxkit_losses.energy import SILENCE

__all__ = ["MRSTFT", "magnitudes"]


def magnitudes(signal: Tensor, window: Tensor, hop: int) -> Tensor:
    """Return a magnitude spectrogram in which a full-scale sine on a bin reads 1.

    The ends are padded with silence, so that a signal of any length can be taken.

    Parameters
    ----------
    signal
        ``[batch, 1, time]``.
    window
        The analysis window, ``[n_fft]``.
    hop
        Samples from frame to frame.

    Returns
    -------
    Tensor
        ``[batch, bins, frames]``.
    """
    spectrum = torch.stft(
        signal.squeeze(1),
        n_fft=window.numel(),
        hop_length=hop,
        window=window,
        center=True,
        pad_mode="constant",
        return_complex=True,
    )
    # The gradient of abs is the phase, and 0 at 0: bounded, where that of a square root is not.
    return spectrum.abs() * (2.0 / window.sum())


class MRSTFT(Loss):
    """Spectral convergence plus the mean difference of log magnitudes, over several resolutions.

    Yamamoto, Song & Kim, "Parallel WaveGAN", ICASSP 2020, eqs. 4 to 6. For each length n of the
    transform, with a Hann window and a hop of n / 4, and E and T the magnitudes of estimate and
    target::

        || T - E || / || T ||  +  mean | log(T + floor) - log(E + floor) |

    The loss is the mean over the resolutions. The norm of T is pooled: it is the root of the mean,
    over the batch, of its square. The loss does not hear phase or polarity: add it to one that does
    (``esr+0.1*mrstft``).
    """

    @dataclass(frozen=True)
    class Config:
        """The settings of the loss ``mrstft``."""

        resolutions: tuple[int, ...] = option(
            (512, 1024, 2048), "lengths of the transforms", unit="samples", low=16, high=65_536
        )
        floor: float = option(
            -80.0, "level below which a bin counts as silent", unit="dB", low=-160, high=-20
        )

    config: Config

    def __init__(self, config: Any, *, sample_rate: int = 44_100) -> None:
        super().__init__(config, sample_rate=sample_rate)
        if not config.resolutions or min(config.resolutions) < 16:
            raise FxkitError(
                "loss.mrstft.resolutions: name lengths of at least 16 samples, "
                f"not {config.resolutions}"
            )
        self.floor = 10.0 ** (config.floor / 20.0)
        for length in config.resolutions:
            # Follows from the settings, so it is not saved; as a buffer it follows the device.
            self.register_buffer(f"window_{length}", torch.hann_window(length), persistent=False)

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        """Return the distance of each item, the mean over the resolutions; `[batch]`."""
        lengths = self.config.resolutions
        total = estimate.new_zeros(estimate.shape[0])
        for length in lengths:
            total = total + self._at(length, estimate, target)
        return total / len(lengths)

    def _at(self, length: int, estimate: Tensor, target: Tensor) -> Tensor:
        window = self.get_buffer(f"window_{length}")
        hop = max(1, length // 4)
        e, t = magnitudes(estimate, window, hop), magnitudes(target, window, hop)
        difference: Tensor = torch.linalg.vector_norm(t - e, dim=(1, 2))
        bins, frames = t.shape[1:]
        # White noise of power P has a mean squared magnitude of about 6 P / length here.
        silence = 6.0 * SILENCE / length * bins * frames
        norm: Tensor = t.square().sum(dim=(1, 2)).mean().clamp_min(silence).sqrt()
        log_ratio = torch.log(t + self.floor) - torch.log(e + self.floor)
        return difference / norm + log_ratio.abs().mean(dim=(1, 2))
