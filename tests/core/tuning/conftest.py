"""A study without training: a trial is a function of its values."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fxkit.search import Choice, Range
from fxkit.tuning import resolve
from fxkit.tuning.storage import close_storage, open_storage, open_study

ABOUT = {"task": "distort", "model": "gru", "objectives": ["loss"]}


@pytest.fixture
def search():
    """Search two settings of a gru in five trials of four epochs."""
    made = resolve({"model": "gru", "trials": 5, "tune.epochs": 4, "tune.heartbeat": 2})
    space = {"train.lr": Range(1e-3, 1e-1, log=True), "model.hidden": Choice((4, 8, 16))}
    return replace(made, space=space)


@pytest.fixture
def opened(search, tmp_path):
    """Return a function that opens the study in the test's folder: each call as a new process."""

    storages = []

    def open_it(changed=search, about=ABOUT):
        storages.append(open_storage("", tmp_path, changed.tune.heartbeat))
        return open_study(changed, storages[-1], about), storages[-1]

    yield open_it
    for storage in storages:
        close_storage(storage)
