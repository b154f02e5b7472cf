"""How loud the training part is, so that levels can be normalised before the first step."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from fxkit.data.check import excerpts
from fxkit.data.pairs import Segment, Side
from fxkit.errors import FxkitError

__all__ = ["levels"]

_SECONDS = 240


def levels(segments: Sequence[Segment], side: Side) -> float:
    """Return the RMS of one side over segments; 1 is full scale.

    At most about four minutes are read, in excerpts of one second spread evenly.

    Raises
    ------
    FxkitError
        There is only silence.
    """
    total = sum(segment.frames for segment in segments)
    # With more segments than excerpts, every so many segments are looked at.
    stride = max(1, len(segments) // _SECONDS)
    energy, count = 0.0, 0
    for segment in segments[::stride]:
        recording = segment.take.side(side)
        share = max(1, round(_SECONDS * stride * segment.frames / total))
        for start, stop in excerpts(segment.frames, segment.take.sample_rate, share):
            samples = recording.read(segment.start + start, segment.start + stop)
            energy += float(np.vdot(samples, samples))
            count += len(samples)
    if energy == 0.0:
        raise FxkitError(f"the {side} side of the training part is silent: nothing to learn")
    return math.sqrt(energy / count)
