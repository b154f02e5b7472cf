"""Finds the delay of the wet side against the clean one, down to a fraction of a sample.

An amp is itself a filter, so the peak of a cross-correlation is no delay: on a real head with its
cabinet it lies many samples late. What is measured here is the delay that remains when the amp's
own filtering is taken away. The linear part of the effect is estimated by averaging spectra over
excerpts (Welch's transfer function, as for a measured impulse response); it is divided by the
minimum-phase filter of the same magnitude, made through the cepstrum (Oppenheim and Schafer,
"Discrete-Time Signal Processing", on minimum-phase and all-pass decomposition); the all-pass that
is left peaks at the pure delay, and the sign of that peak is the polarity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fxkit.data.check import excerpts
from fxkit.data.recording import Recording

__all__ = ["CONFIDENT", "Alignment", "apply", "measure"]

CONFIDENT = 0.5
"""The confidence from which a finding is acted on."""

_Spectrum = npt.NDArray[np.complex128]
_Power = npt.NDArray[np.float64]

_COARSE = 1 << 17  # samples per excerpt of the first pass; finds delays up to a quarter of it
_FINE = 1 << 15  # samples per excerpt of the second
_EXCERPTS = 16, 32  # of the two passes
_FEWEST = 256  # samples per excerpt below which nothing is measured
_HALF = 256  # samples of the amp's response kept on either side of its peak
_PHASE = 8192  # length of the transform that the decomposition works at
_FINER = 8  # positions per sample at which a peak is looked for
_FLOORS = 1e-4, 1e-6  # regularisation of the deconvolution, over the mean power
_AGREE = 16  # samples by which two halves of the excerpts may differ
_SILENT = 1e-12  # power of an excerpt that is left out, over that of the loudest
_PROMINENT = 8.0, 24.0  # peak over the RMS of the response: chance and certainty


@dataclass(frozen=True)
class Alignment:
    """What was found about the timing of a pair.

    Attributes
    ----------
    delay
        By how many samples wet comes after clean; negative if before.
    uncertainty
        In samples; wide where the effect smears the timing itself.
    inverted
        Whether the polarity is turned over. It is left as it is: many amps do so.
    confidence
        0..1, how clearly the two belong together at this delay.
    shift
        The whole samples to remove; 0 unless the delay is certain and larger than its uncertainty.
    """

    delay: float
    uncertainty: float
    inverted: bool
    confidence: float
    shift: int

    def describe(self) -> str:
        """Return the finding in a line."""
        if self.confidence < CONFIDENT:
            return "no common timing found between clean and wet; not shifted"
        where = "after" if self.delay >= 0 else "before"
        polarity = ", polarity inverted" if self.inverted else ""
        action = f"shifted by {self.shift}" if self.shift else "not shifted"
        return (
            f"wet comes {abs(self.delay):.1f} samples {where} clean "
            f"(+-{self.uncertainty:.1f}{polarity}); {action}"
        )


def measure(clean: Recording, wet: Recording) -> Alignment:
    """Measure the delay of `wet` against `clean`, from a bounded number of excerpts.

    Delays of up to about 0.7 s at 44.1 kHz are found, less in recordings shorter than 3 s.
    """
    unknown = Alignment(0.0, float("inf"), inverted=False, confidence=0.0, shift=0)
    frames = min(clean.frames, wet.frames)
    if frames < _FEWEST:
        return unknown
    halves = _average(clean, wet, frames, 0, min(_COARSE, frames), _EXCERPTS[0])
    if not halves:
        return unknown
    coarse = _peak(_response(*_pooled(halves), _FLOORS[0]))[0]
    # Now with excerpts that truly lie over each other, and more of them.
    length = min(_FINE, (frames - abs(coarse)) // 2)
    if length < _FEWEST:
        return unknown
    halves = _average(clean, wet, frames, coarse, length, _EXCERPTS[1])
    if not halves:
        return unknown
    spectra = _pooled(halves)
    found = []
    for floor in _FLOORS:
        response = _response(*spectra, floor)
        peak, prominence = _peak(response)
        found.append((*_excess(response, peak), peak, prominence))
    delay, sign, centre, _, prominence = found[1]
    # The amp's own smear, and what the choice of regularisation does, bound what can be known.
    uncertainty = abs(centre - delay) + abs(found[0][0] - delay)
    chance, certain = _PROMINENT
    confidence = float(np.clip((prominence - chance) / (certain - chance), 0.0, 1.0))
    if sign != found[0][1]:
        confidence *= 0.5
    # A chance peak does not come twice: either half of the excerpts must show it by itself.
    peaks = [_peak(_response(*half, _FLOORS[0]))[0] for half in halves]
    if len(peaks) < 2 or abs(peaks[0] - peaks[1]) > _AGREE:
        confidence = 0.0
    delay += coarse
    shift = 0
    if confidence >= CONFIDENT and abs(delay) > 2.0 * uncertainty + 0.5:
        # Rather too little than too much: wet must never come before the clean that causes it.
        shift = round(delay - uncertainty)
    return Alignment(delay, uncertainty, sign < 0, confidence, shift)


def apply(clean: Recording, wet: Recording, shift: int) -> tuple[Recording, Recording]:
    """Move wet earlier by `shift` samples (later if negative) and cut both to what they share."""
    frames = min(clean.frames, wet.frames)
    count = max(0, frames - abs(shift))
    first, second = max(0, -shift), max(0, shift)
    first, second = min(first, frames), min(second, frames)
    return clean.part(first, first + count), wet.part(second, second + count)


def _average(
    clean: Recording, wet: Recording, frames: int, delay: int, length: int, count: int
) -> list[tuple[_Spectrum, _Power]]:
    """Return the cross spectrum and the power spectrum of the clean side, for either half.

    The halves are the excerpts of even and of odd number; one without any sound is missing.

    Every excerpt is weighted by the inverse of its level: pauses, where only the noise of the
    guitar goes through the amp, show its response better than notes do, which fill few frequencies
    and are distorted.
    """
    window = np.hanning(length)
    offset = max(0, -delay)
    pairs = []
    for start, stop in excerpts(frames - abs(delay), length, count):
        if stop - start < length:
            continue
        x = clean.read(start + offset, stop + offset) * window
        y = wet.read(start + offset + delay, stop + offset + delay) * window
        pairs.append((x, y, float(np.vdot(x, x)), float(np.vdot(y, y))))
    loudest = max((pair[2] for pair in pairs), default=0.0)
    halves = []
    for first in (0, 1):
        cross = np.zeros(length + 1, np.complex128)
        power = np.zeros(length + 1)
        for x, y, x_energy, y_energy in pairs[first::2]:
            if x_energy > _SILENT * loudest and y_energy > 0.0:
                # Twice the length: a delay must not wrap round.
                x_spectrum, y_spectrum = np.fft.rfft(x, 2 * length), np.fft.rfft(y, 2 * length)
                cross += np.conj(x_spectrum) * y_spectrum / np.sqrt(x_energy * y_energy)
                power += np.square(np.abs(x_spectrum)) / x_energy
        if power.any() and cross.any():
            halves.append((cross, power))
    return halves


def _pooled(halves: Sequence[tuple[_Spectrum, _Power]]) -> tuple[_Spectrum, _Power]:
    """Return the spectra of all excerpts together."""
    cross, power = halves[0]
    for more_cross, more_power in halves[1:]:
        cross, power = cross + more_cross, power + more_power
    return cross, power


def _response(cross: _Spectrum, power: _Power, floor: float) -> _Power:
    """Return the impulse response of the effect's linear part, negative times at the end."""
    response: _Power = np.fft.irfft(cross / (power + floor * power.mean()))
    return response


def _peak(response: _Power) -> tuple[int, float]:
    """Return where the response peaks, in samples, and by how much it stands out."""
    size = len(response)
    near = np.r_[response[: size // 4], response[-(size // 4) :]]
    at = int(np.argmax(np.abs(near)))
    position = at if at < size // 4 else at - len(near)
    rest = np.abs(np.arange(len(near)) - at) > 64
    rms = float(np.sqrt(np.mean(np.square(near[rest])))) if rest.any() else 0.0
    return position, float(abs(near[at])) / (rms + 1e-12)


def _excess(response: _Power, peak: int) -> tuple[float, float, float]:
    """Return the pure delay around `peak`, its sign, and the position of the peak itself."""
    half = min(_HALF, len(response) // 4)
    around = np.arange(peak - half, peak + half)
    kept = response[around % len(response)] * np.hanning(2 * half)
    spectrum = np.fft.rfft(kept, _PHASE)
    magnitude = np.abs(spectrum)
    cepstrum = np.fft.irfft(np.log(np.maximum(magnitude, 1e-3 * magnitude.max())))
    cepstrum[1 : _PHASE // 2] *= 2.0
    cepstrum[_PHASE // 2 + 1 :] = 0.0
    minimum_phase = np.exp(np.fft.rfft(cepstrum))
    # Weighted by power: where the guitar has no energy, the phase is noise.
    all_pass = spectrum / minimum_phase * np.square(magnitude)
    delay, sign = _fine_peak(all_pass)
    centre, _ = _fine_peak(spectrum)
    origin = peak - half
    return delay + origin, sign, centre + origin


def _fine_peak(spectrum: Sequence[complex] | _Spectrum) -> tuple[float, float]:
    """Return where the signal of a spectrum peaks, to a fraction of a sample, and the sign."""
    signal = np.fft.irfft(spectrum, _FINER * _PHASE)
    at = int(np.argmax(np.abs(signal)))
    before, top, after = (float(abs(signal[(at + i) % len(signal)])) for i in (-1, 0, 1))
    bend = before - 2.0 * top + after
    fraction = 0.5 * (before - after) / bend if bend < 0.0 else 0.0
    position = at if at < len(signal) // 2 else at - len(signal)
    return (position + fraction) / _FINER, float(np.sign(signal[at]))
