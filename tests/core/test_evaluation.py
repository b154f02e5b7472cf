from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from fxkit.data.pairs import Segment, Take
from fxkit.data.recording import Recording
from fxkit.errors import FxkitError
from fxkit.evaluation import Evaluation, evaluate
from fxkit.metrics import esr
from fxkit.model import Model
from fxkit.task import Task

RATE = 8000


class Distort(Task):
    input, target = "clean", "wet"


class Clean(Task):
    input, target = "wet", "clean"


class Filter(Model):
    """``gain * (x[t - latency] + memory)``: a one-pole low-pass of 20 ms, so context matters."""

    def __init__(self, gain=1.0, pole=0.0, latency=0, controls=0):
        super().__init__(None, sample_rate=RATE, controls=controls)
        self.gain, self.pole = gain, pole
        self._latency = latency
        self.lengths = []

    @property
    def latency(self):
        return self._latency

    @property
    def warm_up(self):
        return 0

    def initial_state(self, batch):
        return {"past": torch.zeros(batch, 1, self._latency), "y": torch.zeros(batch)}

    def forward(self, x, state, controls=None):
        self.lengths.append(x.shape[-1])
        samples = torch.cat([state["past"], x], dim=-1)
        cut = samples.shape[-1] - self._latency
        y = samples[..., :cut]
        memory = state["y"]
        if self.pole:
            steps = []
            for sample in y[:, 0].unbind(-1):
                memory = sample + self.pole * memory
                steps.append(memory)
            y = torch.stack(steps, dim=-1)[:, None]
        gain = self.gain if controls is None else controls[:, :1, None]
        return gain * y, {"past": samples[..., cut:], "y": memory}


def plucks(seconds: float, seed: int = 0) -> np.ndarray:
    """Twenty notes in 9 s, one each 0.4 s but for a pause at 3 s."""
    time = np.arange(round(seconds * RATE)) / RATE
    generator = np.random.default_rng(seed)
    signal = np.zeros_like(time)
    for at in np.arange(0.2, seconds, 0.4):
        if 3.0 <= at < 3.5:
            continue
        since = np.maximum(time - at, 0.0)
        fade = np.where((time >= at) & (since < 0.35), np.exp(-8 * since), 0.0)
        note = 110 * 2 ** (generator.integers(0, 24) / 12)
        signal += fade * sum(np.sin(2 * np.pi * note * k * since) / k for k in range(1, 8))
    return (0.2 * signal).astype(np.float32)


def take(clean, wet, **options) -> Take:
    return Take(
        name=options.pop("name", "take"),
        clean=Recording.from_array(np.asarray(clean, np.float32), RATE),
        wet=Recording.from_array(np.asarray(wet, np.float32), RATE),
        **options,
    )


def whole(t: Take) -> Segment:
    return Segment(t, 0, t.clean.frames)


CLEAN = plucks(9.0)


def test_a_perfect_model_and_its_baseline():
    wet = -1.5 * np.tanh(5 * CLEAN)

    class Tanh(Filter):
        def forward(self, x, state, controls=None):
            return -1.5 * torch.tanh(5 * x), state

    found = evaluate(Tanh(), [whole(take(CLEAN, wet))], task=Distort())
    assert found.scores.esr < 1e-10
    assert found.scores.si_sdr == pytest.approx(100.0, abs=1)
    assert found.baseline_gain < 0
    expected = esr(found.baseline_gain * CLEAN, wet.astype(np.float32))
    assert found.baseline.esr == pytest.approx(expected, rel=1e-5)
    # At the best gain the two scores are two views of one angle.
    angle = 10 * math.log10((1 - expected) / expected)
    assert found.baseline.si_sdr == pytest.approx(angle, abs=1e-3)
    assert found.seconds == pytest.approx(9.0)


def test_the_task_says_which_side_is_which():
    segments = [whole(take(CLEAN, 2 * CLEAN))]
    assert evaluate(Filter(2.0), segments, task=Distort()).scores.esr == pytest.approx(0, abs=1e-12)
    assert evaluate(Filter(0.5), segments, task=Clean()).scores.esr == pytest.approx(0, abs=1e-12)
    wrong = evaluate(Filter(0.5), segments, task=Distort()).scores
    assert wrong.esr == pytest.approx(0.75**2)
    assert wrong.bands["500"] == pytest.approx(20 * math.log10(0.75), abs=1e-3)


@pytest.mark.parametrize("latency", [1, 700])
def test_latency_is_taken_out_to_the_last_sample(latency):
    # Before the end of the recording, and at it, where silence has to be added.
    t = take(CLEAN, CLEAN)
    for segment in (Segment(t, 8000, 40_000), whole(t)):
        found = evaluate(Filter(latency=latency), [segment], task=Distort())
        assert found.scores.esr == 0.0
        assert np.array_equal(found.excerpt.prediction, found.excerpt.target)


def test_blocks_do_not_matter_and_are_what_was_asked_for():
    t = take(CLEAN, np.tanh(3 * CLEAN))
    found = {}
    for block in (512, 5000, 200_000):
        model = Filter(0.7, latency=3)
        found[block] = evaluate(model, [whole(t)], task=Distort(), block=block)
        assert max(model.lengths) <= block
        assert block in model.lengths or block > t.clean.frames
    plain = [json.dumps(f.to_plain()) for f in found.values()]
    assert plain[0] == plain[1] == plain[2]


def test_context_warms_the_model_up_unscored():
    clean = np.random.default_rng(0).standard_normal(3 * RATE).astype(np.float32) * 0.1
    wet = np.empty_like(clean)
    memory = 0.0
    for i, sample in enumerate(clean):
        memory = sample + 0.995 * memory
        wet[i] = memory
    t = take(clean, wet)
    model = Filter(pole=0.995)
    warm = evaluate(model, [Segment(t, RATE, 3 * RATE)], task=Distort())
    assert warm.scores.esr < 1e-8
    assert warm.seconds == 2.0
    cold = take(clean[RATE:], wet[RATE:])
    assert evaluate(model, [whole(cold)], task=Distort()).scores.esr > 1e-4


def test_segments_are_pooled_by_energy():
    loud, soft = take(CLEAN, CLEAN), take(0.01 * CLEAN, -0.01 * CLEAN)
    found = evaluate(Filter(0.5), [whole(loud), whole(soft)], task=Distort())
    expected = (0.25 + 2.25e-4) / (1 + 1e-4)
    assert found.scores.esr == pytest.approx(expected, rel=1e-5)
    assert found.seconds == 18.0
    assert found.excerpt.take == "take"
    assert np.abs(found.excerpt.target).max() > 0.1


def test_an_estimated_side_is_never_scored():
    true, made = take(CLEAN, CLEAN), take(CLEAN, -CLEAN, estimated="clean")
    found = evaluate(Filter(), [whole(true), whole(made)], task=Distort())
    assert found.scores.esr == 0.0
    assert found.seconds == 9.0
    with pytest.raises(FxkitError, match="nothing to evaluate"):
        evaluate(Filter(), [whole(made)], task=Distort())


def test_knobs_reach_the_model():
    knobs = [(0.25,), (0.5,)]
    segments = [whole(take(CLEAN, k[0] * CLEAN, controls=k)) for k in knobs]
    found = evaluate(Filter(controls=1), segments, task=Distort())
    assert found.scores.esr == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(FxkitError, match="0 knob values but the model has 1"):
        evaluate(Filter(controls=1), [whole(take(CLEAN, CLEAN))], task=Distort())


def test_an_error_at_the_attacks_shows_there():
    wet = CLEAN.copy()
    for at in np.arange(0.2, 9.0, 0.4):
        start = round(at * RATE)
        wet[start : start + RATE // 50] *= -1
    found = evaluate(Filter(), [whole(take(CLEAN, wet))], task=Distort())
    assert found.attacks == 20
    assert found.scores.esr_attack > 1.0
    assert found.scores.esr_elsewhere < 1e-3


def test_attacks_are_those_of_the_clean_side_for_either_task():
    wet = np.sin(np.arange(len(CLEAN)) * 0.3)
    for task in (Distort(), Clean()):
        assert evaluate(Filter(), [whole(take(CLEAN, wet))], task=task).attacks == 20


def test_a_segment_that_starts_inside_a_note_does_not_start_with_an_attack():
    found = evaluate(Filter(), [Segment(take(CLEAN, CLEAN), 2100, 10_000)], task=Distort())
    # At 0.6 and 1.0 s of the take, and not at 0.2625, the start; the one at 0.2 is over.
    assert found.attacks == 2


def test_esr_over_time_leaves_silent_seconds_out():
    target = np.concatenate([CLEAN[:RATE], np.zeros(RATE), CLEAN[:RATE], CLEAN[: RATE // 4]])
    wet = target.copy()
    wet[2 * RATE : 3 * RATE] *= 2
    found = evaluate(Filter(), [whole(take(target, wet))], task=Distort())
    assert found.esr_over_time == ((0.0, 0.0), (2.0, pytest.approx(0.25)))


def test_the_excerpt_is_a_phrase():
    found = evaluate(Filter(0.5), [whole(take(CLEAN, -CLEAN))], task=Distort())
    excerpt = found.excerpt
    assert excerpt.sample_rate == RATE
    assert {len(a) for a in (excerpt.input, excerpt.target, excerpt.prediction)} == {6 * RATE}
    assert excerpt.input.dtype == excerpt.prediction.dtype == np.float32
    start = round(excerpt.start * RATE)
    assert np.array_equal(excerpt.input, CLEAN[start : start + 6 * RATE])
    assert np.array_equal(excerpt.target, -excerpt.input)
    assert np.array_equal(excerpt.prediction, 0.5 * excerpt.input)
    # It begins just before an attack.
    assert found.onsets[0] == pytest.approx(0.15 * RATE, abs=0.01 * RATE)
    assert excerpt.attack in found.onsets


def test_a_recording_shorter_than_a_phrase_is_shown_whole():
    found = evaluate(Filter(), [whole(take(CLEAN[:4000], CLEAN[:4000]))], task=Distort())
    assert len(found.excerpt.input) == 4000


def test_silence_gives_none_and_valid_json():
    zeros = np.zeros(RATE)
    found = evaluate(Filter(), [whole(take(zeros, zeros))], task=Distort())
    assert found.scores.esr is None
    assert found.baseline.si_sdr is None
    assert found.excerpt.attack is None
    assert found.esr_over_time == ()
    json.dumps(found.to_plain(), allow_nan=False)


def test_a_model_that_answers_with_silence():
    found = evaluate(Filter(0.0), [whole(take(CLEAN, CLEAN))], task=Distort())
    assert found.scores.esr == 1.0
    assert found.scores.si_sdr is None
    assert found.aliasing is None


def test_nan_is_a_clear_line():
    with pytest.raises(FxkitError, match="not finite"):
        evaluate(Filter(math.nan), [whole(take(CLEAN, CLEAN))], task=Distort())


def test_rates_must_match():
    samples = Recording.from_array(CLEAN, 44_100)
    other = Segment(Take(name="di", clean=samples, wet=samples), 0, len(CLEAN))
    with pytest.raises(FxkitError, match=r"di is at 44100 Hz but the model is for 8000 Hz"):
        evaluate(Filter(), [other], task=Distort())


def test_a_block_of_nothing_is_refused():
    with pytest.raises(FxkitError, match="block"):
        evaluate(Filter(), [whole(take(CLEAN, CLEAN))], task=Distort(), block=0)


def test_round_trip_through_json():
    found = evaluate(Filter(0.5), [whole(take(CLEAN, np.tanh(9 * CLEAN)))], task=Distort())
    plain = json.loads(json.dumps(found.to_plain(), allow_nan=False))
    back = Evaluation.from_plain(plain)
    assert back.excerpt is None
    assert back.scores == found.scores
    assert back.aliasing == found.aliasing
    assert back.to_plain() == found.to_plain()


def test_memory_does_not_grow_with_the_recording(monkeypatch):
    read = []

    class Endless:
        """A minute and a half that is never held at once."""

        path, sample_rate, frames = None, RATE, 90 * RATE

        def read(self, start, stop):
            read.append(stop - start)
            return np.resize(CLEAN, stop - start)

    source = Endless()

    class Pair:
        name, clean, wet, controls, estimated = "long", source, source, (), None

        def side(self, side):
            return getattr(self, side)

    class Part:
        take, start, stop = Pair(), 0, source.frames

    evaluate(Filter(), [Part()], task=Distort(), block=16_384)
    assert max(read) <= 131_072
