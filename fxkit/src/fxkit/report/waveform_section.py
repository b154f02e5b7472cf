"""The sections phrase and attack: the model's waveform laid over its target's."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from fxkit.report import words
from fxkit.report.axis import Axis, linear_axis
from fxkit.report.chart import Area, Chart, Legend, Line, Mark, Shade
from fxkit.report.data import ReportData
from fxkit.report.envelope import envelope
from fxkit.report.registry import section
from fxkit.report.templates import render
from fxkit.report.tracks import residual
from fxkit.scores import Excerpt

__all__ = ["attack", "phrase"]

Samples = NDArray[np.float32]

COLUMNS = 900
WHOLE, CLOSE = (-10.0, 60.0), (-2.0, 14.0)
"""What is shown around an attack, ms."""
SCORED = (-5.0, 50.0)
"""What counts as the attack in the scores, ms."""


@section("phrase", "A phrase")
def phrase(data: ReportData) -> Markup | None:
    """Show the whole excerpt as envelopes."""
    excerpt = data.evaluation.excerpt
    if excerpt is None or not len(excerpt.target):
        return None
    time = linear_axis(0, len(excerpt.target) / excerpt.sample_rate, unit="s", count=8)
    wrong = residual(excerpt.target, excerpt.prediction)
    full = _level_axis(excerpt.target, excerpt.prediction)
    charts = [
        Chart(
            time,
            _level_axis(excerpt.input),
            [_area(excerpt.input, "input", excerpt.sample_rate)],
            "Envelope of the input over time",
            height=6,
            legend=[Legend("input", "Input", "area")],
        ),
        Chart(
            time,
            full,
            [
                _area(excerpt.target, "target", excerpt.sample_rate),
                *_outline(excerpt.prediction, "prediction", excerpt.sample_rate),
            ],
            "Envelopes of target and model over time, one over the other",
            height=13,
            legend=[Legend("target", "Target", "area"), Legend("prediction", "Model")],
        ),
        Chart(
            time,
            full,
            [_area(wrong, "residual", excerpt.sample_rate)],
            "Envelope of the residual over time, on the scale of the target",
            height=6,
            legend=[Legend("residual", "Residual, on the same scale", "area")],
        ),
    ]
    where = f"{words.duration(excerpt.start)} into {excerpt.take}"
    return render(
        "charts.html",
        lead="A passage that the model never heard in training. Where the orange outline lies on "
        "the edge of the blue, the model follows the dynamics.",
        charts=charts,
        caption=f"From {where}. Full scale is ±1.",
    )


@section("attack", "An attack")
def attack(data: ReportData) -> Markup | None:
    """Show the samples around one note attack."""
    excerpt = data.evaluation.excerpt
    if excerpt is None or len(excerpt.target) < 2:
        return None
    at = _attack_of(excerpt, data.evaluation.onsets)
    rate = excerpt.sample_rate
    around = _Around(excerpt, at, data.evaluation.baseline_gain)
    charts = [
        around.chart(WHOLE, "Target and model around a note attack", height=13),
        around.chart(CLOSE, "The first milliseconds, closer", height=15, with_input=True),
        around.residual_chart(WHOLE, height=6),
    ]
    return render(
        "charts.html",
        lead="The first milliseconds of a note are the hardest part for a model with a memory: "
        "this is where it has to be as fast as the circuit. Above the whole attack, in the middle "
        "its beginning, below what is wrong.",
        charts=charts,
        caption=f"0 ms is at {at / rate:.2f} s of the phrase. "
        "Shaded: \N{MINUS SIGN}5 to +50 ms, what the score at note attacks counts.",
    )


class _Around:
    """The signals around one moment, as charts over milliseconds."""

    def __init__(self, excerpt: Excerpt, at: int, input_gain: float) -> None:
        self.rate = excerpt.sample_rate
        self.at = at
        self.input = excerpt.input * np.float32(input_gain)
        self.target = excerpt.target
        self.prediction = excerpt.prediction
        self.residual = residual(excerpt.target, excerpt.prediction)
        start, stop = self.window(WHOLE)
        self.level = _level_axis(self.target[start:stop], self.prediction[start:stop])

    def window(self, span: tuple[float, float]) -> tuple[int, int]:
        """Return the samples of a span in ms around the attack, as far as there are any."""
        start, stop = (self.at + round(ms * self.rate / 1000) for ms in span)
        return max(0, start), min(len(self.target), stop)

    def axis(self, span: tuple[float, float]) -> tuple[NDArray[np.float64], Axis, Shade]:
        start, stop = self.window(span)
        ms = (np.arange(start, stop) - self.at) * 1000 / self.rate
        first, last = float(ms[0]), float(ms[-1])
        shade = Shade(max(SCORED[0], first), max(first, min(SCORED[1], last)))
        return ms, linear_axis(first, last, unit="ms", count=8), shade

    def chart(
        self, span: tuple[float, float], summary: str, *, height: float, with_input: bool = False
    ) -> Chart:
        ms, time, shade = self.axis(span)
        part = slice(*self.window(span))
        lines = [
            Line(ms, self.target[part], "target wide"),
            Line(ms, self.prediction[part], "prediction"),
        ]
        legend = [Legend("target wide", "Target"), Legend("prediction", "Model")]
        if with_input:
            lines.insert(0, Line(ms, self.input[part], "input"))
            legend.append(Legend("input", "Input at its best gain"))
        marks: list[Mark] = [shade, *lines]
        return Chart(time, self.level, marks, summary, height=height, legend=legend)

    def residual_chart(self, span: tuple[float, float], *, height: float) -> Chart:
        ms, time, shade = self.axis(span)
        return Chart(
            time,
            self.level,
            [shade, Line(ms, self.residual[slice(*self.window(span))], "residual")],
            "Residual around the attack, on the scale of the target",
            height=height,
            legend=[Legend("residual", "Residual, on the same scale")],
        )


def _attack_of(excerpt: Excerpt, onsets: tuple[int, ...]) -> int:
    """Return the clearest attack of the excerpt; its loudest moment where none was found."""
    if excerpt.attack is not None:
        return min(max(0, excerpt.attack), len(excerpt.target) - 1)
    if onsets:
        return min(max(0, onsets[0]), len(excerpt.target) - 1)
    return int(np.argmax(np.abs(np.nan_to_num(excerpt.target))))


def _level_axis(*signals: Samples) -> Axis:
    peak = max(float(np.abs(np.nan_to_num(x, posinf=0, neginf=0)).max()) for x in signals)
    peak = min(max(peak * 1.05, 1e-6), 1e6)
    return linear_axis(-peak, peak, count=6)


def _area(samples: Samples, kind: str, sample_rate: int) -> Area:
    x, low, high = envelope(samples, COLUMNS)
    return Area(x / sample_rate, low, high, kind)


def _outline(samples: Samples, kind: str, sample_rate: int) -> list[Line]:
    x, low, high = envelope(samples, COLUMNS)
    return [Line(x / sample_rate, low, kind), Line(x / sample_rate, high, kind)]
