"""The sections spectrum and spectrograms: the tone colour of input, target and model."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from fxkit.report.axis import frequency_axis, linear_axis
from fxkit.report.chart import Chart, Image, Legend, Line
from fxkit.report.data import ReportData
from fxkit.report.registry import section
from fxkit.report.spectrum import power_spectrum, spectrogram, spectrogram_uri
from fxkit.report.templates import render
from fxkit.report.tracks import residual
from fxkit.scores import Excerpt

__all__ = ["spectrograms", "spectrum"]

Samples = NDArray[np.float32]

STYLES = {
    "input": "input",
    "target": "target wide",
    "prediction": "prediction",
    "residual": "residual dashed",
}
SPAN = 80.0
"""How many dB the charts show."""


@section("spectrum", "Power spectrum")
def spectrum(data: ReportData) -> Markup | None:
    """Show the mean power of the excerpt at each frequency."""
    excerpt = data.evaluation.excerpt
    if excerpt is None or len(excerpt.target) < 64:
        return None
    low, high = _limits(excerpt, 40.0)
    curves = {
        name: power_spectrum(samples, excerpt.sample_rate, low=low, high=high)
        for name, samples in _signals(excerpt).items()
    }
    # The input is brought to the target's energy: it is the shape that is compared.
    energy = {name: float(power.sum()) for name, (_, power) in curves.items()}
    if energy["input"] > 0 and energy["target"] > 0:
        frequencies, power = curves["input"]
        curves["input"] = frequencies, power * (energy["target"] / energy["input"])
    top = max(float(curves["target"][1].max(initial=0.0)), 1e-20)
    lines = [
        Line(frequencies, _decibels(power, top), STYLES[name])
        for name, (frequencies, power) in curves.items()
    ]
    chart = Chart(
        frequency_axis(low, high),
        linear_axis(-SPAN, 6, unit="dB", count=5),
        lines,
        "Power spectra of input, target, model and residual",
        height=20,
        legend=[
            Legend(STYLES["target"], "Target"),
            Legend("prediction", "Model"),
            Legend("input", "Input, at the target's energy"),
            Legend(STYLES["residual"], "Residual"),
        ],
    )
    return render(
        "charts.html",
        lead="The tone, averaged over the phrase. The lower the residual lies under the target, "
        "the smaller the error at that frequency: 20 dB is a tenth of its amplitude.",
        charts=[chart],
        caption="Averaged over 1/12 octave; 0 dB is the strongest frequency of the target.",
    )


@section("spectrograms", "Spectrograms")
def spectrograms(data: ReportData) -> Markup | None:
    """Show how the tone moves in time."""
    excerpt = data.evaluation.excerpt
    if excerpt is None or len(excerpt.target) < 64:
        return None
    low, high = _limits(excerpt, 60.0)
    pictures = {
        name: spectrogram(samples, excerpt.sample_rate, low=low, high=high)
        for name, samples in _signals(excerpt).items()
    }
    loudest = float(pictures["target"].max())
    titles = {
        "input": "Input",
        "target": "Target",
        "prediction": "Model",
        "residual": "Residual",
    }
    time = linear_axis(0, len(excerpt.target) / excerpt.sample_rate, unit="s", count=6)
    charts = []
    for name, energy in pictures.items():
        reference = float(energy.max()) if name == "input" else loudest
        picture = Image(spectrogram_uri(energy, reference=reference, span=SPAN))
        charts.append(
            Chart(
                time,
                frequency_axis(low, high),
                [picture],
                f"Spectrogram: {titles[name]}",
                height=12,
                title=titles[name],
            )
        )
    return render(
        "charts.html",
        lead="Time runs to the right, pitch upwards, and bright is loud. Target and model should "
        "look alike; the residual should be dark.",
        charts=charts,
        columns=2,
        caption=f"The brightest colour is the loudest moment of the target (for the input, its "
        f"own); black lies {SPAN:.0f} dB below it.",
    )


def _signals(excerpt: Excerpt) -> dict[str, Samples]:
    return {
        "input": _finite(excerpt.input),
        "target": _finite(excerpt.target),
        "prediction": _finite(excerpt.prediction),
        "residual": residual(excerpt.target, excerpt.prediction),
    }


def _finite(samples: Samples) -> Samples:
    return np.nan_to_num(samples, posinf=0.0, neginf=0.0)


def _limits(excerpt: Excerpt, low: float) -> tuple[float, float]:
    high = min(20_000.0, 0.48 * excerpt.sample_rate)
    return min(low, high / 8), high


def _decibels(power: NDArray[np.float64], top: float) -> NDArray[np.float64]:
    return 10 * np.log10(np.maximum(power / top, 1e-15))
