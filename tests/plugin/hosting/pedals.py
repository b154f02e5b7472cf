"""pedalboard, with what it does not do by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .signals import Samples

PRIME = 16
"""Samples of silence; pedalboard takes shorter stereo signals for mono ones."""


def play(plugin: Any, x: Samples, rate: int, *, block: int = 512) -> Samples:
    """Play ``[channels, frames]`` from the start, in blocks of one size; no latency is left."""
    # JUCE's hosts ask for the latency before they prepare the plug-in for another rate, and hear of
    # the new one when there is a message loop, or here when they prepare it once more.
    plugin.process(np.zeros((len(x), PRIME), np.float32), rate, buffer_size=block)
    out: Samples = plugin.process(x, rate, buffer_size=block)
    assert out.shape == x.shape
    return out


def stream(plugin: Any, x: Samples, rate: int, sizes: Iterable[int]) -> Samples:
    """Play it in blocks of these sizes, which must fall; the latency is left in.

    pedalboard prepares the plug-in afresh for a block that is longer than the one before. It leaves
    out as many samples at the start as the plug-in is late: silence is put there.
    """
    parts: list[Samples] = []
    at, before = 0, 1 << 20
    for size in sizes:
        assert 2 < size <= before, "pedalboard takes shorter stereo signals for mono ones"
        if at == 0:
            plugin.process(np.zeros((len(x), size), np.float32), rate, buffer_size=size)
            plugin.reset()
        block = x[:, at : at + size]
        parts.append(plugin.process(block, rate, buffer_size=size, reset=False))
        at, before = at + size, size
        if at >= x.shape[1]:
            break
    out = np.concatenate([part for part in parts if part.size], axis=1)
    late = np.zeros((len(x), min(at, x.shape[1]) - out.shape[1]), np.float32)
    return np.concatenate((late, out), axis=1)
