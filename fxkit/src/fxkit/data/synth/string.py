"""One plucked string: a digital waveguide with the losses, stiffness and tuning of a real one.

The loop is the extended Karplus-Strong algorithm (Jaffe and Smith, "Extensions of the
Karplus-Strong plucked-string algorithm", Computer Music Journal 7(2), 1983): a delay of one period
whose output is filtered and fed back. A one-pole filter sets how fast the fundamental and the highs
die, all-pass filters make the string stiff, and Lagrange interpolation tunes the delay to a
fraction of a sample (Laakso et al., "Splitting the unit delay", IEEE SPM 13(1), 1996). Pick and
pickup positions are combs. Because the loop is longer than what its filters reach back to, it runs
a period at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

__all__ = ["Loop", "Pluck", "loop_for", "pluck"]

Array = NDArray[np.float64]

_BRIGHT = 4000.0  # Hz: where the decay of the highs is stated
_LAGRANGE = 5  # the order of the interpolation; flat to a quarter of the rate


@dataclass(frozen=True)
class Loop:
    """How a string loses energy.

    Parameters
    ----------
    decay, bright_decay
        Seconds in which the lowest partials, and those around 4 kHz, fall by 60 dB.
    stiffness
        The coefficient of the all-pass filters, 0 (flexible) to 0.8 (a thick wound string).
    """

    decay: float
    bright_decay: float
    stiffness: float = 0.0

    def filter(self, frequency: float, sample_rate: int) -> tuple[Array, Array]:
        """Return the loop filter b, a for a string of that pitch in Hz."""
        low = 10 ** (-3 / (frequency * self.decay))
        high = 10 ** (-3 / (frequency * min(self.bright_decay, self.decay)))
        # |g (1 - d) / (1 - d z^-1)| = high at _BRIGHT: a quadratic in d with roots d and 1 / d.
        cosine = np.cos(2 * np.pi * min(_BRIGHT, 0.4 * sample_rate) / sample_rate)
        ratio = (high / low) ** 2
        half = (1 - ratio * cosine) / max(1 - ratio, 1e-12)
        d = half - np.sqrt(max(half * half - 1, 0.0))
        b, a = np.array([low * (1 - d)]), np.array([1.0, -d])
        if self.stiffness:
            s = -self.stiffness
            for _ in range(2):
                b, a = np.convolve(b, [s, 1.0]), np.convolve(a, [1.0, s])
        return b, a


def loop_for(string: int, fret: float, mute: float = 0.0) -> Loop:
    """Return the losses of a fretted string.

    Parameters
    ----------
    string
        0 for the lowest, wound one, to 5 for the highest, plain one.
    fret
        0 for the open string; the shorter and fretted string dies sooner.
    mute
        How firmly the palm rests on it, 0..1.
    """
    fretted = 0.75 if fret > 0 else 1.0
    decay = (9.0 - 0.7 * string) * fretted * 2 ** (-fret / 16)
    bright = (1.1 + 0.12 * string) * fretted * 2 ** (-fret / 20)
    if mute:
        decay *= (0.045 / 1.0) ** (0.5 + 0.5 * mute)
        bright *= 0.06 ** (0.4 + 0.6 * mute)
    return Loop(decay, bright, stiffness=(0.6, 0.55, 0.5, 0.35, 0.35, 0.3)[string])


@dataclass(frozen=True)
class Pluck:
    """One stroke on one string.

    Parameters
    ----------
    frequency
        The pitch in Hz: one number, or one per sample for bends and vibrato.
    seconds
        How long the string rings before it is damped.
    loop
        Its losses.
    strength
        0..1, how hard: louder and brighter.
    position
        Where it is picked, as a fraction of its length from the bridge.
    pick_noise
        The level of the pick's scrape against the stroke, 0..1.
    """

    frequency: float | Array
    seconds: float
    loop: Loop
    strength: float = 0.7
    position: float = 0.13
    pick_noise: float = 0.1


_DAMPED = Loop(0.12, 0.03)
_DAMPED_SECONDS = 0.12


def pluck(stroke: Pluck, sample_rate: int, rng: np.random.Generator) -> Array:
    """Return the string's velocity wave, ``[time]``, of about +-`strength`."""
    pitch = np.atleast_1d(np.asarray(stroke.frequency, np.float64))
    held = max(round(stroke.seconds * sample_rate), 1)
    total = held + round(_DAMPED_SECONDS * sample_rate)
    base = float(pitch[0])
    period = sample_rate / base
    out = np.zeros(total)
    start = _excitation(stroke, period, sample_rate, rng)[:total]
    out[: len(start)] = start
    ringing = stroke.loop.filter(base, sample_rate)
    if len(pitch) == 1:
        _ring(out, 0, held, ringing, period, base, sample_rate)
        last = base
    else:
        curve = np.pad(pitch[:held], (0, max(held - len(pitch), 0)), mode="edge")
        _ring_bent(out, curve, ringing, sample_rate)
        last = float(curve[-1])
    damped = Loop(_DAMPED.decay, _DAMPED.bright_decay, stroke.loop.stiffness)
    _ring(out, held, total, damped.filter(last, sample_rate), sample_rate / last, last, sample_rate)
    fade = min(round(0.01 * sample_rate), total)
    out[-fade:] *= np.linspace(1, 0, fade)
    return out


def _excitation(stroke: Pluck, period: float, sample_rate: int, rng: np.random.Generator) -> Array:
    """Return the velocity that the pick gives the string, before it has gone round once."""
    # A hard stroke leaves the string in a third of a millisecond, a soft one in a whole one.
    width = max(round((1.1 - 0.85 * stroke.strength) * 1e-3 * sample_rate), 3)
    pulse = np.hanning(width + 2)[1:-1]
    pulse /= pulse.sum()
    scrape = rng.standard_normal(max(round(0.004 * sample_rate), 8))
    scrape *= np.exp(-np.linspace(0, 5, len(scrape))) * stroke.pick_noise * 0.06
    travel = stroke.position * period
    force = np.zeros(round(period) + len(scrape) + width + 2)
    force[:width] += pulse
    force[: len(scrape)] += scrape
    force -= _delayed(force, travel)
    # Integrated, with a slow leak, the two pulses become the velocity wave of a picked string.
    leak = np.exp(-2 * np.pi * 0.25 / period)
    return np.asarray(stroke.strength * signal.lfilter([1.0], [1.0, -leak], force))


def _delayed(x: Array, delay: float) -> Array:
    whole = int(delay)
    part = delay - whole
    later = np.zeros_like(x)
    later[whole:] = (1 - part) * x[: len(x) - whole]
    later[whole + 1 :] += part * x[: len(x) - whole - 1]
    return later


def _phase_delay(filter_: tuple[Array, Array], frequency: float, sample_rate: int) -> float:
    """Return the delay in samples of b, a for a sine of that frequency in Hz."""
    omega = 2 * np.pi * frequency / sample_rate
    z = np.exp(-1j * omega)
    b, a = filter_
    response = np.polyval(b[::-1], z) / np.polyval(a[::-1], z)
    return float(-np.angle(response) / omega)


def _lagrange(delay: Array) -> Array:
    """Return the taps ``[..., order + 1]`` that delay by `delay`, best near half the order."""
    nodes = np.arange(_LAGRANGE + 1)
    taps = np.ones((*np.shape(delay), _LAGRANGE + 1))
    for tap in nodes:
        for other in nodes:
            if other != tap:
                taps[..., tap] *= (delay - other) / (tap - other)
    return taps


def _ring(
    out: Array,
    start: int,
    stop: int,
    filter_: tuple[Array, Array],
    period: float,
    frequency: float,
    sample_rate: int,
) -> None:
    """Let the string go round from `start` to `stop`, at one pitch, adding to what is in `out`."""
    b, a = filter_
    delay = period - _phase_delay(filter_, frequency, sample_rate)
    whole = int(delay - (_LAGRANGE - 1) / 2)
    taps = np.convolve(_lagrange(np.array(delay - whole)), b)
    state = np.zeros(max(len(taps), len(a)) - 1)
    if start:  # fill the filter with what came round just before
        past = out[max(start - whole - 64, 0) : max(start - whole, 0)]
        state = signal.lfilter(taps, a, past, zi=state)[1]
    for n in range(start, stop, whole):
        count = min(whole, stop - n)
        came = out[max(n - whole, 0) : max(n - whole + count, 0)]
        if len(came) == count:
            back, state = signal.lfilter(taps, a, came, zi=state)
            out[n : n + count] += back


def _ring_bent(out: Array, pitch: Array, filter_: tuple[Array, Array], sample_rate: int) -> None:
    """As `_ring` from the start, at a pitch in Hz that is given for every sample."""
    b, a = filter_
    bend = np.linspace(pitch.min(), pitch.max(), 5)
    loops = [_phase_delay(filter_, float(f), sample_rate) for f in bend]
    delay = sample_rate / pitch - np.interp(pitch, bend, loops)
    whole = np.floor(delay - (_LAGRANGE - 1) / 2).astype(np.intp)
    taps = _lagrange(delay - whole)
    # Sample n reads out[n - whole - k] for the taps k; the padding stands for the time before.
    lead = int(whole.max()) + _LAGRANGE + 1
    padded = np.concatenate((np.zeros(lead), out))
    state = np.zeros(max(len(b), len(a)) - 1)
    hop = int(whole.min())
    reach = np.arange(_LAGRANGE + 1)
    for n in range(0, len(pitch), hop):
        stop = min(n + hop, len(pitch))
        where = (np.arange(n, stop) - whole[n:stop] + lead)[:, None] - reach
        came = np.einsum("tk,tk->t", padded[where], taps[n:stop])
        back, state = signal.lfilter(b, a, came, zi=state)
        padded[lead + n : lead + stop] += back
    out[:] = padded[lead:]
