"""A simulated analogue drive: gain stage, diode clipper and tone stack, the dry side made wet.

The signal path is that of a classic pedal into an amplifier's tone controls: a coupling capacitor,
a gain stage that lifts the highs (so that the bass does not smear the rest), its supply rails, the
diode clipper of `fxkit.data.synth.clipper`, the tone stack, and an output capacitor. What bends the
signal, the rails and the diodes, runs at eight times the rate. Every filter is recursive and
causal: no sample of the output depends on a later one of the input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from fxkit.data.synth.clipper import RUN_IN, DiodeClipper
from fxkit.data.synth.tone_stack import ToneStack
from fxkit.errors import FxkitError

if TYPE_CHECKING:
    from fxkit.progress import Step

__all__ = ["GAINS", "Level", "drive", "gain_of"]

Array = NDArray[np.float64]
Level = Literal["light", "medium", "heavy"]

GAINS: dict[str, float] = {"light": 10.0, "medium": 24.0, "heavy": 42.0}
"""The drive levels and the gain of their gain stage in dB.

At `light` only the hardest strokes reach the diodes, at `medium` every note does and cleans up as
it dies, at `heavy` the clipper is saturated for seconds.
"""

LOWEST_GAIN, HIGHEST_GAIN = -20.0, 60.0  # dB
OVERSAMPLING = 8
_LEAST_OVERSAMPLED = 300e3  # Hz: low sampling rates are raised by more
_COUPLING = 20.0  # Hz, the corner of the input and output capacitors
_EMPHASIS = 400.0  # Hz: above it the gain stage has its full gain
_EMPHASIS_CUT = 12.0  # dB less gain far below it
_RAIL = 4.5  # volts: the op-amp of a 9 V pedal
_CLIPPED = 0.55  # volts over the diodes at full drive
_OUTPUT = 0.4  # what those become at the output, in full scale, before the tone stack's loss
_CHUNK = 441_000  # input samples at a time: bounds the memory of the oversampled signal


def gain_of(level_or_gain: str | float) -> float:
    """Return the gain in dB of a named level, or the number itself.

    Raises
    ------
    FxkitError
        The name is unknown, or the gain is outside -20..60 dB.
    """
    if isinstance(level_or_gain, str):
        if level_or_gain not in GAINS:
            known = ", ".join(GAINS)
            raise FxkitError(f"unknown drive level {level_or_gain!r}; choose one of {known}")
        return GAINS[level_or_gain]
    gain = float(level_or_gain)
    if not LOWEST_GAIN <= gain <= HIGHEST_GAIN:
        raise FxkitError(
            f"a drive gain of {gain:g} dB is outside {LOWEST_GAIN:g}..{HIGHEST_GAIN:g} dB"
        )
    return gain


def drive(
    audio: NDArray[np.floating],
    sample_rate: int,
    level_or_gain: str | float = "medium",
    *,
    tone: ToneStack | None = None,
    step: Step | None = None,
) -> NDArray[np.float32]:
    """Distort a recording.

    Parameters
    ----------
    audio
        ``[time]``, full scale +-1, which stands for +-1 V at the input.
    sample_rate
        Its rate in Hz.
    level_or_gain
        ``light``, ``medium``, ``heavy``, or the gain of the gain stage in dB (-20..60).
    tone
        The knobs of the tone stack.
    step
        Told of every input sample that is done.

    Returns
    -------
    np.ndarray
        ``[time]``, float32, within +-1.

    Raises
    ------
    FxkitError
        The level is unknown or the gain out of range.
    """
    gain = gain_of(level_or_gain)
    source = np.asarray(audio, np.float64)
    if source.ndim != 1:
        raise ValueError(f"the audio must be [time], not of shape {source.shape}")
    factor = max(OVERSAMPLING, -(-int(_LEAST_OVERSAMPLED) // sample_rate))
    before = _Filter(_gain_stage(gain, sample_rate))
    core = _Clipping(sample_rate, factor)
    after = _Filter(_output_stage(gain, sample_rate, tone or ToneStack()))
    out = np.empty(len(source), np.float32)
    for start in range(0, len(source), _CHUNK):
        chunk = source[start : start + _CHUNK]
        out[start : start + len(chunk)] = after(core(before(chunk)))
        if step is not None:
            step.advance(len(chunk))
    return out


class _Filter:
    """Second-order sections whose state goes on from block to block."""

    def __init__(self, sections: Array) -> None:
        self._sections = sections
        self._state = np.zeros((len(sections), 2))

    def __call__(self, x: Array) -> Array:
        y, self._state = signal.sosfilt(self._sections, x, zi=self._state)
        return np.asarray(y)


class _Clipping:
    """Rails and diodes at a multiple of the sampling rate.

    The band limits before and after are elliptic filters: 0.1 dB up to 0.42 of the rate (18.5 kHz
    at 44.1 kHz), and 90 dB from where an image would fold back below that.
    """

    def __init__(self, sample_rate: int, factor: int) -> None:
        self._factor = factor
        fast = sample_rate * factor
        edge = 0.42 * sample_rate
        order, natural = signal.ellipord(edge, sample_rate - edge, 0.1, 90, fs=fast)
        sections = signal.ellip(order, 0.1, 90, natural, fs=fast, output="sos")
        self._up, self._down = _Filter(sections), _Filter(sections)
        self._clipper = DiodeClipper(fast)
        self._history = np.zeros(RUN_IN)

    def __call__(self, x: Array) -> Array:
        fast = np.zeros(len(x) * self._factor)
        fast[:: self._factor] = x * self._factor
        fast = self._up(fast)
        fast /= _RAIL
        np.tanh(fast, out=fast)
        fast *= _RAIL
        history, self._history = self._history, np.concatenate((self._history, fast))[-RUN_IN:]
        return self._down(self._clipper.solve(fast, history))[:: self._factor]


def _high_pass(corner: float, sample_rate: int) -> Array:
    return np.asarray(signal.butter(1, corner, "high", fs=sample_rate, output="sos"))


def _gain_stage(gain: float, sample_rate: int) -> Array:
    """Coupling capacitor and gain: full above `_EMPHASIS`, `_EMPHASIS_CUT` dB less below."""
    ratio = 10 ** (_EMPHASIS_CUT / 20)
    pole = 2 * np.pi * _EMPHASIS
    b, a = signal.bilinear([1.0, pole / ratio], [1.0, pole], fs=sample_rate)
    shelf = np.array([[b[0], b[1], 0.0, a[0], a[1], 0.0]])
    shelf[:, :3] *= 10 ** (gain / 20)
    return np.concatenate((_high_pass(_COUPLING, sample_rate), shelf))


def _output_stage(gain: float, sample_rate: int, tone: ToneStack) -> Array:
    """Tone stack, output capacitor, and a volume knob set as a player would for that gain."""
    b, a = tone.digital(sample_rate)
    frequencies = np.geomspace(80, 8000, 200)
    _, response = signal.freqz(b, a, worN=frequencies, fs=sample_rate)
    loss = np.abs(response).max()
    volts = _CLIPPED * np.tanh(10 ** (gain / 20))  # about what a hard stroke makes of the diodes
    sections = np.asarray(signal.tf2sos(b, a))
    sections[0, :3] *= _OUTPUT / (volts * loss)
    return np.concatenate((sections, _high_pass(_COUPLING, sample_rate)))
