"""Looks at recordings before they are learned from: silence, clipping, DC, noise, lengths.

The work is bounded: a recording in memory is looked at as a whole, one that is read from disk at
excerpts spread over it. A NaN or infinite sample is found wherever it is read, see `audio`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fxkit.data.audio import Samples
from fxkit.data.recording import Recording
from fxkit.errors import FxkitError

__all__ = [
    "Health",
    "common_length",
    "decibels",
    "excerpts",
    "inspect",
    "noise_floor",
    "noise_warning",
    "warnings",
]

LONGEST_TRIM = 1.0
"""Seconds by which the two sides of a pair may differ in length; the longer one is trimmed."""

_EXCERPT_SECONDS = 5.0
_EXCERPTS = 40
_FRAME_SECONDS = 0.05
_SILENCE = 2.0**-15  # one step of a 16-bit file
_FLAT = 1.5 * 2.0**-15  # what counts as equal in a run of clipped samples
_LOUD = 10.0 ** (-1.0 / 20.0)  # a converter that clips does so near full scale
_RUN = 4  # equal samples in a row at the peak that count as clipped
_CLIPPED_SHARE = 1e-5
_DC_SHARE = 0.05  # of the level
_DC = 0.003  # of full scale
_QUIET = 1e-7  # power of a pause in the clean side, over its mean power: -70 dB
_PAUSE_FRAMES = 10
_NOISY = 1e-4  # power of the wet side in such a pause, over its mean power: -40 dB


@dataclass(frozen=True)
class Health:
    """What was seen in one recording.

    Attributes
    ----------
    peak, level, dc
        Largest magnitude, RMS and mean; 1 is full scale.
    clipped
        The share of samples in flat runs at the peak, 0..1.
    powers
        The mean square of every 50 ms looked at.
    seconds, whole
        How much was looked at, and whether that is everything.
    """

    peak: float
    level: float
    dc: float
    clipped: float
    powers: npt.NDArray[np.float64]
    seconds: float
    whole: bool


def decibels(ratio: float) -> str:
    """Return an amplitude ratio in words: ``-12.3 dB``."""
    return f"{20.0 * math.log10(ratio):.1f} dB" if ratio > 0.0 else "-inf dB"


def excerpts(frames: int, length: int, count: int) -> list[tuple[int, int]]:
    """Spread `count` stretches of `length` samples evenly, first and last included.

    Where they would overlap, adjacent stretches that cover everything are returned instead.
    """
    if count * length >= frames:
        return [(start, min(start + length, frames)) for start in range(0, frames, length)]
    starts = np.linspace(0, frames - length, count).astype(int)
    return [(int(start), int(start) + length) for start in starts]


def inspect(recording: Recording) -> Health:
    """Look at one recording.

    Raises
    ------
    FxkitError
        It is empty or silent, or a sample that was read is NaN or infinite.
    """
    if recording.frames == 0:
        raise FxkitError(f"{recording.name} holds no samples")
    rate = recording.sample_rate
    frame = max(1, round(_FRAME_SECONDS * rate))
    length = max(1, round(_EXCERPT_SECONDS / _FRAME_SECONDS)) * frame
    parts = excerpts(recording.frames, length, recording.frames if recording.held else _EXCERPTS)
    total = energy = 0.0
    powers = []
    peaks: list[float] = []
    flat: list[tuple[float, int]] = []
    for start, stop in parts:
        samples = recording.read(start, stop)
        squares = np.square(samples, dtype=np.float64)
        total += float(samples.sum(dtype=np.float64))
        energy += float(squares.sum())
        peak = float(np.abs(samples).max())
        peaks.append(peak)
        flat.append((peak, _in_flat_runs(samples, peak)))
        whole_frames = len(samples) // frame * frame
        powers.append(squares[:whole_frames].reshape(-1, frame).mean(axis=1))
    peak, looked = max(peaks), sum(stop - start for start, stop in parts)
    if peak < _SILENCE:
        where = "" if looked == recording.frames else f" in all {len(parts)} excerpts looked at"
        raise FxkitError(
            f"{recording.path or recording.name} is silent{where}: check the file, the channel "
            "and the cable"
        )
    # Runs count only at the peak of the whole recording: an excerpt's own peak is no clipping.
    clipped = sum(count for top, count in flat if top >= peak - _FLAT) if peak >= _LOUD else 0
    return Health(
        peak=peak,
        level=math.sqrt(energy / looked),
        dc=total / looked,
        clipped=clipped / looked,
        powers=np.concatenate(powers),
        seconds=looked / rate,
        whole=looked == recording.frames,
    )


def _in_flat_runs(samples: Samples, peak: float) -> int:
    """Count the samples that lie in runs of at least `_RUN` at `peak`, on one side of zero."""
    count = 0
    for sign in (1.0, -1.0):
        at_peak = sign * samples >= max(peak - _FLAT, _SILENCE)
        if not at_peak.any():
            continue
        edges = np.flatnonzero(np.diff(at_peak.astype(np.int8), prepend=0, append=0))
        runs = edges[1::2] - edges[::2]
        count += int(runs[runs >= _RUN].sum())
    return count


def noise_floor(clean: Health, wet: Health) -> float | None:
    """Return the level of the wet side while the clean side pauses, relative to its own level.

    It bounds every score from below: what is not in the clean side cannot be predicted from it.

    Returns
    -------
    float or None
        An amplitude ratio; None where the clean side never pauses.
    """
    count = min(len(clean.powers), len(wet.powers))
    pauses = clean.powers[:count] < _QUIET * clean.level**2
    if int(pauses.sum()) < _PAUSE_FRAMES:
        return None
    # The quietest tenth: the rest of a pause may hold the tail of a note.
    return math.sqrt(float(np.quantile(wet.powers[:count][pauses], 0.1))) / wet.level


def warnings(name: str, health: Health) -> list[str]:
    """Return what the user should know before training on this recording, a line each."""
    found = []
    if health.clipped > _CLIPPED_SHARE:
        looked = "" if health.whole else f" of the {health.seconds:.0f} s looked at"
        found.append(
            f"{name} is clipped: {100.0 * health.clipped:.3g} % of its samples{looked}; "
            "lower the recording level"
        )
    if abs(health.dc) > max(_DC, _DC_SHARE * health.level):
        found.append(f"{name} has an offset (DC) of {health.dc:+.4f} of full scale")
    return found


def noise_warning(name: str, floor: float | None) -> list[str]:
    """Return a line where noise limits what can be learned."""
    if floor is None or floor**2 < _NOISY:
        return []
    return [
        f"{name} is noisy: while the guitar is silent it is at {decibels(floor)} against its "
        f"level, so no model can reach an ESR below about {floor**2:.1g}"
    ]


def common_length(clean: Recording, wet: Recording) -> tuple[int, str | None]:
    """Return the length that both sides have, and a warning where one has to be trimmed.

    Raises
    ------
    FxkitError
        They differ by more than `LONGEST_TRIM`.
    """
    gap = clean.frames - wet.frames
    if gap == 0:
        return clean.frames, None
    longer, shorter = (clean, wet) if gap > 0 else (wet, clean)
    by = f"{abs(gap) / clean.sample_rate:.3f} s ({abs(gap)} samples) longer than {shorter.name}"
    if abs(gap) > LONGEST_TRIM * clean.sample_rate:
        raise FxkitError(
            f"{longer.name} is {by}: the two must be one take; trim them to the same start and end"
        )
    return shorter.frames, f"{longer.name} is {by}: its end is ignored"
