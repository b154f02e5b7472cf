"""Score a model on the held-out part of the recordings, streamed as in live use.

The model hears each held-out segment in blocks, its state carried over. What was recorded just
before the segment is played to it first and not scored, as nobody starts a take with the amp still
cold. Its latency is taken out. No audio is kept but the excerpt: of everything else there are sums,
and, while note attacks are looked for, an envelope of 5 kB a second of one segment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from fxkit.aliasing import measure_aliasing
from fxkit.errors import FxkitError
from fxkit.metrics import Meter
from fxkit.metrics.energy import Sums
from fxkit.model import Model, run_blocks
from fxkit.onsets import Onset, OnsetDetector, is_attack
from fxkit.phrase import Envelope, choose_attack, choose_phrase
from fxkit.progress import Progress, SilentProgress
from fxkit.scores import Aliasing, AliasingPoint, Evaluation, Excerpt, Scores
from fxkit.task import Task

if TYPE_CHECKING:
    from fxkit.data import Recording, Segment

__all__ = ["Aliasing", "AliasingPoint", "Evaluation", "Excerpt", "Scores", "evaluate", "unscored"]

CHUNK = 131_072
"""Samples that are read and scored at a time."""

SILENT_SECOND = 1e-8
"""Mean square (-80 dB re full scale) of a second that is left out of the ESR over time."""

Mono = NDArray[np.float32]


def evaluate(
    model: Model,
    segments: Sequence[Segment],
    *,
    task: Task,
    device: torch.device | str = "cpu",
    block: int = 512,
    progress: Progress | None = None,
) -> Evaluation:
    """Score a model beside the unprocessed input.

    Parameters
    ----------
    model
        Moved to `device` and put in eval mode.
    segments
        The held-out part; segments of takes of which a side is only estimated are left out.
    task
        Says which side is the input and which the target.
    device
        Where to compute.
    block
        Samples per call of the model. By the law of `fxkit.model` it does not change the scores;
        a larger one may save time.
    progress
        Where progress is shown.

    Returns
    -------
    Evaluation
        Pooled over all segments.

    Raises
    ------
    FxkitError
        If there is nothing to score, if rates do not match, or if the model's output is not finite.
    """
    if block < 1:
        raise FxkitError(f"the block must be at least 1 sample long, not {block}")
    true = [s for s in segments if s.take.estimated is None and s.stop > s.start]
    if not true:
        raise FxkitError(
            "nothing to evaluate: no held-out recording has both sides as they were played"
        )
    for segment in true:
        for side in (segment.take.clean, segment.take.wet):
            if side.sample_rate != model.sample_rate:
                raise FxkitError(
                    f"{segment.take.name} is at {side.sample_rate} Hz but the model is for "
                    f"{model.sample_rate} Hz: resample the recording first"
                )
    model = model.to(device).eval()
    progress = SilentProgress() if progress is None else progress
    survey = _survey(true, task, model)
    player = _Player(model, torch.device(device), block)
    tally = _Tally(model.sample_rate, survey.gain)
    with progress.task("evaluate", total=sum(s.stop - s.start for s in true)) as step:
        for index, segment in enumerate(true):
            onsets = np.array([o.position for o in survey.onsets[index]], dtype=np.int64)
            at = 0
            for prediction in player.play(segment, task):
                stop = segment.start + at + len(prediction)
                heard = segment.take.side(task.input).read(segment.start + at, stop)
                target = segment.take.side(task.target).read(segment.start + at, stop)
                attack = is_attack(onsets, at, at + len(prediction), model.sample_rate)
                tally.add(heard, target, prediction, attack)
                if index == survey.index:
                    tally.keep(heard, target, prediction, survey.start - at, survey.stop - at)
                at += len(prediction)
                step.advance(len(prediction))
            tally.finish()
    return _conclude(player, true, survey, tally)


def unscored() -> Evaluation:
    """Return the evaluation of a model that there is no true pair to score with."""
    nothing = Scores(None, None, None, None, None, None, None)
    return Evaluation(
        scores=nothing,
        baseline=nothing,
        baseline_gain=0.0,
        aliasing=None,
        seconds=0.0,
        esr_over_time=(),
        attacks=0,
        onsets=(),
        excerpt=None,
    )


def _conclude(
    player: _Player, segments: Sequence[Segment], survey: _Survey, tally: _Tally
) -> Evaluation:
    model = player.model
    chosen, onsets = segments[survey.index], survey.onsets[survey.index]
    heard, target, prediction = (np.concatenate(parts) for parts in tally.kept)
    excerpt = Excerpt(
        take=chosen.take.name,
        start=(chosen.start + survey.start) / model.sample_rate,
        sample_rate=model.sample_rate,
        input=heard,
        target=target,
        prediction=prediction,
        attack=choose_attack(onsets, survey.start, survey.stop, model.sample_rate),
    )
    inside = [o.position - survey.start for o in onsets]
    return Evaluation(
        scores=tally.model.scores(),
        baseline=tally.baseline.scores(),
        baseline_gain=survey.gain,
        aliasing=measure_aliasing(model, controls=chosen.take.controls or None, block=player.block),
        seconds=sum(s.stop - s.start for s in segments) / model.sample_rate,
        esr_over_time=tuple(tally.over_time),
        attacks=sum(len(found) for found in survey.onsets),
        onsets=tuple(o for o in inside if 0 <= o < survey.stop - survey.start),
        excerpt=excerpt,
    )


@dataclass(frozen=True)
class _Survey:
    """What is known of the recordings before the model is heard."""

    gain: float
    """Best gain of the input."""
    onsets: tuple[tuple[Onset, ...], ...]
    """Of each segment, positions relative to its start."""
    index: int
    """The segment of the excerpt."""
    start: int
    stop: int
    """The excerpt, samples into its segment."""


def _survey(segments: Sequence[Segment], task: Task, model: Model) -> _Survey:
    rate = model.sample_rate
    sums, peak = Sums(), 0.0
    for segment in segments:
        for start, stop in _chunks(segment.start, segment.stop):
            sums.add(
                segment.take.side(task.input).read(start, stop),
                segment.take.side(task.target).read(start, stop),
            )
            peak = max(peak, float(np.abs(segment.take.clean.read(start, stop)).max()))
    found: list[tuple[Onset, ...]] = []
    best, index, excerpt = -np.inf, 0, (0, 0)
    for number, segment in enumerate(segments):
        onsets = _onsets(segment, rate, peak)
        envelope = Envelope(rate)
        for start, stop in _chunks(segment.start, segment.stop):
            envelope.push(segment.take.side(task.target).read(start, stop))
        length = segment.stop - segment.start
        begin, end, worth = choose_phrase(envelope.finish(), envelope.grain, onsets, length, rate)
        if worth > best:
            best, index, excerpt = worth, number, (begin, end)
        found.append(onsets)
    return _Survey(sums.best_gain(), tuple(found), index, *excerpt)


def _onsets(segment: Segment, rate: int, peak: float) -> tuple[Onset, ...]:
    """Find the attacks of a segment; what comes before it keeps its edge from being one."""
    context = min(segment.start, rate // 2)
    detector = OnsetDetector(rate, peak)
    for start, stop in _chunks(segment.start - context, segment.stop):
        detector.push(segment.take.clean.read(start, stop))
    onsets = (Onset(o.position - context, o.strength) for o in detector.finish())
    return tuple(o for o in onsets if o.position >= 0)


@dataclass(frozen=True)
class _Player:
    """Streams a segment through the model."""

    model: Model
    device: torch.device
    block: int

    def play(self, segment: Segment, task: Task) -> Iterator[Mono]:
        """Yield the prediction of the whole segment, chunk by chunk, latency taken out."""
        model = self.model
        source = segment.take.side(task.input)
        controls = None
        if model.controls:
            if len(segment.take.controls) != model.controls:
                raise FxkitError(
                    f"{segment.take.name} has {len(segment.take.controls)} knob values but the "
                    f"model has {model.controls} knobs"
                )
            controls = torch.tensor([segment.take.controls], device=self.device)
        context = min(segment.start, max(model.warm_up, model.sample_rate))
        skip = context + model.latency
        at = segment.start
        with torch.inference_mode():
            state = model.initial_state(1)
        first, last = segment.start - context, segment.stop + model.latency
        size = max(1, CHUNK // self.block) * self.block
        for start, stop in _chunks(first, last, size):
            heard = _read_padded(source, start, stop)
            # Entered anew for each chunk: the mode must not stay on while the caller has control.
            with torch.inference_mode():
                x = torch.from_numpy(heard).to(self.device)[None, None]
                y, state = run_blocks(model, x, state, controls, self.block)
                made: Mono = y[0, 0].float().cpu().numpy()
            drop = min(skip, len(made))
            skip -= drop
            made = made[drop:]
            if not np.isfinite(made).all():
                seconds = at / model.sample_rate
                raise FxkitError(
                    f"the model's output is not finite (NaN or infinity) near {seconds:.1f} s of "
                    f"{segment.take.name}: it cannot be scored; train again with a lower train.lr"
                )
            if len(made):
                at += len(made)
                yield made


@dataclass
class _Tally:
    """Everything that is summed up while the model plays."""

    rate: int
    gain: float
    model: Meter = field(init=False)
    baseline: Meter = field(init=False)
    over_time: list[tuple[float, float]] = field(default_factory=list)
    kept: tuple[list[Mono], list[Mono], list[Mono]] = field(default_factory=lambda: ([], [], []))
    _second: Sums = field(default_factory=Sums)
    _began: int = 0

    def __post_init__(self) -> None:
        self.model, self.baseline = Meter(self.rate), Meter(self.rate)

    def add(self, heard: Mono, target: Mono, prediction: Mono, attack: NDArray[np.bool_]) -> None:
        """Add the next samples of a segment."""
        self.model.add(prediction, target, attack)
        self.baseline.add(np.float32(self.gain) * heard, target, attack)
        at = 0
        while at < len(target):
            stop = min(len(target), at + self.rate - self._second.count)
            self._second.add(prediction[at:stop], target[at:stop])
            if self._second.count == self.rate:
                self._close_second()
            at = stop

    def keep(self, heard: Mono, target: Mono, prediction: Mono, start: int, stop: int) -> None:
        """Keep what lies from `start` to `stop`, samples into these arrays, for the excerpt."""
        part = slice(max(0, start), max(0, stop))
        for kept, samples in zip(self.kept, (heard, target, prediction), strict=True):
            kept.append(samples[part].copy())

    def finish(self) -> None:
        """End a segment."""
        self.model.finish()
        self.baseline.finish()
        self._close_second()

    def _close_second(self) -> None:
        second = self._second
        # The rest of a segment counts if there is enough of it to compare with a whole second.
        if 2 * second.count >= self.rate and second.target > SILENT_SECOND * second.count:
            self.over_time.append((self._began / self.rate, second.error / second.target))
        self._began += second.count
        self._second = Sums()


def _chunks(start: int, stop: int, size: int = CHUNK) -> Iterator[tuple[int, int]]:
    for at in range(start, stop, size):
        yield at, min(at + size, stop)


def _read_padded(source: Recording, start: int, stop: int) -> Mono:
    """Read samples, with silence after the end of the recording."""
    end = min(stop, source.frames)
    samples = source.read(start, end) if end > start else np.zeros(0, np.float32)
    return np.pad(samples, (0, stop - start - len(samples)))
