"""What one sees of a search."""

from __future__ import annotations

import io
import re

import pytest
from fxkit.progress import PlainProgress, TerminalProgress
from fxkit.tuning.display import Table, display_for, seconds_left
from fxkit.tuning.records import TrialRecord
from rich.console import Console

PARAMS = {"train.lr": 0.01234567, "model.hidden": 16}


def trials():
    return [
        TrialRecord(0, "complete", PARAMS, (0.5,), ((1, 0.7), (2, 0.5)), 61.0),
        TrialRecord(1, "pruned", PARAMS, (), ((1, 0.9),), 20.0, note="the others were better"),
        TrialRecord(2, "failed", PARAMS, (), (), 3.0),
        TrialRecord(3, "complete", PARAMS, (0.25,), ((1, 0.3), (2, 0.25)), 60.0),
        TrialRecord(4, "running", PARAMS, (), ((1, 0.35),), 0.0),
    ]


def test_the_time_left_is_that_of_the_trials_so_far():
    assert seconds_left(trials(), 5, 1) == pytest.approx(2 * 141 / 3)
    assert seconds_left(trials(), 5, 2) == pytest.approx(141 / 3)
    assert seconds_left(trials(), 2, 1) == 0
    assert seconds_left([], 5, 1) is None


def test_without_a_terminal_there_is_a_line_for_each_trial(search):
    stream = io.StringIO()
    with display_for(search, PlainProgress(stream)) as display:
        display.update([])
        display.update(trials()[:1])
        display.update(trials()[:1])
        display.update(trials())
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("trial 0 (1 of 5): loss 0.5; train.lr=0.0123 model.hidden=16; 1:01")
    assert "pruned after 1 epochs: the others were better" in lines[1]
    assert "best 0.25 (trial 3)" in lines[2]
    assert re.search(r"\d:\d\d left$", lines[2])


def test_a_resumed_search_says_how_much_was_there(search):
    stream = io.StringIO()
    with display_for(search, PlainProgress(stream)) as display:
        display.update(trials())
        display.update(trials())
    assert stream.getvalue().splitlines() == ["3 trials were done before"]


def test_the_table_shows_every_trial_and_the_time_left(search):
    drawn = []
    Table(search, drawn.append).update(trials())
    out = io.StringIO()
    Console(file=out, width=120).print(drawn[0])
    text = out.getvalue()
    for part in ("hidden", "running", "(0.35)", "pruned", "1:01", "3 of 5 trials", "left"):
        assert part in text
    assert "failed" not in text
    assert "best: trial 3, loss 0.25" in text


def test_on_a_terminal_the_table_lives(search):
    stream = io.StringIO()
    with display_for(search, TerminalProgress(stream)) as display:
        assert isinstance(display, Table)
        display.update(trials())
    assert "of 5 trials" in stream.getvalue()
