"""The tables and words of a search."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from fxkit.report import words
from fxkit.report.run_section import flat
from fxkit.report.study_data import StudyData
from fxkit.report.templates import render

__all__ = ["found", "provenance", "summary", "trials"]


def summary(data: StudyData) -> Markup:
    """Show the best trial, and how much work it was."""
    ended = [t for t in data.trials if t.state in ("complete", "pruned")]
    complete = [t for t in ended if t.state == "complete"]
    best = next(t for t in complete if t.number == data.front[0])
    start = next((t for t in complete if t.number == 0), None)
    esr = best.esr if data.final is None else data.final.scores.esr
    return render(
        "study_summary.html",
        esr=esr,
        final=data.final is not None,
        best=best,
        start=start if start is not best else None,
        began_best=start is best,
        complete=len(complete),
        pruned=len(ended) - len(complete),
        seconds=sum(t.seconds for t in ended),
        searched=len(data.space),
        epochs=len(data.final_history),
        stopped=data.stopped,
    )


def found(data: StudyData) -> Markup | None:
    """Show the recipe of the best trial; with a Pareto front, each point has its own."""
    if len(data.objectives) > 1:
        return None
    number = data.front[0]
    return render(
        "study_found.html",
        command=data.commands.get(number, ""),
        recipe=data.recipes.get(number, ""),
    )


def trials(data: StudyData) -> Markup:
    """List every trial."""
    keys = list(data.space)
    rows = [
        {
            "top": t.number in data.front,
            "quiet": t.state != "complete",
            "cells": [
                str(t.number),
                t.state,
                *(_text(t.params.get(key)) for key in keys),
                *(words.number(v) for v in t.values or [None] * len(data.objectives)),
                words.number(t.esr),
                str(len(t.curve)),
                words.duration(t.seconds) if t.seconds else words.DASH,
                t.note,
            ],
        }
        for t in data.trials
    ]
    heads = ["trial", "state", *(key.partition(".")[2] for key in keys)]
    heads += [*data.objectives, "ESR", "epochs", "time", ""]
    if "esr" in data.objectives:
        position = heads.index("ESR")
        heads.pop(position)
        for row in rows:
            row["cells"].pop(position)  # type: ignore[attr-defined]
    return render("study_trials.html", heads=heads, rows=rows)


def provenance(data: StudyData) -> Markup:
    """List every setting, and the machine."""
    tables = {
        "Settings": list(flat(data.settings)),
        "Machine and versions": list(flat(data.environment)),
    }
    return render("provenance.html", tables={t: rows for t, rows in tables.items() if rows})


def _text(value: Any) -> str:
    if value is None:
        return words.DASH
    return words.number(value) if isinstance(value, float) else str(value)
