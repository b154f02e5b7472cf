"""Note attacks in a dry guitar: where the spectrum rises all at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from fxkit.metrics.spectral import Spectra

__all__ = ["Onset", "OnsetDetector", "detect", "is_attack"]

RISE = 3.0
"""Mean rise over the bands, dB, that makes an attack."""
RANGE = 55.0
"""How far below the loudest moment of a band sound still counts, dB."""
APART = 0.05
"""Least time between two attacks, seconds."""
BEFORE, AFTER = 0.005, 0.050
"""An attack lasts from 5 ms before its onset to 50 ms after, seconds."""


@dataclass(frozen=True)
class Onset:
    """The beginning of a note."""

    position: int
    """Samples from the start of the recording."""
    strength: float
    """Mean rise over the bands of the spectrum, dB."""


class OnsetDetector:
    """Finds the note attacks of a recording that arrives in chunks.

    Spectral flux, coarse and robust, says that a note begins: the mean rise over third-octave
    bands, in dB, against the loudest of the neighbouring bands a little earlier, so that a bend or
    vibrato that moves a partial to the next band is no attack (Böck & Widmer, "Maximum filter
    vibrato suppression for onset detection", DAFx 2013). A peak counts where it exceeds the local
    median by `RISE`. A fine envelope then says when, to a millisecond or two: where the energy of
    the slope rises most.

    It keeps about 5 kB for each second, and no audio.

    Parameters
    ----------
    sample_rate
        Hz.
    peak
        The greatest magnitude in the recording, against which silence is judged.
    """

    def __init__(self, sample_rate: int, peak: float) -> None:
        self._rate = sample_rate
        length = 4 * round(0.0058 * sample_rate)
        self._spectra = Spectra(length, 1)
        self._hop = self._spectra.hop
        bins = length // 2 + 1
        top = min(bins - 1, round(10_000 / sample_rate * length))
        edges = np.unique(np.geomspace(2, top, 24).round().astype(int))
        self._edges = edges
        self._floor = max(peak, 1e-9) * 10 ** (-RANGE / 20) * float(self._spectra.window.sum()) / 2
        self._levels: list[NDArray[np.float32]] = []
        self._flux: list[NDArray[np.float32]] = []
        self._grain = max(1, sample_rate // 1000)
        self._envelope: list[NDArray[np.float32]] = []
        self._rest = np.zeros(0, np.float32)
        self._before = 0.0
        self._length = 0

    def push(self, samples: NDArray[np.float32]) -> None:
        """Take the next samples ``[time]``."""
        if not len(samples):
            return
        self._length += len(samples)
        self._follow(self._spectra.push(samples[None].astype(np.float32))[0])
        slope = np.diff(samples, prepend=np.float32(self._before))
        self._before = float(samples[-1])
        slope = np.concatenate([self._rest, np.square(slope)])
        whole = len(slope) // self._grain * self._grain
        self._envelope.append(slope[:whole].reshape(-1, self._grain).mean(axis=1))
        self._rest = slope[whole:]

    def finish(self) -> list[Onset]:
        """Return the attacks, first to last."""
        if not self._length:
            return []
        self._follow(self._spectra.finish()[0])
        flux = np.concatenate(self._flux)
        envelope = np.concatenate([*self._envelope, np.zeros(1, np.float32)])
        frames_apart = max(1, math.ceil(APART * self._rate / self._hop))
        around = 2 * round(0.1 * self._rate / self._hop) + 1
        threshold = scipy.ndimage.median_filter(flux, around, mode="nearest") + RISE
        highest = scipy.ndimage.maximum_filter1d(flux, 2 * frames_apart + 1, mode="nearest")
        onsets: list[Onset] = []
        for frame in np.flatnonzero((flux == highest) & (flux > threshold)):
            # Frame n spans [(n - 3) hop, (n + 1) hop): the rise is seen when it enters the middle.
            position = self._refine(envelope, (int(frame) - 1) * self._hop)
            if not onsets or position - onsets[-1].position >= APART * self._rate:
                onsets.append(Onset(position, float(flux[frame])))
        return onsets

    def _follow(self, spectra: NDArray[np.complex64]) -> None:
        """Turn spectra ``[frames, bins]`` into flux, with the levels of the two frames before."""
        if not len(spectra):
            return
        power = np.square(np.abs(spectra))
        sums = np.add.reduceat(power, self._edges[:-1], axis=1)
        magnitude = np.sqrt(sums)
        now = 20 * np.log10(np.maximum(magnitude, self._floor))
        start = 20 * math.log10(self._floor)
        lag = 2
        if not self._levels:
            self._levels.append(np.full((lag, now.shape[1]), start, np.float32))
        history = np.concatenate([self._levels[-1], now.astype(np.float32)])
        earlier = scipy.ndimage.maximum_filter1d(history[:-lag], 3, axis=1, mode="nearest")
        rise = np.maximum(history[lag:] - earlier, 0.0)
        self._flux.append(rise.mean(axis=1))
        self._levels[-1] = history[-lag:]

    def _refine(self, envelope: NDArray[np.float32], about: int) -> int:
        """Move an onset to where the energy of the slope rises most, within 25 ms."""
        reach, span = 25, 3
        centre = about // self._grain
        floor = 1e-4 * float(envelope[max(0, centre - reach) : centre + 2 * reach].max()) + 1e-20
        best, found = -math.inf, centre
        for at in range(max(0, centre - reach), min(len(envelope), centre + reach + 1)):
            after = float(envelope[at : at + span].mean())
            before = float(envelope[max(0, at - 2 * span) : at].mean()) if at else 0.0
            # The ratio alone favours a rise out of nothing, the difference alone a late maximum.
            rise = math.log((after + floor) / (before + floor)) * math.sqrt(after)
            if rise > best:
                best, found = rise, at
        return min(max(found * self._grain, 0), self._length - 1)


def detect(samples: NDArray[np.float32], sample_rate: int) -> list[Onset]:
    """Return the note attacks of ``[time]`` samples, first to last; none in silence."""
    if not len(samples):
        return []
    peak = float(np.abs(samples).max())
    if peak < 1e-6:
        return []
    detector = OnsetDetector(sample_rate, peak)
    detector.push(samples)
    return detector.finish()


def is_attack(
    positions: NDArray[np.int64], start: int, stop: int, sample_rate: int
) -> NDArray[np.bool_]:
    """Say for each sample from `start` to `stop` whether a note attack is there.

    Parameters
    ----------
    positions
        Of the onsets, samples, rising.
    start, stop
        Samples, counted as `positions` are.

    Returns
    -------
    array
        ``[stop - start]``: true from 5 ms before to 50 ms after an onset.
    """
    before, after = round(BEFORE * sample_rate), round(AFTER * sample_rate)
    result = np.zeros(stop - start, dtype=np.bool_)
    first = int(np.searchsorted(positions, start - after, side="left"))
    last = int(np.searchsorted(positions, stop + before, side="right"))
    for position in positions[first:last]:
        result[max(0, position - before - start) : max(0, position + after - start)] = True
    return result
