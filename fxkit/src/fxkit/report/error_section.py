"""The sections bands, esr_over_time and aliasing: where the error is."""

from __future__ import annotations

import math

import numpy as np
from markupsafe import Markup

from fxkit.report import words
from fxkit.report.axis import Axis, Tick, decade_axis, frequency_axis, linear_axis
from fxkit.report.chart import Bars, Chart, Legend, Line, Mark, Rule
from fxkit.report.data import ReportData
from fxkit.report.registry import section
from fxkit.report.templates import render

__all__ = ["aliasing", "bands", "esr_over_time"]


@section("bands", "Error by octave")
def bands(data: ReportData) -> Markup | None:
    """Show how far the error lies below the target in each octave band."""
    model, baseline = data.evaluation.scores.bands, data.evaluation.baseline.bands
    centres = [c for c in model if math.isfinite(model[c])]
    if not centres:
        return None
    values = [-model[c] for c in centres]
    others = [-baseline.get(c, math.nan) for c in centres]
    finite = [v for v in (*values, *others) if math.isfinite(v)]
    span = linear_axis(min(0.0, *finite), max(10.0, *finite), unit="dB", exact=False)
    slots = np.arange(len(centres))
    ticks = tuple(
        Tick((i + 0.5) / len(centres), _hertz(float(c)), i % 2 == 1) for i, c in enumerate(centres)
    )
    marks: list[Mark] = [
        Bars(slots + 0.12, slots + 0.48, others, 0.0, "input"),
        Bars(slots + 0.52, slots + 0.88, values, 0.0, "prediction"),
        Rule(0.0, "", "zero"),
    ]
    worst = min(range(len(values)), key=values.__getitem__)
    spoken = ", ".join(
        f"{_hertz(float(c))} Hz {v:.0f} dB" for c, v in zip(centres, values, strict=True)
    )
    chart = Chart(
        Axis(0, len(centres), ticks, "Hz"),
        span,
        marks,
        f"How far the model's error lies below the target in each octave: {spoken}",
        legend=[
            Legend("prediction", "Model", "bar"),
            Legend("input", "Unprocessed input at its best gain", "bar"),
        ],
    )
    return render(
        "charts.html",
        lead="How far below the target the error lies in each octave. Higher is better; at 0 dB "
        "the error is as loud as the target.",
        charts=[chart],
        caption=f"The weakest octave is the one around {_hertz(float(centres[worst]))} Hz, "
        f"{words.decibels(values[worst])} below the target. Octaves in which the target holds next "
        "to nothing are left out.",
    )


@section("esr_over_time", "Error over time")
def esr_over_time(data: ReportData) -> Markup | None:
    """Show the ESR of every second of the held-out part."""
    points = [(t, e) for t, e in data.evaluation.esr_over_time if math.isfinite(e)]
    if not points:
        return None
    starts, values = (np.array(column) for column in zip(*points, strict=True))
    esr, baseline = data.evaluation.scores.esr, data.evaluation.baseline.esr
    shown = [*values, *(v for v in (esr, baseline) if v is not None)]
    axis = decade_axis(np.array(shown), unit="ESR")
    marks: list[Mark] = [
        Bars(starts + 0.06, starts + 0.94, np.maximum(values, axis.low), axis.low, "prediction")
    ]
    if esr:
        marks.append(Rule(esr, f"all of it: {words.number(esr)}", "overall"))
    if baseline:
        marks.append(Rule(baseline, f"unprocessed: {words.number(baseline)}", "input"))
    end = max(data.evaluation.seconds, float(starts[-1]) + 1)
    worst = int(np.argmax(values))
    chart = Chart(
        linear_axis(0, end, unit="s", count=8),
        axis,
        marks,
        f"ESR of each second: {words.number(values.min())} to {words.number(values.max())}",
    )
    return render(
        "charts.html",
        lead="The error-to-signal ratio of each second of the held-out part. Even bars mean that "
        "the model does as well on every kind of playing.",
        charts=[chart],
        caption=f"Highest at {starts[worst]:.0f} s ({words.number(float(values[worst]))}). Quiet "
        "seconds count little in the whole, however high their bars. Silent ones are left out.",
    )


@section("aliasing", "Aliasing")
def aliasing(data: ReportData) -> Markup | None:
    """Show what the model adds at frequencies that are no harmonics."""
    found = data.evaluation.aliasing
    if found is None or not found.points:
        return None
    levels = sorted({p.level for p in found.points})[-3:]
    ratios = [p.ratio for p in found.points if math.isfinite(p.ratio)]
    frequencies = sorted({p.frequency for p in found.points})
    kinds = ("input", "target", "prediction")[-len(levels) :]
    lines = []
    for level, kind in zip(levels, kinds, strict=True):
        points = sorted((p.frequency, p.ratio) for p in found.points if p.level == level)
        lines.append(Line([f for f, _ in points], [r for _, r in points], kind))
    low = max(-120.0, min([-60.0, *ratios]))
    chart = Chart(
        frequency_axis(frequencies[0] / 1.1, frequencies[-1] * 1.1 + 1),
        linear_axis(low, max([0.0, *ratios]), unit="dB", exact=False),
        lines,
        f"Aliasing against the frequency of a sine; at worst {words.decibels(found.worst)}",
        height=13,
        legend=[
            Legend(kind, f"Sine at {words.decibels(level)}")
            for level, kind in zip(levels, kinds, strict=True)
        ],
    )
    return render(
        "charts.html",
        lead="A sine should come back with harmonics only. Whatever else appears is aliasing, "
        "heard as a whistle that moves against the notes on high bends.",
        charts=[chart],
        caption=f"Energy that is at no harmonic, over all energy: {words.decibels(found.mean)} "
        f"on average, {words.decibels(found.worst)} at worst. "
        f"Below {words.decibels(-60)} is rarely heard.",
    )


def _hertz(frequency: float) -> str:
    return f"{frequency / 1000:g}k" if frequency >= 1000 else f"{frequency:g}"
