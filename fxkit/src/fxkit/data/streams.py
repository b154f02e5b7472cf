"""Parallel streams walked in step, so that a model's state can be carried from window to window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fxkit.data.pairs import Segment, Side
from fxkit.data.window import Window, fill, knobs, one_ahead, rows_of
from fxkit.errors import FxkitError

__all__ = ["Streams"]

_READ_AHEAD = {False: 1 << 21, True: 1 << 20}
"""Samples of each side that are read at a time, over all streams, from disk and from memory: large
where every stream costs a seek, small enough for the processor's cache where none does."""

_Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Plan:
    """Where the windows of one epoch lie.

    Attributes
    ----------
    phases
        Per segment, the samples before its first window.
    begins
        Per segment, the number of windows in all segments before it; one more entry for the end.
    start
        The window at which the first stream begins.
    """

    phases: _Index
    begins: _Index
    start: int


class Streams:
    """Cuts segments into equally long streams side by side and walks them in step.

    All whole windows of all segments, one after the other, are divided into `streams` equal
    stretches. Within a stretch each window follows the one before it, sample by sample; the state
    starts afresh only at the beginning of an epoch and where a stream moves on to another segment.
    Every epoch begins at another sample, so that no window is ever cut twice at the same place.

    Before its first scored window, each stream is given the `warm_up` samples that precede it,
    rounded up to whole windows; what lies before the segment is silence.

    Parameters
    ----------
    segments
        What to walk through; those shorter than a window are left out.
    input, target
        The sides that the model hears and should produce.
    streams
        How many stretches B are walked at once.
    window
        Samples T per window.
    warm_up
        Samples before the first scored one.
    seed
        Together with the number of an epoch it fixes everything in it.
    latency
        The target is delayed by so many samples, as the model's output is.
    share
        Which of how many processes this is: ``(0, 2)`` reads and yields the first half of the
        streams, ``(1, 2)`` the second.

    Attributes
    ----------
    steps
        Scored windows per epoch; the same in every epoch.

    Raises
    ------
    FxkitError
        There is less than one window for every stream.
    """

    steps: int

    def __init__(
        self,
        segments: Sequence[Segment],
        *,
        input: Side,  # noqa: A002 - the word that the task contract uses
        target: Side,
        streams: int,
        window: int,
        warm_up: int = 0,
        seed: int = 0,
        latency: int = 0,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self._rows = np.array(rows_of(share, streams), np.int64)
        self.streams, self.window, self.latency, self.seed = streams, window, latency, seed
        self.warm_up_windows = -(-warm_up // window)
        self._sides = input, target
        self._segments = [segment for segment in segments if segment.frames >= window]
        frames = np.array([segment.frames for segment in self._segments], np.int64)
        # One window is given up, where there are several, so that the phase can be any.
        counts = np.maximum((frames - window + 1) // window, 1)
        self._slack = np.minimum(frames - counts * window, window - 1)
        self._begins = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self._windows = int(self._begins[-1])
        self.steps = self._windows // streams
        if self.steps == 0:
            raise FxkitError(
                f"the training part holds {self._windows} windows of {window} samples, fewer than "
                f"the {streams} streams: lower train.batch or train.window, or record more"
            )
        self._threaded = not all(
            segment.take.clean.held and segment.take.wet.held for segment in self._segments
        )

    def epoch(self, number: int) -> Iterator[Window]:
        """Walk through the segments once; deterministic in the seed and `number`."""
        plan = self._plan(number)
        size = max(1, _READ_AHEAD[not self._threaded] // (len(self._rows) * self.window))
        jobs = [(k, min(k + size, self.steps)) for k in range(0, self.steps, size)]
        if self.warm_up_windows:
            jobs.insert(0, (-self.warm_up_windows, 0))
        chunks = one_ahead(
            jobs, lambda job: (job, *self._read(plan, *job)), threaded=self._threaded
        )
        held: _Index | None = None
        controls: Tensor | None = None
        for (first, last), inputs, targets in chunks:
            segments = self._segments_of(plan, first, last)
            for i in range(last - first):
                now = segments[i]
                reset: Tensor | None = None
                if held is None or not np.array_equal(now, held):
                    fresh = np.ones(len(self._rows), bool) if held is None else now != held
                    reset = torch.from_numpy(fresh)
                    controls = knobs(self._segments[j] for j in now)
                    held = now
                yield Window(inputs[i], targets[i], controls, first + i >= 0, reset)

    def _plan(self, number: int) -> _Plan:
        random = np.random.default_rng((self.seed, number))
        phases = random.integers(0, self._slack + 1)
        left_over = self._windows - self.streams * self.steps
        return _Plan(phases, self._begins, int(random.integers(0, left_over + 1)))

    def _segments_of(self, plan: _Plan, first: int, last: int) -> _Index:
        """Return which segment each window is in, ``[last - first, rows]``."""
        # Warm-up windows belong to the segment of the first scored one.
        walked = np.maximum(np.arange(first, last), 0)[:, None]
        windows = plan.start + walked + self.steps * self._rows
        found: _Index = np.searchsorted(plan.begins, windows, side="right") - 1
        return found

    def _read(self, plan: _Plan, first: int, last: int) -> tuple[Tensor, Tensor]:
        """Read the windows from `first` to `last` of this share, ``[last - first, rows, 1, T]``."""
        shape = last - first, len(self._rows), 1, self.window
        inputs, targets = torch.empty(shape), torch.empty(shape)
        rows = inputs.numpy(), targets.numpy()
        segments = self._segments_of(plan, first, last)
        for b, stream in enumerate(self._rows.tolist()):
            # Stretches that stay within one segment are read in one go.
            edges = np.flatnonzero(np.diff(segments[:, b])) + 1
            for begin, end in zip([0, *edges], [*edges, last - first], strict=True):
                index = int(segments[begin, b])
                segment = self._segments[index]
                window = plan.start + stream * self.steps + first + int(begin)
                start = segment.start + int(plan.phases[index])
                start += (window - int(plan.begins[index])) * self.window
                for side, row, lag in zip(self._sides, rows, (0, self.latency), strict=True):
                    out = row[begin:end, b, 0]
                    fill(segment, side, start - lag, out, first=segment.start)
        return inputs, targets
