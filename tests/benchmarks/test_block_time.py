"""How long every registered model takes for one block at 44.1 kHz, on one thread; `make bench`.

The times are those of the engine where it is installed and plays the model, else of PyTorch; the
extra info of each result says which, and the real-time factor, median time over the duration of the
block: below 1 the model keeps up. No time is asserted, as machines differ; what is asserted is that
a block of finite samples came out.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from fxkit.realtime import TorchProcessor
from fxkit.registry import MODELS

from fxkit import engine

SAMPLE_RATE = 44_100


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("block", [64, 128, 512])
@pytest.mark.parametrize("name", MODELS.names())
def test_block_time(benchmark, name: str, block: int) -> None:
    benchmark.group = f"{block} samples, {1e6 * block / SAMPLE_RATE:.0f} us"
    torch.manual_seed(0)
    cls = MODELS.get(name)
    model = cls(cls.Config(), sample_rate=SAMPLE_RATE)
    processor = engine.for_model(model) or TorchProcessor(model)
    noise = 0.1 * np.random.default_rng(0).standard_normal(block)
    output = benchmark(processor.process, noise.astype(np.float32))
    assert output.shape == (block,)
    assert np.isfinite(output).all()
    bound = block / SAMPLE_RATE
    benchmark.extra_info["backend"] = processor.backend
    benchmark.extra_info["sample_rate"] = SAMPLE_RATE
    benchmark.extra_info["bound_us"] = 1e6 * bound
    if benchmark.stats is not None:  # None under --benchmark-disable
        times = benchmark.stats.stats
        benchmark.extra_info["real_time_factor"] = times.median / bound
        # What the model needs where nothing else runs: the median also tells how busy a machine is.
        benchmark.extra_info["real_time_factor_at_best"] = times.min / bound
