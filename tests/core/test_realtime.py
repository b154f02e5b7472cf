from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from fxkit.errors import FxkitError
from fxkit.model import Model
from fxkit.realtime import BlockTime, TorchProcessor, measure


class Counting(Model):
    """Adds up what it hears: its state tells whether it was carried over."""

    def __init__(self, controls=0):
        super().__init__(None, sample_rate=48_000, controls=controls)
        self.blocks = []
        self.threads = set()

    def initial_state(self, batch):
        return {"sum": torch.zeros(batch, 1)}

    def forward(self, x, state, controls=None):
        assert (controls is None) == (self.controls == 0)
        self.blocks.append(x.shape)
        self.threads.add(torch.get_num_threads())
        y = state["sum"][..., None] + x.cumsum(-1)
        return y, {"sum": y[..., -1]}


class Sleeper:
    """A player that is not a model, as an engine is."""

    sample_rate = 44_100
    backend = "asleep"

    def process(self, block):
        time.sleep(0.002)
        return block


def test_a_model_is_played_in_blocks_on_one_thread():
    model = Counting()
    before = torch.get_num_threads()
    found = measure(model, block=64, seconds=0.05)
    assert set(model.blocks) == {(1, 1, 64)}
    assert model.threads == {1}
    assert torch.get_num_threads() == before
    assert (found.block, found.sample_rate) == (64, 48_000)
    assert found.bound_us == pytest.approx(1e6 * 64 / 48_000)
    assert found.factor == pytest.approx(found.median_us / found.bound_us)
    assert 0 < found.median_us <= found.p99_us
    assert found.backend == "PyTorch, 1 thread"


def test_an_engine_is_measured_by_the_same_function():
    found = measure(Sleeper(), block=441, seconds=0.05)
    assert found.backend == "asleep"
    assert found.bound_us == pytest.approx(10_000)
    assert found.median_us >= 2000
    assert found.factor >= 0.2


def test_the_state_is_carried_over_from_block_to_block():
    processor = TorchProcessor(Counting())
    ones = np.ones(4, np.float32)
    assert processor.process(ones).tolist() == [1, 2, 3, 4]
    assert processor.process(ones).tolist() == [5, 6, 7, 8]


def test_knobs_are_given():
    assert TorchProcessor(Counting(controls=2)).process(np.zeros(3, np.float32)).shape == (3,)


@pytest.mark.parametrize("wrong", [{"block": 0}, {"threads": 0}, {"seconds": 0.0}])
def test_arguments_out_of_range(wrong):
    with pytest.raises(FxkitError, match="positive"):
        measure(Counting(), **wrong)


def test_round_trip():
    found = BlockTime(512, 44_100, 1.0, 2.0, 11_610.0, 0.1, "PyTorch, 1 thread")
    assert BlockTime.from_plain(found.to_plain()) == found


def test_a_model_that_works_on_many_samples_at_once_is_measured_on_as_many():
    class Coarse(Counting):
        granularity = 1000

    model = Coarse()
    result = measure(model, block=64, seconds=0.05)
    assert result.block == 1000
    assert {shape[-1] for shape in model.blocks} == {1000}
    assert measure(Coarse(), block=2000, seconds=0.05).block == 2000
