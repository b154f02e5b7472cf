from __future__ import annotations

import math

import numpy as np
import pytest
from fxkit.report.axis import decade_axis, frequency_axis, linear_axis
from fxkit.report.chart import Area, Bars, Chart, Line, Point, Rule
from fxkit.report.envelope import envelope


def test_linear_places_and_ticks():
    axis = linear_axis(0, 10, count=5)
    np.testing.assert_allclose(axis.place([0, 2.5, 10]), [0, 0.25, 1])
    assert [t.text for t in axis.ticks] == ["0", "2", "4", "6", "8", "10"]


def test_an_inexact_axis_ends_at_ticks():
    axis = linear_axis(-3, 27, exact=False)
    assert (axis.low, axis.high) == (-5, 30)
    assert axis.ticks[0].text == "\N{MINUS SIGN}5"


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (math.nan, math.inf), (2.0, 1.0)])
def test_an_axis_without_a_range_gets_one(low, high):
    axis = linear_axis(low, high)
    assert axis.high > axis.low
    assert axis.ticks


def test_a_decade_axis_places_by_ratio_and_has_no_place_for_zero():
    axis = decade_axis([1.0, 100.0])
    a, b, c, none = axis.place([1, 10, 100, 0])
    assert b - a == pytest.approx(c - b)
    assert math.isnan(none)
    assert {"1", "10", "100"} <= {t.text for t in axis.ticks}


@pytest.mark.parametrize("values", [[], [0.0], [math.nan], [1e-300, 1e300], [0.5, 0.50001]])
def test_a_decade_axis_of_anything_is_usable(values):
    axis = decade_axis(values)
    assert 0 < axis.low < axis.high < math.inf
    assert 1 <= len(axis.ticks) <= 24


def test_frequency_ticks_lie_inside():
    axis = frequency_axis(60, 20_000)
    assert axis.ticks[0].text == "100"
    assert axis.ticks[-1].text == "20k"
    assert axis.ticks[-1].place == pytest.approx(1)


def test_a_line_is_drawn_upwards_and_broken_where_not_finite():
    x, y = linear_axis(0, 4), linear_axis(0, 1)
    path = Line([0, 1, 2, 3, 4], [0, 1, math.nan, 0.5, 0], "target").svg(x, y)
    assert 'd="M0 1000L250 0M750 500L1000 1000"' in path


def test_bars_hang_below_the_base_when_negative():
    x, y = linear_axis(0, 2), linear_axis(-1, 1)
    up, down = Bars([0, 1], [1, 2], [1, -1], 0.0, "input").svg(x, y).split("/>")[:2]
    assert 'y="0" height="500"' in up
    assert 'y="500" height="500"' in down


def test_an_empty_area_draws_nothing():
    assert Area([], [], [], "input").svg(linear_axis(0, 1), linear_axis(0, 1)) == ""


def test_a_chart_speaks_and_escapes_its_words():
    marks = [Point(0.5, 0.5, "best <one>"), Rule(0.2, "limit")]
    html = Chart(linear_axis(0, 1), linear_axis(0, 1), marks, 'what "it" shows').html()
    assert 'role="img" aria-label="what &#34;it&#34; shows"' in html
    assert "best &lt;one&gt;" in html
    assert "left:50.00%;bottom:50.00%" in html
    assert "limit" in html


def test_an_envelope_loses_no_peak():
    x = np.zeros(100_000, np.float32)
    x[54_321] = 1.0
    x[99_999] = -1.0
    at, low, high = envelope(x, 300)
    assert len(at) == 300
    assert high.max() == 1.0
    assert low[-1] == -1.0
    assert at[np.argmax(high)] == pytest.approx(54_321, abs=200)
