"""The two U-Nets: levels that thin a signal out along one axis, and levels that fill it up again.

Both branches are ``[batch, channels, frequency, time]``: the waveform is a picture one bin high
and is thinned out along time, the spectrogram is thinned out along frequency.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from fxkit_models.demucs.bottleneck import Recurrent

__all__ = ["Axis", "Decoder", "Encoder"]

Axis = Literal["time", "freq"]


def _along(axis: Axis, size: int) -> tuple[int, int]:
    return (1, size) if axis == "time" else (size, 1)


def _conv(
    inputs: int,
    outputs: int,
    kernel: tuple[int, int] = (1, 1),
    *,
    gain: float = 2.0,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
    dilation: tuple[int, int] = (1, 1),
) -> nn.Conv2d:
    """Return a convolution whose output is as loud as its input, `gain` making up for what follows.

    There is no normalisation in the branches, so that a quiet passage stays a quiet passage: what
    keeps them in range is how they start (He et al., "Delving deep into rectifiers", ICCV 2015).
    """
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation)
    nn.init.normal_(conv.weight, std=math.sqrt(gain / (inputs * kernel[0] * kernel[1])))
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)
    return conv


class _Residual(nn.Module):
    """A narrow detour over neighbouring moments, added to what came in at a small learned gain."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        narrow = max(4, channels // 4)
        self.look = _conv(
            channels, narrow, (1, 3), padding=(0, dilation), dilation=(1, dilation), gain=2.0
        )
        self.back = _conv(narrow, channels, gain=1.0)
        self.scale = nn.Parameter(torch.full((1, channels, 1, 1), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape ``[batch, channels, frequency, time]``."""
        detour: Tensor = self.back(functional.gelu(self.look(x)))
        return x + self.scale * detour


def _memory(channels: int, units: int) -> Recurrent | None:
    """Return a two-way recurrent layer for the moments of a waveform; None for 0 units."""
    return Recurrent(channels, 1, hidden=units, normalised=False) if units else None


def _remember(memory: Recurrent | None, x: Tensor) -> Tensor:
    """Run it along the time of ``[batch, channels, 1, time]``."""
    if memory is None:
        return x
    remembered: Tensor = memory(rearrange(x, "b c 1 t -> b t c"))
    return rearrange(remembered, "b t c -> b c 1 t")


class Encoder(nn.Module):
    """One level down: a strided convolution, a look at the neighbours, and a gate.

    The level of Demucs (Défossez, "Hybrid spectrogram and waveform source separation", 2021),
    without its normalisation.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        axis: Axis,
        stride: int,
        dilation: int,
        memory: int = 0,
    ) -> None:
        super().__init__()
        self.down = _conv(
            inputs,
            outputs,
            _along(axis, 2 * stride),
            stride=_along(axis, stride),
            padding=(0, stride // 2) if axis == "time" else (stride // 2, 0),
        )
        self.residual = _Residual(outputs, dilation)
        # A gate of a sigmoid near one half leaves three tenths of the energy.
        self.gate = _conv(outputs, 2 * outputs, gain=3.0)
        self.memory = _memory(outputs, memory)

    def forward(self, x: Tensor) -> Tensor:
        """Turn ``[batch, inputs, f, t]`` into ``[batch, outputs, ...]``, thinner along its axis."""
        y = functional.glu(self.gate(self.residual(functional.gelu(self.down(x)))), dim=1)
        return _remember(self.memory, y)


class Decoder(nn.Module):
    """One level up: the skip connection, a gate, and a convolution that fills the gaps.

    Upwards it computes all samples of a gap as channels and lays them side by side (Shi et al.,
    "Real-time single image and video super-resolution", CVPR 2016): like a transposed convolution,
    but without its uneven overlaps, and faster on a processor.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        axis: Axis,
        stride: int,
        last: bool,
        memory: int = 0,
    ) -> None:
        super().__init__()
        self.axis, self.stride, self.last = axis, stride, last
        # Two signals of one loudness meet in the skip connection.
        self.gate = _conv(inputs, 2 * inputs, gain=1.5)
        self.memory = _memory(inputs, memory)
        self.up = _conv(
            inputs,
            outputs * stride,
            _along(axis, 3),
            padding=(0, 1) if axis == "time" else (1, 0),
            # The last level starts next to silent: the model starts as its input.
            gain=1e-4 if last else 2.0,
        )

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Turn ``[batch, inputs, f, t]`` twice into ``[batch, outputs, ...]``, denser."""
        y = self.up(_remember(self.memory, functional.glu(self.gate(x + skip), dim=1)))
        pattern = (
            "b (c s) f t -> b c f (t s)" if self.axis == "time" else "b (c s) f t -> b c (f s) t"
        )
        y = rearrange(y, pattern, s=self.stride)
        return y if self.last else functional.gelu(y)
