"""The sections summary and scores: how good the model is, in numbers and in words."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from fxkit.report import words
from fxkit.report.data import ReportData
from fxkit.report.registry import section
from fxkit.report.templates import render
from fxkit.scores import Evaluation, Scores

__all__ = ["METRICS", "Metric"]

NO_OFFSET = 1e-3
"""DC errors below this are of no consequence: 30 dB below the target."""


@dataclass(frozen=True)
class Metric:
    """How one of the scores is shown."""

    title: str
    says: Callable[[Evaluation], str]
    """What its value means, in plain words."""
    show: Callable[[float | None], str] = words.number
    higher_is_better: bool = False
    negligible: float = 0.0
    """Errors below this are never called worse than another."""


def _esr_says(evaluation: Evaluation) -> str:
    return words.esr_meaning(evaluation.scores.esr)


def _treble_says(evaluation: Evaluation) -> str:
    value = evaluation.scores.esr_pre_emphasised
    if value is None:
        return words.esr_meaning(None)
    return f"With treble weighed up, as ears do, the error is {words.relative_decibels(value)}."


def _mrstft_says(evaluation: Evaluation) -> str:
    factor = _ratio(evaluation.baseline.mrstft, evaluation.scores.mrstft)
    against = f" This is {factor:.1f} times nearer than the unprocessed input." if factor else ""
    return "Difference in tone colour, whatever the phase; 0 is perfect." + against


def _si_sdr_says(evaluation: Evaluation) -> str:
    model, baseline = evaluation.scores.si_sdr, evaluation.baseline.si_sdr
    words_ = "How far the target stands above the error, whatever the volume."
    if model is None or baseline is None:
        return words_
    return f"{words_} {words.decibels(model - baseline, sign=True)} against the unprocessed input."


def _attack_says(evaluation: Evaluation) -> str:
    found = words.amount(evaluation.attacks, "note attack")
    factor = _ratio(evaluation.scores.esr_attack, evaluation.scores.esr_elsewhere)
    if factor is None:
        return f"Around pick attacks, \N{MINUS SIGN}5 to +50 ms ({found} found)."
    if factor >= 1.5:
        judged = f"{factor:.1f} times worse than elsewhere: attacks are what it gets least right"
    elif factor <= 1 / 1.5:
        judged = "better than elsewhere"
    else:
        judged = "about as good as elsewhere"
    return f"Around pick attacks, \N{MINUS SIGN}5 to +50 ms ({found} found): {judged}."


def _elsewhere_says(evaluation: Evaluation) -> str:
    value = evaluation.scores.esr_elsewhere
    if value is None:
        return words.esr_meaning(None)
    return f"While notes ring, the error is {words.relative_decibels(value)}."


def _dc_says(evaluation: Evaluation) -> str:
    value = evaluation.scores.dc
    if value is None:
        return words.esr_meaning(None)
    if value < NO_OFFSET:
        return "No constant offset worth speaking of."
    return "A constant offset: not heard itself, but it takes headroom and can click when switched."


METRICS = {
    "esr": Metric("Error-to-signal ratio (ESR)", _esr_says),
    "esr_pre_emphasised": Metric("ESR, pre-emphasised", _treble_says),
    "dc": Metric("DC error", _dc_says, negligible=NO_OFFSET),
    "mrstft": Metric("Spectral distance (MRSTFT)", _mrstft_says),
    "si_sdr": Metric(
        "Signal to distortion (SI\N{NON-BREAKING HYPHEN}SDR)",
        _si_sdr_says,
        words.decibels,
        higher_is_better=True,
    ),
    "esr_attack": Metric("ESR at note attacks", _attack_says),
    "esr_elsewhere": Metric("ESR elsewhere", _elsewhere_says),
}
"""How each field of `fxkit.scores.Scores` is shown."""


UNSCORED = "Not scored: there was no recording with both sides as they were played to compare with."


@section("summary", "")
def summary(data: ReportData) -> Markup:
    """Open with the one score that counts most, in words, and the facts of the model."""
    evaluation = data.evaluation
    esr, baseline = evaluation.scores.esr, evaluation.baseline.esr
    return render(
        "summary.html",
        data=data,
        esr=esr,
        verdict=words.esr_meaning(esr) if evaluation.seconds else UNSCORED,
        factor=_ratio(baseline, esr),
        facts=_facts(data),
    )


def _facts(data: ReportData) -> list[tuple[str, str, str]]:
    """Return the tiles of the summary: label, value, note."""
    evaluation, model = data.evaluation, data.model
    facts = []
    if evaluation.scores.si_sdr is not None:
        before = words.decibels(evaluation.baseline.si_sdr)
        facts.append(
            (
                "SI\N{NON-BREAKING HYPHEN}SDR",
                words.decibels(evaluation.scores.si_sdr),
                f"unprocessed: {before}",
            )
        )
    if data.realtime is not None:
        share = f"{100 * data.realtime.factor:.3g} %"
        facts.append(("Load when played live", share, f"of one core, {data.realtime.backend}"))
    if data.history:
        note = words.amount(len(data.history), "epoch")
        facts.append(("Training time", words.duration(data.history[-1].seconds), note))
    if "parameters" in model:
        note = str(model.get("name", ""))
        facts.append(("Trained parameters", f"{model['parameters']:,}", f"model {note}"))
    if "latency" in model and "sample_rate" in model:
        late = 1000 * model["latency"] / model["sample_rate"]
        text = f"{late:.1f} ms" if model["latency"] else "none"
        facts.append(("Latency", text, f"at {model['sample_rate'] / 1000:g} kHz"))
    return facts


@section("scores", "Scores")
def scores(data: ReportData) -> Markup | None:
    """Show every metric of the task, beside that of the unprocessed input."""
    if not data.evaluation.seconds:
        return None
    return render(
        "scores.html",
        rows=[_row(name, data.evaluation) for name in data.task.metrics],
        evaluation=data.evaluation,
        gain_db=_gain_decibels(data.evaluation.baseline_gain),
    )


def _row(name: str, evaluation: Evaluation) -> dict[str, object]:
    metric = METRICS.get(name, Metric(name, lambda _: ""))
    model, baseline = _score(evaluation.scores, name), _score(evaluation.baseline, name)
    better = None
    if model is not None and baseline is not None and model != baseline:
        better = (model > baseline) == metric.higher_is_better
        if not metric.higher_is_better and model < metric.negligible:
            better = None
    return {
        "title": metric.title,
        "model": metric.show(model),
        "baseline": metric.show(baseline),
        "says": metric.says(evaluation),
        "better": better,
        "direction": "higher is better" if metric.higher_is_better else "lower is better",
    }


def _score(scores: Scores, name: str) -> float | None:
    value = getattr(scores, name, None)
    return float(value) if isinstance(value, int | float) else None


def _gain_decibels(gain: float) -> str:
    if not gain or not math.isfinite(gain):
        return words.DASH
    inverted = ", inverted" if gain < 0 else ""
    return words.decibels(20 * math.log10(abs(gain)), sign=True) + inverted


def _ratio(above: float | None, below: float | None) -> float | None:
    """Return a ratio, or None where there is none worth stating."""
    if above is None or below is None or not below > 0 or not above > 0:
        return None
    ratio = above / below
    return ratio if math.isfinite(ratio) else None
