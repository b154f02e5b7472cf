"""How loud a signal is to an ear: the K-weighted level of ITU-R BS.1770-4, without gating."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

__all__ = ["loudness"]

SILENCE = -120.0
"""Returned for silence, dB."""


def loudness(samples: NDArray[np.float32], sample_rate: int) -> float:
    """Return the loudness of a mono signal ``[time]`` in LUFS, at least -120.

    BS.1770 gives its two filters as coefficients for 48 kHz. Here they are made for any rate from
    the analogue filters behind those coefficients: a shelf of 4 dB above about 1.7 kHz (the head)
    and a high-pass at 38 Hz. Gates are left out, because passages of the same length and content
    are compared.
    """
    if not samples.size:
        return SILENCE
    weighted = samples.astype(np.float64)
    for b, a in (_shelf(sample_rate), _high_pass(sample_rate)):
        weighted = lfilter(b, a, weighted)
    energy = float(np.mean(np.square(weighted)))
    return max(SILENCE, -0.691 + 10 * math.log10(energy)) if energy > 0 else SILENCE


def _shelf(sample_rate: int) -> tuple[list[float], list[float]]:
    frequency, gain, q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
    k = math.tan(math.pi * min(frequency / sample_rate, 0.45))
    high = 10 ** (gain / 20)
    middle = high**0.4996667741545416
    b = [high + middle * k / q + k * k, 2 * (k * k - high), high - middle * k / q + k * k]
    return b, _denominator(k, q)


def _high_pass(sample_rate: int) -> tuple[list[float], list[float]]:
    frequency, q = 38.13547087602444, 0.5003270373238773
    k = math.tan(math.pi * frequency / sample_rate)
    a = _denominator(k, q)
    return [a[0], -2 * a[0], a[0]], a


def _denominator(k: float, q: float) -> list[float]:
    return [1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k]
