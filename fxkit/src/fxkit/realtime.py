"""How long a model takes for one block, against the time the block lasts."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fxkit import engine
from fxkit.errors import FxkitError

if TYPE_CHECKING:
    from fxkit.model import Model

__all__ = ["BlockProcessor", "BlockTime", "TorchProcessor", "measure"]


@dataclass(frozen=True)
class BlockTime:
    """The time that one block takes, of many measured."""

    block: int
    """Samples in a block."""
    sample_rate: int
    """Hz."""
    median_us: float
    """Half the blocks took no longer, microseconds."""
    p99_us: float
    """99 in 100 blocks took no longer, microseconds."""
    bound_us: float
    """How long a block lasts: the time there is, microseconds."""
    factor: float
    """Real-time factor, median over bound: below 1 it keeps up, 0.1 leaves nine tenths free."""
    backend: str
    """What computed it: ``"PyTorch, 1 thread"``."""

    def to_plain(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> BlockTime:
        """Read what `to_plain` wrote."""
        return cls(**plain)


@runtime_checkable
class BlockProcessor(Protocol):
    """What can be measured: any player that turns one block into the next, as a plug-in would.

    `fxkit.model.Model` need not implement it: `measure` wraps it in a `TorchProcessor`.
    """

    sample_rate: int
    """Hz."""
    backend: str
    """A label for the table."""

    def process(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take ``[time]`` float32 samples and return as many; memory carries over."""
        ...


class TorchProcessor:
    """A model played through PyTorch, one block after another, with its state carried over.

    Parameters
    ----------
    model
        Any model; it is put in eval mode. Its knobs, if any, are held at 0.5.
    threads
        Named in the label; `measure` is what sets it.
    """

    def __init__(self, model: Model, threads: int = 1) -> None:
        import torch

        self.sample_rate = model.sample_rate
        self.backend = f"PyTorch, {threads} thread" + ("s" if threads > 1 else "")
        self._model = model.eval()
        self._state = model.initial_state(1)
        first = next(model.parameters(), None)
        self._device = first.device if first is not None else torch.device("cpu")
        self._controls = (
            torch.full((1, model.controls), 0.5, device=self._device) if model.controls else None
        )

    def process(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """Process one block ``[time]``."""
        import torch

        with torch.inference_mode():
            x = torch.from_numpy(block).to(self._device)[None, None]
            y, self._state = self._model(x, self._state, self._controls)
            result: NDArray[np.float32] = y[0, 0].cpu().numpy()
        return result


def measure(
    model: Model | BlockProcessor,
    *,
    block: int = 512,
    seconds: float = 2.0,
    threads: int = 1,
    compiled: bool = True,
) -> BlockTime:
    """Measure the time that one block takes.

    Blocks of noise at -20 dBFS are processed one by one and each is timed. The first tenth of
    the time (at least 10 blocks) warms caches up and is not counted.

    Parameters
    ----------
    model
        A model, or any `BlockProcessor`. A model is played through the engine where that is
        installed and the model has a graph, else through PyTorch.
    block
        Samples in a block, at least 1. A model that works on many samples at once is measured in
        blocks of as many (`Model.granularity`): in a shorter one it mostly does nothing.
    seconds
        How long to measure, wall clock; at least 20 blocks are timed however long they take.
    threads
        How many threads PyTorch may use meanwhile; live use has one. A `BlockProcessor` settles
        its own.
    compiled
        Whether a model is played through the engine where that can be.

    Returns
    -------
    BlockTime
        Median and 99th percentile, beside the bound.

    Raises
    ------
    FxkitError
        If an argument is out of range, or the engine refuses what it should be able to play.
    """
    if block < 1 or threads < 1 or not seconds > 0:
        raise FxkitError("block, seconds and threads must be positive")
    if isinstance(model, BlockProcessor):
        return _measure(model, block, seconds)
    player = engine.for_model(model) if compiled else None
    if player is not None:
        return _measure(player, block, seconds)
    with _torch_threads(threads):
        return _measure(TorchProcessor(model, threads), max(block, model.granularity), seconds)


def _measure(processor: BlockProcessor, block: int, seconds: float) -> BlockTime:
    generator = np.random.default_rng(0)
    noise = (0.1 * generator.standard_normal((16, block))).astype(np.float32)
    times: list[float] = []
    warm_up = 0
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds or len(times) < 20:
        counts = warm_up >= 10 and elapsed >= seconds / 10
        part = noise[(len(times) + warm_up) % len(noise)]
        before = time.perf_counter_ns()
        processor.process(part)
        after = time.perf_counter_ns()
        if counts:
            times.append((after - before) / 1000)
        else:
            warm_up += 1
    median, p99 = np.percentile(times, [50, 99])
    bound = 1e6 * block / processor.sample_rate
    return BlockTime(
        block=block,
        sample_rate=processor.sample_rate,
        median_us=float(median),
        p99_us=float(p99),
        bound_us=bound,
        factor=float(median) / bound,
        backend=processor.backend,
    )


@contextmanager
def _torch_threads(threads: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
