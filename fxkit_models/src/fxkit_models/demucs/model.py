"""The model ``demucs``: two U-Nets, what they tell each other, and a correction to the input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from einops import rearrange
from fxkit.search import Choice, Range
from fxkit.window import WindowModel
from torch import Tensor, nn

from fxkit_models.demucs.bottleneck import Exchange, Recurrent, positions
from fxkit_models.demucs.config import FREQ_STRIDE, DemucsConfig
from fxkit_models.demucs.layers import Axis, Decoder, Encoder
from fxkit_models.demucs.spectrum import Spectrum

if TYPE_CHECKING:
    from fxkit.search import Dimension

__all__ = ["Demucs"]

DRY_SCALE = 10.0


class Demucs(WindowModel):
    """A hybrid U-Net on waveform and spectrogram, joined by attention; for taking distortion off.

    A waveform branch that keeps the phase and a spectrogram branch that sees the overtones each go
    down a U-Net, meet at the bottom (recurrent layers, self attention, cross attention both ways)
    and come up again with skip connections. The output is the input at a learned gain that starts
    at 1, plus what the waveform branch makes, plus the inverse transform of what the spectrogram
    branch makes: the network learns a correction. After Défossez, "Hybrid spectrogram and waveform
    source separation", ISMIR MDX 2021, and Rouard et al., "Hybrid transformers for music source
    separation", ICASSP 2023.
    """

    Config: ClassVar[type] = DemucsConfig
    train_defaults: ClassVar[Mapping[str, Any]] = {
        "lr": 2e-3,
        "batch": 2,
        "crop": 1.5,
        "ramp": 0.05,
        "clip": 5.0,
        "ema": 0.995,
        "weight_decay": 1e-3,
    }

    config: DemucsConfig

    def __init__(
        self, config: DemucsConfig, *, sample_rate: int = 44_100, controls: int = 0
    ) -> None:
        window = config.window_samples(sample_rate)
        hop = max(1, round(window * (1.0 - config.overlap)))
        super().__init__(config, sample_rate=sample_rate, controls=controls, window=window, hop=hop)
        # Stored as a tenth: a recording whose polarity is inverted has the gain of its dry part
        # turned from 1 to below 0 in a hundred steps instead of a thousand.
        self.dry = nn.Parameter(torch.full((1,), 1.0 / DRY_SCALE))
        self.spectrum = Spectrum(config.n_fft, config.hop_length)
        self.time_down, self.time_up = _branch(
            config.sizes(config.time_depth),
            1,
            1,
            axis="time",
            stride=config.time_stride,
            memory=config.time_gru,
        )
        self.freq_down, self.freq_up = _branch(
            config.sizes(config.freq_depth), 4, 2, axis="freq", stride=FREQ_STRIDE
        )
        # A convolution does not know at which frequency it is; this tells the first level.
        first = config.sizes(1)[0]
        self.pitch = nn.Parameter(torch.zeros(1, first, self.spectrum.bins // FREQ_STRIDE, 1))
        # At the bottom a moment of the spectrogram is what all its remaining bins say.
        self.bins = self.spectrum.bins // FREQ_STRIDE**config.freq_depth
        deep_time = config.sizes(config.time_depth)[-1]
        deep_freq = config.sizes(config.freq_depth)[-1] * self.bins
        width = config.width
        self.time_in, self.time_out = nn.Linear(deep_time, width), nn.Linear(width, deep_time)
        self.freq_in, self.freq_out = nn.Linear(deep_freq, width), nn.Linear(width, deep_freq)
        self.knobs = nn.Linear(controls, width) if controls else None
        recurrent = config.gru_layers > 0
        self.time_memory = Recurrent(width, config.gru_layers) if recurrent else nn.Identity()
        self.freq_memory = Recurrent(width, config.gru_layers) if recurrent else nn.Identity()
        self.exchanges = nn.ModuleList(
            Exchange(width, config.transformer_heads) for _ in range(config.transformer_layers)
        )
        stride = config.time_stride**config.time_depth
        frames = window // config.hop_length + 1
        for name, moments, spacing in (
            ("time_places", window // stride, stride / window),
            ("freq_places", frames, config.hop_length / window),
        ):
            # Follows from the settings, so it is not saved; as a buffer it follows the device.
            self.register_buffer(name, positions(moments, width, spacing), persistent=False)

    @classmethod
    def search_space(cls) -> dict[str, Dimension]:
        """Return what `fxkit tune` searches."""
        return {
            "channels": Choice((16, 24, 32, 48)),
            "time_depth": Choice((3, 4, 5)),
            "n_fft": Choice((512, 1024, 2048)),
            "gru_layers": Choice((0, 1, 2)),
            "transformer_layers": Choice((0, 1, 2, 4)),
            "train.lr": Range(5e-4, 5e-3, log=True),
            "train.batch": Choice((1, 2, 4, 8)),
        }

    def process(self, x: Tensor, controls: Tensor | None = None) -> Tensor:
        """Clean windows ``[windows, 1, window]``, each for itself; knobs ``[windows, K]``."""
        time, time_skips = self._down(self.time_down, x.unsqueeze(2))
        freq, freq_skips = self._down(self.freq_down, self.spectrum.analyse(x), self.pitch)
        time_told, freq_told = self._meet(
            self.time_in(rearrange(time, "b c 1 t -> b t c")),
            self.freq_in(rearrange(freq, "b c f t -> b t (c f)")),
            controls,
        )
        time = time + rearrange(self.time_out(time_told), "b t c -> b c 1 t")
        freq = freq + rearrange(self.freq_out(freq_told), "b t (c f) -> b c f t", f=self.bins)
        wave = self._up(self.time_up, time, time_skips).squeeze(2)
        picture = self._up(self.freq_up, freq, freq_skips)
        sound = self.spectrum.synthesise(picture, x.shape[-1])
        return DRY_SCALE * self.dry * x + wave.to(x.dtype) + sound.to(x.dtype)

    def _meet(self, time: Tensor, freq: Tensor, controls: Tensor | None) -> tuple[Tensor, Tensor]:
        """Let tokens ``[batch, moments, width]`` of both branches know of each other."""
        time = time + self.get_buffer("time_places")
        freq = freq + self.get_buffer("freq_places")
        if self.knobs is not None and controls is not None:
            turned = self.knobs(controls).unsqueeze(1)
            time, freq = time + turned, freq + turned
        time, freq = self.time_memory(time), self.freq_memory(freq)
        for exchange in self.exchanges:
            time, freq = exchange(time, freq)
        return time, freq

    @staticmethod
    def _down(
        levels: nn.ModuleList, x: Tensor, first: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Go down; return the bottom, and what each level hands across."""
        skips: list[Tensor] = []
        for level in levels:
            x = level(x)
            if first is not None and not skips:
                x = x + first
            skips.append(x)
        return x, skips

    @staticmethod
    def _up(levels: nn.ModuleList, x: Tensor, skips: list[Tensor]) -> Tensor:
        for level, skip in zip(levels, reversed(skips), strict=True):
            x = level(x, skip)
        return x


def _branch(
    sizes: list[int], inputs: int, outputs: int, *, axis: Axis, stride: int, memory: int = 0
) -> tuple[nn.ModuleList, nn.ModuleList]:
    """Return the levels down and, from the bottom, the levels up."""
    down, up = nn.ModuleList(), nn.ModuleList()
    for level, size in enumerate(sizes):
        before = sizes[level - 1] if level else inputs
        down.append(
            Encoder(before, size, axis=axis, stride=stride, dilation=2**level, memory=memory)
        )
        after = sizes[level - 1] if level else outputs
        up.insert(0, Decoder(size, after, axis=axis, stride=stride, last=level == 0, memory=memory))
    return down, up
