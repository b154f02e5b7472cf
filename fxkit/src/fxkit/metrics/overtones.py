"""What distortion adds to a spectrogram, and how much of it a cleaned signal still has."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from fxkit.metrics.energy import decibels
from fxkit.metrics.spectral import CENTRES

__all__ = ["Overtones", "overtones"]

Signal = NDArray[np.floating[Any]]

_LENGTH = 2048  # samples: 46 ms at 44.1 kHz resolves the partials of a chord
_EMPTY = 1e-6  # of the true energy: -60 dB, below which an octave is left out


@dataclass(frozen=True)
class Overtones:
    """Energies relative to that of the true signal, over all or over one octave."""

    added: float
    """What the distorted signal has more than the true one."""
    left: float
    """What the cleaned signal still has more than the true one."""
    lost: float
    """What the cleaned signal has less than the true one."""

    @property
    def removed(self) -> float:
        """By how many dB the surplus went down; negative if it went up; clamped to +-100."""
        return decibels(self.added, self.left)


def overtones(
    distorted: Signal, cleaned: Signal, true: Signal, sample_rate: int
) -> tuple[Overtones, dict[str, Overtones]] | None:
    """Compare three magnitude spectrograms.

    With D, C and T the magnitudes (Hann windows of 2048 samples, a quarter apart), D and C brought
    to the level that fits T best, ``sum D T / sum D^2`` and ``sum C T / sum C^2``::

        added = sum max(D - T, 0)^2 / sum T^2
        left  = sum max(C - T, 0)^2 / sum T^2
        lost  = sum max(T - C, 0)^2 / sum T^2

    Phase does not matter: it is about which partials sound. In an octave all three are relative to
    the true signal's energy at *all* frequencies, since in the octaves that distortion fills the
    true signal often has none.

    Parameters
    ----------
    distorted, cleaned, true
        ``[time]``, of one length.
    sample_rate
        In Hz.

    Returns
    -------
    tuple or None
        Of everything, and by octave band (centre in Hz, ``"63"`` to ``"16000"``); None where a
        signal is silent or too short.
    """
    if len(true) < _LENGTH:
        return None
    frequencies, d = _magnitudes(distorted, sample_rate)
    _, c = _magnitudes(cleaned, sample_rate)
    _, t = _magnitudes(true, sample_rate)
    total = float(np.sum(np.square(t)))
    if not (total > 0 and float(np.sum(np.square(d))) > 0):
        return None
    d, c = _fitted(d, t), _fitted(c, t)
    surpluses = [np.maximum(a - b, 0.0) for a, b in ((d, t), (c, t), (t, c))]
    energies = [np.sum(np.square(s), axis=1) / total for s in surpluses]
    whole = Overtones(*(float(e.sum()) for e in energies))
    octaves = {}
    for nominal in CENTRES:
        exact = 1000.0 * 2.0 ** round(math.log2(nominal / 1000.0))
        inside = (frequencies >= exact / math.sqrt(2)) & (frequencies < exact * math.sqrt(2))
        heard = float(np.sum(np.square(d[inside])) + np.sum(np.square(t[inside])))
        if heard > _EMPTY * total:
            octaves[str(nominal)] = Overtones(*(float(e[inside].sum()) for e in energies))
    return whole, octaves


def _fitted(x: NDArray[np.float64], t: NDArray[np.float64]) -> NDArray[np.float64]:
    power = float(np.sum(np.square(x)))
    return x * (float(np.sum(x * t)) / power) if power > 0 else x


def _magnitudes(x: Signal, sample_rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the frequencies in Hz, and magnitudes ``[bins, frames]``."""
    frequencies, _, spectrum = signal.stft(
        np.nan_to_num(np.asarray(x, np.float64), posinf=0.0, neginf=0.0),
        sample_rate,
        nperseg=_LENGTH,
        noverlap=_LENGTH * 3 // 4,
        boundary=None,
        padded=False,
    )
    return frequencies, np.abs(spectrum)
