"""A short-time Fourier transform and its inverse that window models can also be exported with.

`torch.istft` cannot be exported. This pair has real and imaginary parts as channels; where a model
is exported, both directions are matrix products.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fxkit.overlap import overlap_add

__all__ = ["Fourier"]

UNSEEN = 1e-11
"""Where the squared windows add up to less, no frame has seen the sound."""


class Fourier(nn.Module):
    """Transform windows of sound into real spectra and back, with a Hann window.

    Computed in float32, also under mixed precision. Scaled so that white noise keeps its level.

    Parameters
    ----------
    n_fft
        Length of the transform in samples, even.
    hop_length
        Samples from one transform to the next; half of `n_fft` at most.
    """

    window: Tensor

    def __init__(self, n_fft: int, hop_length: int) -> None:
        super().__init__()
        self.n_fft, self.hop_length = n_fft, hop_length
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)

    def analyse(self, x: Tensor) -> Tensor:
        """Turn ``[batch, 1, time]`` into ``[batch, 2, n_fft // 2 + 1, time // hop_length + 1]``.

        The channels are real and imaginary part. Frames are centred on multiples of the hop; beyond
        both ends there is silence.
        """
        if torch.compiler.is_exporting():
            return self._analyse_by_products(x)
        with torch.autocast(x.device.type, enabled=False):
            spectrum = torch.stft(
                x.float().squeeze(1),
                self.n_fft,
                self.hop_length,
                window=self.window,
                pad_mode="constant",
                normalized=True,
                return_complex=True,
            )
            return rearrange(torch.view_as_real(spectrum), "b f t c -> b c f t")

    def synthesise(self, spectrum: Tensor, time: int) -> Tensor:
        """Turn ``[batch, 2, n_fft // 2 + 1, frames]`` into ``[batch, 1, time]``.

        The inverse of `analyse` with the least squared error, for spectra that no sound has.
        """
        if torch.compiler.is_exporting():
            return self._synthesise_by_products(spectrum, time)
        with torch.autocast(spectrum.device.type, enabled=False):
            paired = rearrange(spectrum.float(), "b c f t -> b t f c", c=2).contiguous()
            # Not torch.istft, which makes a GPU wait at every call to see whether it can divide.
            frames = torch.fft.irfft(torch.view_as_complex(paired), self.n_fft, norm="ortho")
            squares = self.window.square().expand(frames.shape[1], -1)
            heard = slice(self.n_fft // 2, self.n_fft // 2 + time)
            energy = overlap_add(squares, self.hop_length)[heard]
            sound = overlap_add(frames * self.window, self.hop_length)[:, heard]
            sound = sound / energy.where(energy > UNSEEN, 1.0)
            return functional.pad(sound, (0, time - sound.shape[-1])).unsqueeze(1)

    def _analyse_by_products(self, x: Tensor) -> Tensor:
        batch, _, time = x.shape
        hop, pieces = self.hop_length, -(-self.n_fft // self.hop_length)
        frames = time // hop + 1
        length = (frames - 1 + pieces) * hop
        before = self.n_fft // 2
        rest = length - before - time
        padded = functional.pad(x, (before, max(rest, 0)))[..., :length]
        rows = padded.reshape(batch, frames - 1 + pieces, hop)
        shifted = [rows[:, i : i + frames] for i in range(pieces)]
        table = torch.from_numpy(_analysis(self.n_fft, pieces * hop))
        spectra = torch.cat(shifted, dim=-1) @ table
        return spectra.reshape(batch, frames, 2, -1).permute(0, 2, 3, 1)

    def _synthesise_by_products(self, spectrum: Tensor, time: int) -> Tensor:
        batch, _, bins, frames = spectrum.shape
        hop, pieces = self.hop_length, -(-self.n_fft // self.hop_length)
        rows = spectrum.permute(0, 3, 1, 2).reshape(batch, frames, 2 * bins)
        table = torch.from_numpy(_synthesis(self.n_fft, pieces * hop))
        made = rows @ table
        before = self.n_fft // 2
        sound = overlap_add(made, hop).unsqueeze(1)
        missing = before + time - sound.shape[-1]
        if missing > 0:
            sound = functional.pad(sound, (0, missing))
        gain = torch.from_numpy(_envelope(self.n_fft, hop, frames, time))
        return sound[..., before : before + time] * gain


def _hann(n_fft: int) -> NDArray[np.float64]:
    return 0.5 - 0.5 * np.cos(2 * math.pi * np.arange(n_fft) / n_fft)


def _angles(n_fft: int) -> NDArray[np.float64]:
    bins = np.arange(n_fft // 2 + 1)
    turns = np.outer(bins, np.arange(n_fft)) % n_fft
    return (turns * (2 * math.pi / n_fft)).astype(np.float64)


@lru_cache(maxsize=4)
def _analysis(n_fft: int, width: int) -> NDArray[np.float32]:
    """Return ``[width, 2 bins]``: samples to real parts, then imaginary parts."""
    angles = _angles(n_fft)
    table = np.concatenate((np.cos(angles), -np.sin(angles))) * _hann(n_fft) / math.sqrt(n_fft)
    return np.ascontiguousarray(np.pad(table, ((0, 0), (0, width - n_fft))).T, np.float32)


@lru_cache(maxsize=4)
def _synthesis(n_fft: int, width: int) -> NDArray[np.float32]:
    """Return ``[2 bins, width]``: real and imaginary parts to windowed samples."""
    angles = _angles(n_fft)
    # All bins but the lowest and the highest stand for two of the whole transform.
    twice = np.full((n_fft // 2 + 1, 1), 2.0)
    twice[0] = twice[-1] = 1.0
    both = np.concatenate((np.cos(angles) * twice, -np.sin(angles) * twice))
    table = both * _hann(n_fft) / math.sqrt(n_fft)
    return np.ascontiguousarray(np.pad(table, ((0, 0), (0, width - n_fft))), np.float32)


@lru_cache(maxsize=4)
def _envelope(n_fft: int, hop: int, frames: int, time: int) -> NDArray[np.float32]:
    """Return ``[time]``: 1 over the sum of all squared windows; 0 where there is none."""
    total = np.zeros(max((frames - 1) * hop + n_fft, n_fft // 2 + time))
    for frame in range(frames):
        total[frame * hop : frame * hop + n_fft] += _hann(n_fft) ** 2
    total = total[n_fft // 2 : n_fft // 2 + time]
    return np.where(total > UNSEEN, 1 / np.maximum(total, UNSEEN), 0.0).astype(np.float32)
