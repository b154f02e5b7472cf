"""The time to the first step stays flat: what is read until then does not grow with the data."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "first_step.py"
RATE = 8000


@pytest.fixture
def first_step():
    spec = importlib.util.spec_from_file_location("first_step", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules["first_step"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["first_step"]


def test_fifty_hours_read_no_more_than_five(first_step, tmp_path):
    read = {}
    settings = {"data.align": "off", "model.hidden": 2, "train.batch": 4, "data.memory": 64}
    for hours in (5, 50):
        folder = tmp_path / str(hours)
        folder.mkdir()
        for seed, side in enumerate(("clean", "wet")):
            first_step.sparse(folder / f"{side}.wav", 3600 * hours, seed, RATE)
            assert (folder / f"{side}.wav").stat().st_size > 3600 * hours * RATE * 2
            assert (folder / f"{side}.wav").stat().st_blocks * 512 < 50e6
        read[hours] = first_step.measure(folder, settings).read
    assert read[50] < 1.05 * read[5]
    # Of fifty hours, not one in fifty samples is looked at before the first step.
    assert read[50] < 2 * 50 * 3600 * RATE / 50
