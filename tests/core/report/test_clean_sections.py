"""The sections of the clean task: three pictures, overtones, and what an estimate costs."""

import re
from dataclasses import replace

import numpy as np
import pytest
from fxkit.reference import Reference
from fxkit.report import clean_section, estimate_section
from fxkit.tasks.clean import Clean

from fxkit import report


@pytest.fixture
def cleaning(data, changed):
    """The report of a model that takes most of the overtones off."""
    excerpt = data.evaluation.excerpt
    prediction = excerpt.input + 0.05 * (excerpt.target - excerpt.input)
    turned = replace(excerpt, input=excerpt.target, target=excerpt.input, prediction=prediction)
    scores = replace(data.evaluation.scores, si_sdr=11.5)
    baseline = replace(data.evaluation.baseline, si_sdr=2.0)
    return changed(task=Clean(), excerpt=turned, scores=scores, baseline=baseline)


def test_three_spectrograms_stand_side_by_side_with_what_was_gained(cleaning):
    html = clean_section.cleaned(cleaning)
    titles = re.findall(r'class="chart-title">([^<:]+):', html)
    assert titles == ["Distorted", "Cleaned", "True"]
    assert html.count("<image ") == 3
    assert "columns three" in html
    assert "2.0\xa0dB to <b>11.5\xa0dB</b>: +9.5\xa0dB" in html


def test_a_loss_is_not_called_a_gain(cleaning):
    scores = replace(cleaning.evaluation.scores, si_sdr=1.0)
    html = clean_section.cleaned(
        replace(cleaning, evaluation=replace(cleaning.evaluation, scores=scores))
    )
    assert "made it worse" in html
    assert "that is gone" not in html


def test_without_a_score_the_pictures_still_stand(cleaning):
    scores = replace(cleaning.evaluation.scores, si_sdr=None)
    html = clean_section.cleaned(
        replace(cleaning, evaluation=replace(cleaning.evaluation, scores=scores))
    )
    assert html.count("<image ") == 3
    assert "SI-SDR" not in html


def test_harmonics_removed_and_left_are_counted(cleaning):
    html = clean_section.harmonics(cleaning)
    [removed] = re.findall(r"<b>([\d.]+)\xa0dB</b>", html)
    # A twentieth of the amplitude is left; the exact numbers are for test_overtones.
    assert 10 < float(removed) < 40
    assert "Added by the distortion" in html
    assert "True sound lost" in html


def test_a_model_that_adds_overtones_is_told_so(cleaning):
    excerpt = cleaning.evaluation.excerpt
    worse = replace(excerpt, prediction=np.sign(excerpt.input).astype(np.float32))
    html = clean_section.harmonics(
        replace(cleaning, evaluation=replace(cleaning.evaluation, excerpt=worse))
    )
    assert "more than there was" in html


def test_nothing_to_show_is_left_out(cleaning):
    silent = replace(cleaning.evaluation, excerpt=None)
    assert clean_section.cleaned(replace(cleaning, evaluation=silent)) is None
    assert clean_section.harmonics(replace(cleaning, evaluation=silent)) is None
    assert estimate_section.estimate(cleaning) is None


def test_the_whole_page_has_them(cleaning):
    html = report.page(replace(cleaning, estimated=75.0))
    for name in ("cleaned", "overtones", "estimate"):
        assert f'id="{name}"' in html


def reference(cleaning, **scores):
    evaluation = cleaning.evaluation
    return Reference(
        "true-run",
        "demucs",
        "heavy.flac",
        replace(evaluation, scores=replace(evaluation.scores, **scores), excerpt=None),
    )


def test_the_cost_of_an_estimate_is_that_of_its_error(cleaning):
    half = reference(cleaning, esr=cleaning.evaluation.scores.esr / 2)
    html = estimate_section.estimate(replace(cleaning, estimated=75.0, reference=half))
    assert "1 min 15 s" in html
    assert "costs <b>3.0\xa0dB</b> of error" in html
    assert "Beside true-run (demucs, trained on heavy.flac)" in html
    double = reference(cleaning, esr=cleaning.evaluation.scores.esr * 2)
    html = estimate_section.estimate(replace(cleaning, estimated=75.0, reference=double))
    assert "costs nothing" in html


def test_a_reference_without_an_estimate_is_a_plain_comparison(cleaning):
    html = estimate_section.estimate(replace(cleaning, reference=reference(cleaning, si_sdr=9.0)))
    assert "estimate" not in html
    assert "+2.5\xa0dB" in html


def test_scores_of_other_recordings_are_not_compared(cleaning):
    other = reference(cleaning)
    other = replace(other, evaluation=replace(other.evaluation, seconds=1.0))
    html = estimate_section.estimate(replace(cleaning, reference=other))
    assert "do not compare" in html
    assert "<table" not in html


def test_an_estimate_without_a_reference_says_how_to_find_its_cost(cleaning):
    html = estimate_section.estimate(replace(cleaning, estimated=10.0))
    assert "run.reference=RUN" in html
