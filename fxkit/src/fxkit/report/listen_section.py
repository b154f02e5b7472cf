"""The section listen: input, target, prediction and residual at one loudness, in step."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from fxkit.report.axis import Axis, linear_axis
from fxkit.report.chart import Area
from fxkit.report.data import ReportData
from fxkit.report.envelope import envelope
from fxkit.report.registry import section
from fxkit.report.templates import render
from fxkit.report.tracks import Track, pack, residual

__all__ = ["listen"]

COLUMNS = 400

TITLES = {
    "input": ("Input", "what goes in"),
    "target": ("Target", "the real thing"),
    "prediction": ("Model", "what it made"),
    "residual": ("Residual", "the difference"),
}


@section("listen", "Listen")
def listen(data: ReportData) -> Markup | None:
    """Offer the excerpt for comparison by ear."""
    excerpt = data.evaluation.excerpt
    if excerpt is None or not len(excerpt.target):
        return None
    wrong = residual(excerpt.target, excerpt.prediction)
    tracks = pack(
        {
            "input": excerpt.input,
            "target": excerpt.target,
            "prediction": excerpt.prediction,
            "residual": wrong,
        },
        excerpt.sample_rate,
    )
    gains = {track.name: track.gain for track in tracks}
    raised = gains["residual"] - gains["target"]
    return render(
        "listen.html",
        tracks=tracks,
        titles=TITLES,
        waves={track.name: _wave(track) for track in tracks},
        seconds=len(tracks[0].samples) / excerpt.sample_rate,
        excerpt=excerpt,
        raised=raised,
        true_gain=min(1.0, 10 ** (-raised / 20)),
        silent=not wrong.any(),
    )


def _wave(track: Track) -> Markup:
    """Draw a track's waveform over the seek bar, filling it whatever its peak."""
    x, low, high = envelope(track.samples, COLUMNS)
    peak = max(float(np.abs(track.samples).max()), 1e-6)
    thin = 0.012 * peak  # silence is still a line
    area = Area(x, low - thin, high + thin, track.name)
    return Markup(area.svg(linear_axis(0, max(1.0, float(x[-1]))), Axis(-peak, peak)))
