"""What training is fed with: a batch of equally long stretches of both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from fxkit.data.audio import Samples
from fxkit.data.pairs import Segment, Side
from fxkit.errors import FxkitError

__all__ = ["Window", "fill", "knobs", "one_ahead", "rows_of"]

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Window:
    """A batch of B stretches of T samples.

    Attributes
    ----------
    input, target
        ``[B, 1, T]``, float32, contiguous.
    controls
        ``[B, K]`` in 0..1; None where K is 0.
    scored
        False for the windows that only warm the state up.
    reset
        ``[B]`` bool, the items whose state starts afresh here; None where none does.
    """

    input: Tensor
    target: Tensor
    controls: Tensor | None
    scored: bool
    reset: Tensor | None


def fill(segment: Segment, side: Side, start: int, out: Samples, *, first: int) -> None:
    """Fill `out` from sample `start` of the take; what lies before `first` is silence.

    `out` is one stretch, ``[T]``, or several that follow each other, ``[n, T]``.
    """
    recording = segment.take.side(side)
    if start >= first:
        recording.read_into(start, out)
        return
    stretch = torch.zeros(out.size).numpy()
    if start + out.size > first:
        recording.read_into(first, stretch[first - start :])
    out[...] = stretch.reshape(out.shape)


def rows_of(share: tuple[int, int], batch: int) -> range:
    """Return which rows of a batch one of several processes is fed with.

    Parameters
    ----------
    share
        The number of the process, from 0, and how many there are.
    batch
        Rows in the whole batch.

    Raises
    ------
    FxkitError
        They cannot be shared out evenly.
    """
    index, count = share
    if batch % count:
        raise FxkitError(
            f"train.batch={batch} cannot be shared out evenly among {count} processes: "
            f"use a multiple of {count}"
        )
    return range(index * batch // count, (index + 1) * batch // count)


def knobs(segments: Iterable[Segment]) -> Tensor | None:
    """Return the knob values of a batch of segments, ``[B, K]``; None where there are no knobs."""
    values = [segment.take.controls for segment in segments]
    return torch.tensor(values, dtype=torch.float32) if values and values[0] else None


def one_ahead(
    jobs: Iterable[Job], work: Callable[[Job], Result], *, threaded: bool
) -> Iterator[Result]:
    """Yield ``work(job)`` for every job; if threaded, the next one is done in the background."""
    if not threaded:
        yield from map(work, jobs)
        return
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="fxkit-read-ahead") as pool:
        ready: Future[Result] | None = None
        for job in jobs:
            following = pool.submit(work, job)
            if ready is not None:
                yield ready.result()
            ready = following
        if ready is not None:
            yield ready.result()
