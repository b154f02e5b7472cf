from __future__ import annotations

from dataclasses import fields

import pytest
from fxkit.registry import TASKS
from fxkit.scores import Scores
from fxkit.tasks.clean import Clean
from fxkit.tasks.distort import Distort

from fxkit import report


@pytest.mark.parametrize("task", [Clean, Distort])
class TestEach:
    def test_learns_one_side_from_the_other(self, task):
        assert {task.input, task.target} == {"clean", "wet"}

    def test_shows_metrics_that_exist(self, task):
        assert set(task.metrics) <= {f.name for f in fields(Scores)}
        assert len(set(task.metrics)) == len(task.metrics)

    def test_shows_sections_that_exist(self, task):
        assert set(task.sections) <= set(report.names())
        assert task.sections[0] == "summary"

    def test_has_words_and_a_loss(self, task):
        assert task.title
        assert task.__doc__.startswith(task.title)
        assert task.default_loss == "esr"


def test_the_two_are_each_other_s_inverse():
    assert (Distort.input, Distort.target) == (Clean.target, Clean.input)


@pytest.mark.parametrize(("name", "task"), [("distort", Distort), ("clean", Clean)])
def test_they_are_found_by_name(name, task):
    assert TASKS.get(name) is task
