"""Each law of tasks finds the one that breaks it, and passes one that keeps it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fxkit.task import Task
from fxkit.testing import TaskLaws
from fxkit.testing import task_laws as tasks


class Learn(Task):
    """A good task."""

    title = "Dry to wet"
    input = "clean"
    target = "wet"
    default_loss = "esr+0.1*dc"
    metrics = ("esr",)
    sections = ("summary",)


@pytest.mark.parametrize(
    ("law", "attributes", "message"),
    [
        (tasks.law_title, {"title": ""}, "one line"),
        (tasks.law_sides_differ, {"target": "clean"}, "one is 'clean'"),
        (tasks.law_default_loss_exists, {"default_loss": "esr+*"}, "default_loss="),
        (tasks.law_default_loss_exists, {"default_loss": "no-such-loss"}, "no-such-loss"),
        (tasks.law_metrics_exist, {"metrics": ("loudest",)}, "no 'loudest'"),
        (tasks.law_metrics_exist, {"metrics": ("esr", "esr")}, "twice"),
        (tasks.law_sections_exist, {"sections": ()}, "one at least"),
    ],
)
def test_a_broken_task_is_found(
    law: Callable[[Task], None], attributes: dict[str, Any], message: str
) -> None:
    with pytest.raises(AssertionError, match=message):
        law(type("Broken", (Learn,), attributes)())


class TestGoodTask(TaskLaws):
    @pytest.fixture
    def task(self) -> Task:
        return Learn()
