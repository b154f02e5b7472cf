"""The four things to hear, matched in loudness and packed into the page."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
import soundfile
from numpy.typing import NDArray

from fxkit.report.loudness import SILENCE, loudness

__all__ = ["Track", "pack", "residual"]

Samples = NDArray[np.float32]

MOST_SECONDS = 12.0
MOST_BYTES = 2_700_000
"""Of all tracks together, before base64 adds a third: the page should stay an e-mail attachment."""
PEAK = 0.97
QUIETEST = -30.0
"""LUFS that the common loudness is not lowered below for the sake of one signal's peaks."""


@dataclass(frozen=True)
class Track:
    """One signal, ready to be played."""

    name: str
    samples: Samples
    """As packed: with `gain` applied, within +-1."""
    gain: float
    """What the signal was multiplied by, dB."""
    uri: str
    """The sound as a ``data:`` address, FLAC with 16 bits."""


def residual(target: Samples, prediction: Samples) -> Samples:
    """Return what is wrong with the prediction, ``[time]``; 0 where it is not finite."""
    difference = prediction.astype(np.float64) - target
    return np.nan_to_num(difference, posinf=0.0, neginf=0.0).astype(np.float32)


def pack(signals: dict[str, Samples], sample_rate: int) -> list[Track]:
    """Bring signals of one length to the same loudness, and encode them.

    A signal whose peaks do not allow that (pick attacks on a dry guitar) lowers all the others,
    to -30 LUFS at most; then it stays quieter than they are. Longer signals are cut at
    `MOST_SECONDS`, or earlier where the page would grow too big.
    """
    frames = min(len(samples) for samples in signals.values())
    frames = min(frames, round(MOST_SECONDS * sample_rate))
    signals = {
        name: np.nan_to_num(samples[:frames], posinf=0.0, neginf=0.0)
        for name, samples in signals.items()
    }
    gains = _gains(signals, sample_rate)
    tracks = [_track(name, x, gains[name], sample_rate) for name, x in signals.items()]
    size = sum(len(track.uri) for track in tracks) * 3 / 4
    if size > MOST_BYTES:
        shorter = int(frames * MOST_BYTES / size)
        return pack({name: x[:shorter] for name, x in signals.items()}, sample_rate)
    return tracks


def _gains(signals: dict[str, Samples], sample_rate: int) -> dict[str, float]:
    """Return a gain in dB for each signal; 0 for a silent one."""
    levels, most = {}, {}
    for name, x in signals.items():
        level = loudness(x, sample_rate)
        if level > SILENCE:
            levels[name] = level
            most[name] = level + 20 * np.log10(PEAK / float(np.abs(x).max()))
    common = max(QUIETEST, min(most.values(), default=0.0))
    return {
        name: float(min(common, most[name]) - levels[name]) if name in levels else 0.0
        for name in signals
    }


def _track(name: str, samples: Samples, gain: float, sample_rate: int) -> Track:
    loud = (samples * 10 ** (gain / 20)).clip(-1, 1).astype(np.float32)
    buffer = io.BytesIO()
    soundfile.write(buffer, loud, sample_rate, format="FLAC", subtype="PCM_16")
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return Track(name, loud, gain, f"data:audio/flac;base64,{data}")
