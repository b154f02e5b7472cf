"""Charts as HTML and inline SVG: sharp at any size, and coloured by the page's style sheet.

The plot area is an SVG that stretches with the page, and its labels are HTML beside it, so that
one chart serves a phone and a wide screen with letters of the same size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike, NDArray

from fxkit.report.axis import Axis
from fxkit.report.templates import render

__all__ = ["Area", "Bars", "Chart", "Image", "Legend", "Line", "Mark", "Point", "Rule", "Shade"]

Floats = NDArray[np.float64]
_SIZE = 1000.0
"""Side of the plot area in SVG units; y grows downwards."""


@dataclass(frozen=True)
class Line:
    """A polyline; gaps where a value is not finite."""

    x: ArrayLike
    y: ArrayLike
    kind: str
    """Class in the style sheet: ``target``, ``prediction``, ``input``, ``residual``..."""

    def svg(self, x: Axis, y: Axis) -> str:
        """Draw it."""
        return f'<path class="line {self.kind}" d="{_path(x.place(self.x), y.place(self.y))}"/>'


@dataclass(frozen=True)
class Area:
    """The band between two curves, as the envelope of a waveform."""

    x: ArrayLike
    low: ArrayLike
    high: ArrayLike
    kind: str

    def svg(self, x: Axis, y: Axis) -> str:
        """Draw it."""
        across = x.place(self.x)
        outline = _path(
            np.concatenate((across, across[::-1])),
            np.concatenate((y.place(self.high), y.place(self.low)[::-1])),
        )
        return f'<path class="area {self.kind}" d="{outline}Z"/>' if outline else ""


@dataclass(frozen=True)
class Bars:
    """Bars from `base` to each value."""

    left: ArrayLike
    right: ArrayLike
    value: ArrayLike
    base: float
    kind: str

    def svg(self, x: Axis, y: Axis) -> str:
        """Draw them."""
        zero = float(y.place([self.base])[0])
        places = zip(x.place(self.left), x.place(self.right), y.place(self.value), strict=True)
        return "".join(
            f'<rect class="bar {self.kind}" x="{_text(a * _SIZE)}" width="{_text((b - a) * _SIZE)}"'
            f' y="{_text((1 - max(v, zero)) * _SIZE)}" height="{_text(abs(v - zero) * _SIZE)}"/>'
            for a, b, v in places
            if math.isfinite(a + b + v)
        )


@dataclass(frozen=True)
class Shade:
    """A stretch of the x axis, tinted."""

    start: float
    stop: float
    kind: str = "window"

    def svg(self, x: Axis, y: Axis) -> str:
        """Draw it."""
        del y
        a, b = (float(v) * _SIZE for v in x.place([self.start, self.stop]))
        return (
            f'<rect class="shade {self.kind}" x="{_text(a)}" width="{_text(b - a)}"'
            f' y="0" height="{_text(_SIZE)}"/>'
        )


@dataclass(frozen=True)
class Image:
    """A picture that fills the plot area."""

    uri: str
    """A ``data:`` address."""

    def svg(self, x: Axis, y: Axis) -> str:
        """Draw it."""
        del x, y
        return f'<image href="{self.uri}" width="1000" height="1000" preserveAspectRatio="none"/>'


@dataclass(frozen=True)
class Rule:
    """A horizontal line at `y` across the plot, with a few words on it."""

    y: float
    text: str
    kind: str = "rule"

    def svg(self, x: Axis, y: Axis) -> str:
        """Draw it; the words are placed by the template."""
        del x
        across = _path(np.array([0.0, 1.0]), y.place([self.y] * 2))
        return f'<path class="line {self.kind}" d="{across}"/>'


@dataclass(frozen=True)
class Point:
    """A marked point with a few words beside it."""

    x: float
    y: float
    text: str
    kind: str = "best"

    def svg(self, x: Axis, y: Axis) -> str:
        """Draw nothing: a dot in a stretched picture would be no circle; the template places it."""
        del x, y
        return ""


Mark = Line | Area | Bars | Shade | Image | Rule | Point


@dataclass(frozen=True)
class Legend:
    """One entry of a legend."""

    kind: str
    text: str
    shape: str = "line"
    """``line``, ``area`` or ``bar``."""


@dataclass(frozen=True)
class Chart:
    """A plot area with two axes; `str` or a template turns it into HTML."""

    x: Axis
    y: Axis
    marks: Sequence[Mark]
    summary: str
    """What it shows, in words, for those who cannot see it."""
    height: float = 15.0
    """Of the plot area, in ``rem``."""
    title: str = ""
    legend: Sequence[Legend] = ()

    @property
    def two_lines(self) -> bool:
        """Whether a label of the x axis has two lines."""
        return any("\n" in tick.text for tick in self.x.ticks)

    def __html__(self) -> str:
        """Return the chart as HTML."""
        return str(self.html())

    def html(self) -> Markup:
        """Return the chart as HTML."""
        drawn = Markup("".join(mark.svg(self.x, self.y) for mark in self.marks))
        return render(
            "chart.html",
            chart=self,
            drawn=drawn,
            labels=[_label(m, self.x, self.y) for m in self.marks if isinstance(m, Rule | Point)],
        )


def _label(mark: Rule | Point, x: Axis, y: Axis) -> dict[str, object]:
    up = float(y.place([mark.y])[0])
    across = float(x.place([mark.x])[0]) if isinstance(mark, Point) else 1.0
    return {
        "dot": isinstance(mark, Point),
        "kind": mark.kind,
        "text": mark.text,
        "left": 100 * across,
        "bottom": 100 * min(1.0, max(0.0, up)),
        "flip": across > 0.6,
        "under": up > 0.15 if isinstance(mark, Point) else up > 0.85,
    }


def _path(x: Floats, y: Floats) -> str:
    """Return SVG path data for places 0..1, y upwards; places far outside are drawn at the edge."""
    across = np.round(x * _SIZE, 1)
    down = np.round((1 - np.clip(y, -1, 2)) * _SIZE, 1)
    parts: list[str] = []
    pen = "M"
    for a, b in zip(across.tolist(), down.tolist(), strict=True):
        if not math.isfinite(a + b):
            pen = "M"
            continue
        parts.append(f"{pen}{a:g} {b:g}")
        pen = "L"
    return "".join(parts)


def _text(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
