"""Ranges and choices refuse what cannot be searched, and know what they hold."""

from __future__ import annotations

import pytest
from fxkit.search import Choice, Range


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Range(2, 1),
        lambda: Range(1, 1),
        lambda: Range(0.0, 1.0, log=True),
        lambda: Range(1.0, 2.0, log=True, step=0.5),
        lambda: Range(0, 10, step=0),
        lambda: Range(0, 10, step=0.5),
        lambda: Range(0.0, float("inf")),
        lambda: Choice((1,)),
        lambda: Choice((1, 1)),
        lambda: Choice(((1, 2), (3, 4))),
    ],
)
def test_what_cannot_be_searched_is_refused(wrong):
    with pytest.raises(ValueError, match=r"a (range|logarithmic|step|choice)"):
        wrong()


def test_a_range_holds_what_its_search_can_return():
    whole = Range(4, 16, step=4)
    assert [n for n in range(20) if whole.holds(n)] == [4, 8, 12, 16]
    assert not whole.holds(4.5)
    assert not whole.holds("4")
    assert not Range(0, 2).holds(True)
    assert Range(0.5, 2.0).holds(1)
    assert not Range(0.5, 2.0).holds(2.1)


def test_a_choice_tells_true_from_one():
    assert Choice((1, 2)).holds(1)
    assert not Choice((1, 2)).holds(True)
    assert Choice((True, None)).holds(None)


def test_nearest_is_within_and_on_the_grid():
    assert Range(1e-7, 1e-3, log=True).nearest(0.0) == 1e-7
    assert Range(1e-4, 1e-2, log=True).nearest("none") == pytest.approx(1e-3)
    assert Range(4, 16, step=4).nearest(100) == 16
    assert Range(4, 17, step=4).nearest(17) == 16
    assert isinstance(Range(4, 16).nearest(5.2), int)
    assert Choice((16, 32, 64)).nearest(40) == 32
    assert Choice((True, 1)).nearest(1) == 1
    assert Choice(("tanh", "none")).nearest("relu") == "tanh"
    for value in (-1.0, 0.3, 1e9, None, True):
        assert Range(0.5, 2.0, step=0.5).holds(Range(0.5, 2.0, step=0.5).nearest(value))


def test_both_are_written_as_the_command_line_takes_them():
    assert str(Range(0.001, 0.05, log=True)) == "0.001..0.05:log"
    assert str(Range(4, 16, step=4)) == "4..16:4"
    assert str(Choice((16, None, "tanh"))) == "16,none,tanh"
