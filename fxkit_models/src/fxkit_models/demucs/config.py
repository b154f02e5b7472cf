"""The settings of the model ``demucs``."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fxkit.errors import FxkitError
from fxkit.options import option

__all__ = ["FREQ_STRIDE", "DemucsConfig"]

FREQ_STRIDE = 4
"""By how much each level of the spectrogram branch thins out the frequencies."""


@dataclass(frozen=True)
class DemucsConfig:
    """The settings of the model ``demucs``; the names are those of the slides where they have one.

    Raises
    ------
    FxkitError
        If the settings do not fit together, above all if the transform has no inverse.
    """

    channels: int = option(24, "channels of the first level of both branches", low=4, high=1024)
    growth: float = option(1.5, "channels of a level over those of the one before", low=1, high=4)
    time_depth: int = option(4, "levels of the waveform branch", low=1, high=8)
    time_stride: int = option(
        4, "by how much each of them lowers the rate", choices=(2, 4, 8), unit="samples"
    )
    time_gru: int = option(
        0,
        "units of a two-way recurrent layer in every level of the waveform branch; 0 for none",
        low=0,
        high=1024,
    )
    freq_depth: int = option(3, "levels of the spectrogram branch", low=1, high=6)
    n_fft: int = option(1024, "length of the transform", unit="samples", low=16, high=65_536)
    hop_length: int = option(
        256, "samples from one transform to the next, half of n_fft at most", unit="samples", low=1
    )
    width: int = option(96, "features of a moment where the branches meet", low=8, high=4096)
    gru_layers: int = option(
        2, "two-way recurrent layers of each branch; 0 for none", low=0, high=8
    )
    transformer_layers: int = option(
        2, "layers of self and cross attention; 0 for none", low=0, high=24
    )
    transformer_heads: int = option(4, "attention heads; they divide the width", low=1, high=64)
    window: float = option(
        0.75,
        "length of what is processed at once, and so the latency of live use; rounded down to "
        "what the strides divide",
        unit="seconds",
        low=0.005,
        high=60.0,
    )
    overlap: float = option(
        0.25, "share of a window that the next one overlaps and fades into", low=0.0, high=0.9
    )

    def __post_init__(self) -> None:
        n_fft, hop = self.n_fft, self.hop_length
        if 2 * hop > n_fft:
            unseen = (
                f"{1 - n_fft / hop:.0%} of all samples are never seen"
                if hop > n_fft
                else "its windows overlap by less than half"
            )
            raise FxkitError(
                f"model.n_fft={n_fft} with model.hop_length={hop} cannot be turned back into sound "
                f"({unseen}): use n_fft=1024 with hop_length=256, or 2048 with 512"
            )
        unit = 2 * FREQ_STRIDE**self.freq_depth
        if n_fft % unit:
            near = max(1, round(n_fft / unit)) * unit
            raise FxkitError(
                f"model.freq_depth={self.freq_depth} needs a model.n_fft that is a multiple of "
                f"{unit}, not {n_fft}: lower the depth or use n_fft={near}"
            )
        if self.width % 2 or self.width % self.transformer_heads:
            raise FxkitError(
                f"model.width={self.width} must be even and a multiple of "
                f"model.transformer_heads={self.transformer_heads}"
            )

    def window_samples(self, sample_rate: int) -> int:
        """Return the length of a window: a multiple of both branches' strides, one at least.

        Raises
        ------
        FxkitError
            The strides have nothing in common, so that such a multiple is far beyond `window`.
        """
        stride = self.time_stride**self.time_depth
        unit = math.lcm(stride, self.hop_length)
        asked = int(self.window * sample_rate)
        least = -(-self.n_fft // unit) * unit
        if least > max(2 * asked, 4 * self.n_fft):
            raise FxkitError(
                f"model.hop_length={self.hop_length} and the waveform's stride of {stride} samples "
                f"(model.time_stride={self.time_stride} to the power of model.time_depth="
                f"{self.time_depth}) need windows of {least / sample_rate:.3g} s: lower the "
                "depth, or take a hop and a stride of which one is a multiple of the other"
            )
        return max(least, asked // unit * unit)

    def sizes(self, depth: int) -> list[int]:
        """Return the channels of each level of a branch, multiples of 4."""
        return [4 * max(1, round(self.channels * self.growth**level / 4)) for level in range(depth)]
