"""Metrics of spectra: the multi-resolution STFT distance and the error by octave band."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import NDArray

from fxkit.metrics.energy import decibels

__all__ = ["MultiResolution", "OctaveBands", "Spectra", "mrstft", "octave_bands"]

Signal = NDArray[np.floating[Any]]

RESOLUTIONS = (512, 1024, 2048)
FLOOR = 1e-4
"""Magnitude (-80 dB re a full-scale sine) below which a bin hardly counts in a log magnitude."""

CENTRES = (63, 125, 250, 500, 1000, 2000, 4000, 8000, 16_000)
"""Nominal centres of the octave bands (IEC 61260-1), Hz; the exact ones are 1000 * 2^n."""

EMPTY = 1e-10
"""A band with less than this share (-100 dB) of the target's energy is left out."""


class Spectra:
    """The short-time spectra of a signal that arrives in chunks of any length.

    A Hann window of `length`, a quarter of it from frame to frame. The ends are padded with
    silence so that every sample is in four frames: the squared windows then add up to a constant,
    and the energy of all bins is the energy of the signal, at the ends too.

    Parameters
    ----------
    length
        Of the transform, samples; divisible by 4.
    channels
        How many signals walk in step.
    """

    def __init__(self, length: int, channels: int) -> None:
        self.length = length
        self.hop = length // 4
        window = scipy.signal.get_window("hann", length)
        self.window = window.astype(np.float32)
        self.channels = channels
        self._pending = self._silence()

    def push(self, signals: NDArray[np.float32]) -> NDArray[np.complex64]:
        """Take the next ``[channels, time]``; return the spectra ``[channels, frames, bins]``."""
        self._pending = np.concatenate([self._pending, signals], axis=1)
        count = max(0, (self._pending.shape[1] - self.length) // self.hop + 1)
        if count == 0:
            return np.zeros((self.channels, 0, self.length // 2 + 1), np.complex64)
        frames = np.lib.stride_tricks.sliding_window_view(self._pending, self.length, axis=1)
        spectra: NDArray[np.complex64] = scipy.fft.rfft(
            frames[:, : count * self.hop : self.hop] * self.window, axis=-1
        )
        self._pending = self._pending[:, count * self.hop :].copy()
        return spectra

    def finish(self) -> NDArray[np.complex64]:
        """Return the last spectra, and be ready for another signal."""
        # Whole hops, so that the last sample too is in four frames.
        beyond = -self._pending.shape[1] % self.hop
        spectra = self.push(np.zeros((self.channels, beyond + 3 * self.hop), np.float32))
        self._pending = self._silence()
        return spectra

    def _silence(self) -> NDArray[np.float32]:
        return np.zeros((self.channels, 3 * self.hop), np.float32)


class _Accumulator:
    """Feeds the spectra of estimate and target, chunk by chunk, to `_count`."""

    def __init__(self, length: int) -> None:
        self._spectra = Spectra(length, 2)

    def add(self, estimate: Signal, target: Signal) -> None:
        """Add the next samples of both, ``[time]``."""
        self._feed(self._spectra.push(np.stack([estimate, target]).astype(np.float32)))

    def finish(self) -> None:
        """End one recording; another may follow and is pooled with it."""
        self._feed(self._spectra.finish())

    def _feed(self, spectra: NDArray[np.complex64]) -> None:
        if spectra.shape[1]:
            self._count(spectra[0], spectra[1])

    def _count(self, estimate: NDArray[np.complex64], target: NDArray[np.complex64]) -> None:
        raise NotImplementedError


class _Resolution(_Accumulator):
    """One resolution of the multi-resolution STFT distance."""

    def __init__(self, length: int) -> None:
        super().__init__(length)
        # So that a full-scale sine on a bin reads 1.
        self._scale = np.float32(2.0 / self._spectra.window.sum(dtype=np.float64))
        self._difference = self._norm = self._log = 0.0
        self._bins = 0

    def _count(self, estimate: NDArray[np.complex64], target: NDArray[np.complex64]) -> None:
        e, t = np.abs(estimate) * self._scale, np.abs(target) * self._scale
        self._difference += float(np.sum(np.square(t - e), dtype=np.float64))
        self._norm += float(np.sum(np.square(t), dtype=np.float64))
        logs = np.abs(np.log((t + np.float32(FLOOR)) / (e + np.float32(FLOOR))))
        self._log += float(np.sum(logs, dtype=np.float64))
        self._bins += t.size

    def result(self) -> float | None:
        if self._norm <= 1e-16 * self._bins:
            return None
        return math.sqrt(self._difference / self._norm) + self._log / self._bins


class MultiResolution:
    """The multi-resolution STFT distance of recordings that arrive in chunks; see `mrstft`."""

    def __init__(self) -> None:
        self._resolutions = [_Resolution(length) for length in RESOLUTIONS]

    def add(self, estimate: Signal, target: Signal) -> None:
        """Add the next samples of both, ``[time]``."""
        for resolution in self._resolutions:
            resolution.add(estimate, target)

    def finish(self) -> None:
        """End one recording; another may follow and is pooled with it."""
        for resolution in self._resolutions:
            resolution.finish()

    def result(self) -> float | None:
        """Return the distance; None where the target is silent."""
        values = [resolution.result() for resolution in self._resolutions]
        defined = [value for value in values if value is not None]
        return sum(defined) / len(defined) if len(defined) == len(values) else None


class OctaveBands(_Accumulator):
    """The error by octave band of recordings that arrive in chunks; see `octave_bands`."""

    def __init__(self, sample_rate: int) -> None:
        # About a fifth of a second: six bins or more in the lowest band.
        length = 4 * scipy.fft.next_fast_len(math.ceil(0.18 * sample_rate / 4), real=True)
        super().__init__(length)
        frequencies = np.arange(length // 2 + 1) * (sample_rate / length)
        self._bands: dict[str, NDArray[np.bool_]] = {}
        for nominal in CENTRES:
            exact = 1000.0 * 2.0 ** round(math.log2(nominal / 1000.0))
            inside = (frequencies >= exact / math.sqrt(2)) & (frequencies < exact * math.sqrt(2))
            if exact < sample_rate / 2:
                self._bands[str(nominal)] = inside
        self._error = np.zeros(length // 2 + 1)
        self._target = np.zeros(length // 2 + 1)

    def _count(self, estimate: NDArray[np.complex64], target: NDArray[np.complex64]) -> None:
        self._error += np.sum(np.square(np.abs(target - estimate)), axis=0, dtype=np.float64)
        self._target += np.sum(np.square(np.abs(target)), axis=0, dtype=np.float64)

    def result(self) -> dict[str, float]:
        """Return band -> error over target energy in dB, of the bands that are not empty."""
        total = float(self._target.sum())
        result = {}
        for name, inside in self._bands.items():
            target = float(self._target[inside].sum())
            if target > EMPTY * total:
                result[name] = decibels(float(self._error[inside].sum()), target)
        return result


def mrstft(estimate: Signal, target: Signal) -> float | None:
    """Return the multi-resolution STFT distance: 0 or above, 0 for equal magnitudes.

    Spectral convergence ``||T - E|| / ||T||`` plus the mean of ``|ln(T + f) - ln(E + f)|``, with E
    and T the magnitude spectrograms, scaled so that a full-scale sine reads 1, and f = 1e-4; the
    mean of the resolutions 512, 1024 and 2048 (Hann, hop a quarter). Norms and means run over the
    whole recording. Blind to phase and polarity. None where the target is silent.
    Yamamoto, Song & Kim, "Parallel WaveGAN", ICASSP 2020, equations 4 to 6.
    """
    distance = MultiResolution()
    distance.add(estimate, target)
    distance.finish()
    return distance.result()


def octave_bands(estimate: Signal, target: Signal, sample_rate: int) -> dict[str, float]:
    """Return the energy of the error over that of the target, in dB, octave by octave.

    Keys are the bands' centres in Hz, ``"63"`` to ``"16000"``, as far as the rate reaches; values
    are clamped to +-100. A band in which the target has less than a 1e-10 th of its energy is left
    out: nothing is there to be met.
    """
    bands = OctaveBands(sample_rate)
    bands.add(estimate, target)
    bands.finish()
    return bands.result()
