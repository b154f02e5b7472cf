from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fxkit.data.writer import write

RATE = 44_100


class Notes:
    """A progress that keeps what it is told."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, line: str) -> None:
        self.warnings.append(line)

    def note(self, line: str) -> None:
        pass

    def task(self, description: str, total: float | None = None) -> Notes:
        return self

    def advance(self, amount: float = 1) -> None:
        pass

    def __enter__(self) -> Notes:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def notes() -> Notes:
    return Notes()


def plucks(seconds: float, seed: int = 0) -> np.ndarray:
    """Decaying notes with harmonics over faint noise: enough like a guitar to be aligned by."""
    random = np.random.default_rng(seed)
    out = random.normal(size=round(seconds * RATE)) * 1e-4
    for start in np.arange(0.05, seconds - 0.3, 0.31):
        t = np.arange(round(min(1.2, seconds - start) * RATE)) / RATE
        pitch = random.uniform(82.0, 600.0)
        note = sum(
            np.sin(2 * np.pi * k * pitch * t + random.uniform(0, 6)) / k for k in range(1, 20)
        )
        at = round(start * RATE)
        out[at : at + len(t)] += 0.1 * note[: len(out) - at] * np.exp(-4.0 * t)
    return out.astype(np.float32)


@pytest.fixture(scope="session")
def guitar() -> np.ndarray:
    return plucks(12.0)


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., str]:
    """Write an audio file into the test's folder; return its name."""

    def save(name: str, samples: np.ndarray, rate: int = RATE, encoding: str = "FLOAT") -> str:
        path = tmp_path / name
        write(path, samples, rate, encoding=encoding)
        return str(path)

    return save
