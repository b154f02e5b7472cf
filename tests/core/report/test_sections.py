from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from fxkit.realtime import BlockTime
from fxkit.report.registry import find
from fxkit.scores import Excerpt, Scores
from fxkit.train import Epoch

from fxkit import report

ALL = [
    "aliasing",
    "attack",
    "bands",
    "data",
    "esr_over_time",
    "listen",
    "phrase",
    "provenance",
    "realtime",
    "scores",
    "spectrograms",
    "spectrum",
    "summary",
    "training",
]
NOTHING = Scores(None, None, None, None, None, None, None, {})


def body(name, data):
    (section,) = find([name])
    return section.write(data)


def test_all_are_registered():
    assert set(ALL) <= set(report.names())


@pytest.mark.parametrize("name", ALL)
def test_each_renders(name, data):
    assert len(body(name, data)) > 100


@pytest.mark.parametrize("name", ALL)
def test_each_survives_a_run_that_found_nothing(name, changed):
    data = changed(
        scores=NOTHING,
        baseline=NOTHING,
        baseline_gain=0.0,
        aliasing=None,
        esr_over_time=(),
        attacks=0,
        onsets=(),
        excerpt=None,
        model={},
        history=(),
        realtime=None,
        settings={},
        environment={},
        findings=(),
    )
    text = body(name, data)
    gone = {
        "aliasing", "attack", "bands", "esr_over_time", "listen", "phrase", "realtime",
        "spectrograms", "spectrum", "training",
    }  # fmt: skip
    assert (text is None) == (name in gone)
    assert "None" not in (text or "")
    assert "nan" not in (text or "")


@pytest.mark.parametrize("name", ["listen", "phrase", "attack", "spectrum", "spectrograms"])
@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(4410, np.float32),
        np.full(4410, np.nan, np.float32),
        np.full(4410, 1e30, np.float32),
        np.ones(1, np.float32),
        np.ones(100, np.float32),
    ],
    ids=["silent", "nan", "huge", "one sample", "short"],
)
def test_each_survives_extreme_sound(name, samples, changed):
    target = np.linspace(-0.5, 0.5, len(samples), dtype=np.float32)
    for sides in ((samples, samples, samples), (target, target, samples)):
        excerpt = Excerpt("take", 0.0, 44_100, *sides, attack=None)
        text = str(body(name, changed(excerpt=excerpt, onsets=())))
        assert 'd="nan' not in text
        assert "Lnan" not in text
        assert ":nan%" not in text


@pytest.mark.parametrize("value", [0.0, 1e-30, 1e30, 1.0])
@pytest.mark.parametrize("name", ["summary", "scores", "esr_over_time", "bands", "training"])
def test_each_survives_extreme_scores(name, value, changed):
    level = 10 * math.log10(value) if value else -100.0
    scores = Scores(value, value, value, value, level, value, value, {"63": level})
    data = changed(
        scores=scores,
        esr_over_time=((0.0, value),),
        history=[Epoch(1, 1.0, value, value, 1e-3)],
    )
    assert "nan" not in str(body(name, data))


def test_undefined_scores_are_dashes(changed):
    text = body("scores", changed(scores=replace(NOTHING, esr=0.5), baseline=NOTHING))
    assert text.count("<b>\N{EN DASH}</b>") == 6
    assert "<b>0.500</b>" in text


def test_a_score_worse_than_doing_nothing_says_so(changed, data):
    assert "Worse than doing nothing" not in body("scores", data)
    worse = replace(data.evaluation.scores, si_sdr=-9.0)
    assert body("scores", changed(scores=worse)).count("Worse than doing nothing") == 1


def test_a_negligible_offset_is_not_called_worse(changed, data):
    small = replace(data.evaluation.scores, dc=1e-4)
    assert "Worse than doing nothing" not in body("scores", changed(scores=small))
    large = replace(data.evaluation.scores, dc=0.01)
    assert "Worse than doing nothing" in body("scores", changed(scores=large))


def test_the_only_epoch_shows_both_losses(data, changed):
    text = body("training", changed(history=data.history[:1]))
    assert "training 0.500" in text
    assert "best: epoch 1, 0.600" in text


def test_the_summary_compares_with_the_unprocessed_input(data, changed):
    assert "49.6 times less error" in body("summary", data)
    poor = replace(data.evaluation.scores, esr=0.9)
    assert "has not learned the effect" in body("summary", changed(scores=poor))


def test_the_best_epoch_is_the_one_of_lowest_validation_loss(data, changed):
    assert "best: epoch 2, 0.240" in body("training", data)
    diverged = [*data.history, Epoch(4, 80.0, math.nan, math.nan, 1e-3)]
    assert "best: epoch 2, 0.240" in body("training", changed(history=diverged))


@pytest.mark.parametrize(
    ("median", "p99", "words"),
    [
        (1_000, 2_000, "with time to spare"),
        (1_000, 9_000, "leave room"),
        (9_000, 13_000, "Not safely"),
        (12_000, 13_000, "No: a block takes longer"),
    ],
)
def test_the_real_time_verdict(median, p99, words, changed):
    block = BlockTime(512, 44_100, median, p99, 11_610.0, median / 11_610, "PyTorch, 1 thread")
    text = body("realtime", changed(realtime=block))
    assert words in text
    assert "11.6 ms" in text
    assert ("times slower" in text) == (median > 11_610)


def test_the_residual_says_by_how_much_it_is_raised(data):
    assert "The residual is raised by" in body("listen", data)


def test_equal_signals_have_a_silent_residual(changed, data):
    excerpt = data.evaluation.excerpt
    equal = replace(excerpt, prediction=excerpt.target)
    text = body("listen", changed(excerpt=equal))
    assert "The residual is silent" in text
    assert "true level" not in text


def test_without_an_attack_the_loudest_moment_is_shown(changed, data):
    excerpt = replace(data.evaluation.excerpt, attack=None)
    target = excerpt.target.copy()
    target[11_025] = -5.0
    text = body("attack", changed(excerpt=replace(excerpt, target=target), onsets=()))
    assert "0 ms is at 0.25 s" in text


def test_settings_are_listed_with_dotted_keys(data):
    text = body("provenance", data)
    assert "<dt>run.seed</dt><dd>7</dd>" in text
    assert "<dt>config.hidden</dt><dd>48</dd>" in text
    assert "<dt>run.name</dt><dd>\N{EN DASH}</dd>" in text
