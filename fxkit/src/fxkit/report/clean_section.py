"""The sections cleaned and overtones: what became of the distortion."""

from __future__ import annotations

import math

import numpy as np
from markupsafe import Markup

from fxkit.metrics.overtones import Overtones, overtones
from fxkit.report import words
from fxkit.report.axis import Axis, Tick, frequency_axis, linear_axis
from fxkit.report.chart import Bars, Chart, Image, Legend, Line, Rule
from fxkit.report.data import ReportData
from fxkit.report.registry import section
from fxkit.report.spectrum import spectrogram, spectrogram_uri
from fxkit.report.templates import render

__all__ = ["cleaned", "harmonics"]

SPAN = 80.0
"""How many dB the spectrograms show."""
FLOOR = -70.0
"""dB re the true signal's energy: the lowest bar of the chart."""


@section("cleaned", "Distorted, cleaned, true")
def cleaned(data: ReportData) -> Markup | None:
    """Show the three spectrograms side by side, and what was gained over the input."""
    evaluation = data.evaluation
    excerpt = evaluation.excerpt
    if excerpt is None or len(excerpt.target) < 64:
        return None
    high = min(20_000.0, 0.48 * excerpt.sample_rate)
    low = min(60.0, high / 8)
    shown = {
        "Distorted: what goes in": excerpt.input,
        "Cleaned: what the model made": excerpt.prediction,
        "True: the dry guitar": excerpt.target,
    }
    pictures = {
        title: spectrogram(
            np.nan_to_num(x, posinf=0.0, neginf=0.0), excerpt.sample_rate, low=low, high=high
        )
        for title, x in shown.items()
    }
    # The distorted one is shown at its own level, the other two at that of the true one.
    first, *_, last = pictures
    loudest = float(pictures[last].max())
    time = linear_axis(0, len(excerpt.target) / excerpt.sample_rate, unit="s", count=4)
    charts = []
    for title, energy in pictures.items():
        reference = float(energy.max()) if title == first else loudest
        picture = Image(spectrogram_uri(energy, reference=reference, span=SPAN))
        charts.append(
            Chart(
                time,
                frequency_axis(low, high),
                [picture],
                f"Spectrogram: {title}",
                height=15,
                title=title,
            )
        )
    return render(
        "cleaned.html",
        charts=charts,
        before=evaluation.baseline.si_sdr,
        after=evaluation.scores.si_sdr,
        gained=gained(evaluation.scores.si_sdr, evaluation.baseline.si_sdr),
        span=SPAN,
    )


def gained(after: float | None, before: float | None) -> float | None:
    """Return by how many dB a score went up; None where one is not defined."""
    return None if after is None or before is None else after - before


@section("overtones", "Harmonics removed and left")
def harmonics(data: ReportData) -> Markup | None:
    """Show, octave by octave, what distortion had added and what is left of it."""
    excerpt = data.evaluation.excerpt
    if excerpt is None:
        return None
    found = overtones(excerpt.input, excerpt.prediction, excerpt.target, excerpt.sample_rate)
    if found is None:
        return None
    whole, octaves = found
    return render(
        "overtones.html",
        whole=whole,
        chart=_chart(octaves),
        level=lambda ratio: words.decibels(10 * math.log10(max(ratio, 1e-10)), sign=True),
    )


def _chart(octaves: dict[str, Overtones]) -> Chart:
    names = list(octaves)
    slots = np.arange(len(names))
    ticks = tuple(
        Tick((i + 0.5) / len(names), _hertz(float(name)), i % 2 == 1)
        for i, name in enumerate(names)
    )
    added, left, lost = (
        [_level(getattr(octaves[name], field)) for name in names]
        for field in ("added", "left", "lost")
    )
    spoken = ", ".join(
        f"{_hertz(float(name))} Hz {octaves[name].removed:.0f} dB removed" for name in names
    )
    # A step for each octave: three bars would be too thin on a phone.
    edges = np.repeat(np.arange(len(names) + 1), 2)[1:-1] if names else np.zeros(0)
    return Chart(
        Axis(0, max(1, len(names)), ticks, "Hz"),
        linear_axis(FLOOR, max(0.0, *added, *left), unit="dB", exact=False),
        [
            Bars(slots + 0.12, slots + 0.48, added, FLOOR, "input"),
            Bars(slots + 0.52, slots + 0.88, left, FLOOR, "prediction"),
            Line(edges, np.repeat(lost, 2), "residual dashed"),
            Rule(0.0, "", "zero"),
        ],
        f"What distortion added in each octave, and what is left: {spoken}",
        legend=[
            Legend("input", "Added by the distortion", "bar"),
            Legend("prediction", "Left by the model", "bar"),
            Legend("residual dashed", "True sound lost"),
        ],
    )


def _level(ratio: float) -> float:
    return max(FLOOR, 10 * math.log10(max(ratio, 1e-12)))


def _hertz(frequency: float) -> str:
    return f"{frequency / 1000:g}k" if frequency >= 1000 else f"{frequency:g}"
