"""Metrics that follow from sums over samples: ESR, DC, SI-SDR and the best gain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CLAMP_DB", "PRE_EMPHASIS", "Sums", "best_gain", "dc", "esr", "pre_emphasis", "si_sdr"]

Signal = NDArray[np.floating[Any]]

PRE_EMPHASIS = 0.85
"""The coefficient of the pre-emphasis filter, as in Wright & Välimäki 2020."""

CLAMP_DB = 100.0
"""Ratios in dB are clamped to +- this: beyond it lies the rounding of float32 audio."""

SILENCE = 1e-16
"""Mean square (-160 dB re full scale) up to which a signal counts as silent."""


@dataclass
class Sums:
    """What the metrics of this module need to know of a recording, summed in float64.

    Sums of parts add up to the sums of the whole, so a ratio of them is pooled: the quiet parts
    weigh as little as they sound.
    """

    count: int = 0
    estimate: float = 0.0
    """Sum of squares of the estimate."""
    target: float = 0.0
    """Sum of squares of the target."""
    product: float = 0.0
    """Sum of estimate times target."""
    error: float = 0.0
    """Sum of squares of the error, summed for itself: the other three would cancel."""
    offset: float = 0.0
    """Sum of the error."""

    def add(self, estimate: Signal, target: Signal) -> None:
        """Add the next samples of both, ``[time]``."""
        e, t = _pair(estimate, target)
        difference = e - t
        self.count += len(e)
        self.estimate += float(e @ e)
        self.target += float(t @ t)
        self.product += float(e @ t)
        self.error += float(difference @ difference)
        self.offset += float(difference.sum())

    def esr(self) -> float | None:
        """Return the error-to-signal ratio; None where the target is silent."""
        return None if self._silent(self.target) else self.error / self.target

    def dc(self) -> float | None:
        """Return the squared mean error over the target's mean square."""
        if self._silent(self.target):
            return None
        return self.offset**2 / self.count / self.target

    def si_sdr(self) -> float | None:
        """Return the scale-invariant SDR in dB; None where one of the two is silent."""
        if self._silent(self.target) or self._silent(self.estimate):
            return None
        cosine = self.product**2 / (self.estimate * self.target)
        return decibels(cosine, 1.0 - cosine)

    def best_gain(self) -> float:
        """Return the gain of the estimate that makes the squared error least."""
        return 0.0 if self._silent(self.estimate) else self.product / self.estimate

    def _silent(self, energy: float) -> bool:
        return energy <= SILENCE * self.count


def decibels(numerator: float, denominator: float) -> float:
    """Return the ratio of two energies in dB, clamped to +-`CLAMP_DB`; 0 over 0 is 0 dB."""
    numerator, denominator = max(numerator, 0.0), max(denominator, 0.0)
    if numerator == denominator:
        return 0.0
    if numerator == 0.0 or denominator == 0.0:
        return -CLAMP_DB if numerator == 0.0 else CLAMP_DB
    ratio = 10.0 * (math.log10(numerator) - math.log10(denominator))
    return min(max(ratio, -CLAMP_DB), CLAMP_DB)


def esr(estimate: Signal, target: Signal) -> float | None:
    """Return the error-to-signal ratio, ``sum (t - e)^2 / sum t^2``.

    0 is perfect, 1 is as bad as silence, 4 is the target with its polarity inverted. None where
    the target is silent.
    """
    return _sums(estimate, target).esr()


def dc(estimate: Signal, target: Signal) -> float | None:
    """Return the offset, ``(mean (t - e))^2 / mean t^2``: 0 or above; None on a silent target.

    Wright & Välimäki, "Perceptual loss function for neural modeling of audio systems", 2020.
    """
    return _sums(estimate, target).dc()


def si_sdr(estimate: Signal, target: Signal) -> float | None:
    """Return the scale-invariant signal-to-distortion ratio in dB, clamped to +-100.

    ``10 log10(|a t|^2 / |e - a t|^2)`` with ``a = <e, t> / <t, t>``: the part of the estimate
    that is the target at some gain, of either sign, over the rest. None where one is silent.
    No mean is taken away. Le Roux et al., "SDR - half-baked or well done?", ICASSP 2019.
    """
    return _sums(estimate, target).si_sdr()


def best_gain(signal: Signal, target: Signal) -> float:
    """Return the gain g that makes ``sum (t - g s)^2`` least; 0 for a silent signal.

    It is negative where the two have opposite polarity.
    """
    return _sums(signal, target).best_gain()


def pre_emphasis(
    signal: Signal, coefficient: float = PRE_EMPHASIS, before: float | None = None
) -> NDArray[np.float64]:
    """Weigh treble up and bass down: ``y[i] = x[i] - coefficient * x[i-1]``.

    Parameters
    ----------
    signal
        ``[time]``.
    coefficient
        0 leaves the signal as it is, 1 takes its slope.
    before
        The sample before the first one. None where it is unknown: the result is then one sample
        shorter, so that the edge of a recording adds no click.
    """
    x = np.asarray(signal, dtype=np.float64)
    if before is not None:
        x = np.concatenate(([before], x))
    result: NDArray[np.float64] = x[1:] - coefficient * x[:-1]
    return result


def _sums(estimate: Signal, target: Signal) -> Sums:
    sums = Sums()
    sums.add(estimate, target)
    return sums


def _pair(estimate: Signal, target: Signal) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    e, t = np.asarray(estimate, dtype=np.float64), np.asarray(target, dtype=np.float64)
    if e.ndim != 1 or e.shape != t.shape:
        raise ValueError(f"two [time] arrays of one length are needed, not {e.shape} and {t.shape}")
    return e, t
