"""The section estimate: another run beside this one, and what an estimated dry side costs."""

from __future__ import annotations

import math

from markupsafe import Markup

from fxkit.report import words
from fxkit.report.data import ReportData
from fxkit.report.registry import section
from fxkit.report.scores_section import METRICS
from fxkit.report.templates import render

__all__ = ["estimate"]


@section("estimate", "Beside the reference")
def estimate(data: ReportData) -> Markup | None:
    """Compare with the reference run; say what rests on an estimate."""
    reference, estimated = data.reference, data.estimated
    if reference is None and not estimated:
        return None
    rows: list[dict[str, object]] = []
    comparable = reference is not None and reference.comparable(data.evaluation)
    if reference is not None and comparable:
        for name in data.task.metrics:
            metric = METRICS.get(name)
            mine = getattr(data.evaluation.scores, name, None)
            theirs = getattr(reference.evaluation.scores, name, None)
            if metric is None:
                continue
            better = None
            if mine is not None and theirs is not None and mine != theirs:
                better = (mine > theirs) == metric.higher_is_better
            rows.append(
                {
                    "title": metric.title,
                    "mine": metric.show(mine),
                    "theirs": metric.show(theirs),
                    "better": better,
                    "difference": _difference(mine, theirs, name),
                }
            )
    scores = data.evaluation.scores
    return render(
        "estimate.html",
        reference=reference,
        comparable=comparable,
        estimated=estimated,
        scored=data.evaluation.seconds > 0,
        rows=rows,
        cost=_cost(scores.esr, reference.evaluation.scores.esr if reference else None),
    )


def _difference(mine: float | None, theirs: float | None, name: str) -> str:
    if mine is None or theirs is None:
        return words.DASH
    if name == "si_sdr":
        return words.decibels(mine - theirs, sign=True)
    cost = _cost(mine, theirs)
    return words.DASH if cost is None else words.decibels(cost, sign=True)


def _cost(mine: float | None, theirs: float | None) -> float | None:
    """Return by how many dB the error is above that of the reference."""
    if mine is None or theirs is None or mine <= 0 or theirs <= 0:
        return None
    return 10 * math.log10(mine / theirs)
