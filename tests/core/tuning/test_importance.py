"""What mattered in a search."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fxkit.tuning.importance import importances
from fxkit.tuning.objective import suggest
from fxkit.tuning.worker import Worker


def searched(opened, search, value):
    study, storage = opened()
    more = replace(search, tune=replace(search.tune, trials=12))
    Worker(study, storage, more, lambda trial: (value(suggest(trial, search.space)),)).work()
    return importances(study, search.space)


def test_the_setting_that_decides_comes_first(opened, search):
    found = searched(opened, search, lambda p: abs(p["train.lr"] - 0.02))
    assert next(iter(found)) == "train.lr"
    assert sum(found.values()) == pytest.approx(1.0)


def test_nothing_is_said_where_nothing_can_be(opened, search):
    study, _ = opened()
    assert importances(study, search.space) == {}
    assert set(searched(opened, search, lambda p: 1.0)) <= set(search.space)
