"""Where the two domains meet: each remembers, looks around in itself, and asks the other.

A moment of either branch is a token of `width` features, ``[batch, moments, width]``. The branches
need not have equally many; where each lies in time is told to both in the same way.
"""

from __future__ import annotations

import math

import torch
from einops import rearrange
from fxkit.recurrent import gru
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Attention", "Exchange", "Recurrent", "positions"]


def positions(moments: int, width: int, spacing: float) -> Tensor:
    """Return what tells a token its place in time, ``[moments, width]``.

    Sines and cosines (Vaswani et al., "Attention is all you need", 2017) of the time in steps of
    a hundredth of the window, so that equal times look equal in both branches.

    Parameters
    ----------
    spacing
        From one moment to the next, as a share of the window.
    """
    place = torch.arange(moments, dtype=torch.float64)[:, None] * spacing * 100.0
    half = width // 2
    rate = torch.exp(-math.log(1000.0) * torch.arange(half, dtype=torch.float64) / half)
    return torch.cat(((place * rate).sin(), (place * rate).cos()), dim=-1).float()


class Recurrent(nn.Module):
    """GRU layers that run through the window both ways, around which the input is added again.

    Parameters
    ----------
    width
        Features of a moment.
    layers
        How many, one on top of the other.
    hidden
        Units of each direction; half the width by default.
    normalised
        Whether the layers see moments of one level. Not where a moment is a few samples of a
        waveform, whose level is what they have to say.
    """

    def __init__(
        self, width: int, layers: int, *, hidden: int | None = None, normalised: bool = True
    ) -> None:
        super().__init__()
        units = width // 2 if hidden is None else hidden
        sizes = [width] + [2 * units] * (layers - 1)
        self.norm = nn.LayerNorm(width) if normalised else nn.Identity()
        self.forwards = nn.ModuleList(nn.GRU(size, units, batch_first=True) for size in sizes)
        self.backwards = nn.ModuleList(nn.GRU(size, units, batch_first=True) for size in sizes)
        self.units = units
        self.out = nn.Linear(2 * units, width)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape ``[batch, moments, width]``."""
        y = self.norm(x)
        silence = y.new_zeros(1, y.shape[0], self.units)
        for forwards, backwards in zip(self.forwards, self.backwards, strict=True):
            assert isinstance(forwards, nn.GRU)
            assert isinstance(backwards, nn.GRU)
            ahead, _ = gru(y, silence, forwards)
            behind, _ = gru(y.flip(1), silence, backwards)
            y = torch.cat((ahead, behind.flip(1)), dim=-1)
        out: Tensor = self.out(y)
        return x + out


class Attention(nn.Module):
    """Multi-head attention, spelt out, so that every back end that has matrix products runs it."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """Let every token of `x` ask all tokens of `other`; ``[batch, moments of x, width]``."""
        q = rearrange(self.query(x), "b t (h d) -> b h t d", h=self.heads)
        k, v = rearrange(self.key_value(other), "b t (n h d) -> n b h t d", n=2, h=self.heads)
        weights = (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(dim=-1)
        found: Tensor = self.out(rearrange(weights @ v, "b h t d -> b t (h d)"))
        return found


class _Side(nn.Module):
    """One branch's half of an exchange."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))
        self.within = Attention(width, heads)
        self.across = Attention(width, heads)
        self.widen = nn.Linear(width, 2 * width)
        self.narrow = nn.Linear(2 * width, width)

    def look_within(self, x: Tensor) -> Tensor:
        y = self.norms[0](x)
        found: Tensor = self.within(y, y)
        return x + found

    def ask(self, x: Tensor, other: Tensor) -> Tensor:
        x = x + self.across(self.norms[1](x), self.norms[2](other))
        thought: Tensor = self.narrow(functional.gelu(self.widen(self.norms[3](x))))
        return x + thought


class Exchange(nn.Module):
    """Self attention in both branches, then cross attention both ways at once."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.time = _Side(width, heads)
        self.freq = _Side(width, heads)

    def forward(self, time: Tensor, freq: Tensor) -> tuple[Tensor, Tensor]:
        """Keep the shapes ``[batch, moments, width]`` of both branches."""
        time, freq = self.time.look_within(time), self.freq.look_within(freq)
        return self.time.ask(time, freq), self.freq.ask(freq, time)
