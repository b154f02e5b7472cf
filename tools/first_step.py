"""How long it takes from the settings to the first weight update, as the recordings grow.

The recordings are sparse files: a second of noise every five minutes, holes between. They take
hardly any room on the disk, but are as long as they say, and are read like any others.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

RATE = 44_100
EVERY = 300
"""Seconds from one second of sound to the next."""


def sparse(path: Path, seconds: int, seed: int, rate: int = RATE) -> None:
    """Write a recording of `seconds`, nearly all of it holes; beyond 4 GiB as RF64."""
    random = np.random.default_rng(seed)
    # The header of RF64 has room for any length from the beginning.
    with soundfile.SoundFile(path, "w", rate, 1, "PCM_16", format="RF64") as file:
        for start in [*range(0, seconds - 1, EVERY), seconds - 1]:
            file.seek(start * rate)
            file.write((random.normal(0, 0.1, rate)).astype(np.float32))


@dataclass(frozen=True)
class FirstStep:
    """What one measurement found."""

    seconds: float
    """From the settings to the first value of the loss that is trained on."""
    read: int
    """Samples read from files until then, of both sides together."""


def measure(folder: Path, settings: dict[str, object]) -> FirstStep:
    """Begin a training on ``clean.wav`` and ``wet.wav`` in `folder` and stop at its first step."""
    import torch
    from fxkit.config import build_loss, resolve
    from fxkit.data import audio
    from fxkit.loss import Loss
    from fxkit.pipeline import make_model
    from fxkit.progress import SilentProgress
    from fxkit.registry import TASKS
    from fxkit.train import train

    from fxkit import data

    class StepError(Exception):
        """The first step has been taken."""

    class Once(Loss):
        """Another loss; its second call ends the training."""

        def __init__(self, inner: Loss) -> None:
            super().__init__(None)
            self.inner = inner
            self.called = False

        def forward(self, estimate: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            if self.called:
                raise StepError
            self.called = True
            value: torch.Tensor = self.inner(estimate, target)
            return value

    read = 0
    original = audio._files.read

    def counting(path: Path, start: int, frames: int) -> object:
        nonlocal read
        read += frames
        return original(path, start, frames)

    audio._files.read = counting  # type: ignore[method-assign]
    began = time.perf_counter()
    try:
        resolved = resolve(
            {
                "model": "gru",
                "data.clean": str(folder / "clean.wav"),
                "data.wet": str(folder / "wet.wav"),
                "run.device": "cpu",
                **settings,
            }
        )
        task = TASKS.get(resolved.task)()
        dataset = data.load(resolved.data, SilentProgress())
        split = data.split(dataset, resolved.data)
        with tempfile.TemporaryDirectory() as scratch:
            train(
                make_model(resolved, task, dataset, split),
                Once(build_loss(resolved, dataset.sample_rate)),
                split,
                task,
                resolved.train,
                device=torch.device("cpu"),
                directory=Path(scratch),
                progress=SilentProgress(),
            )
    except StepError:
        return FirstStep(time.perf_counter() - began, read)
    finally:
        audio._files.read = original  # type: ignore[method-assign]
    raise AssertionError("the training ended before its second step")


def main() -> int:
    """Print a table for several lengths."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", default="3,30,300,3000", help="lengths (default: %(default)s)")
    arguments = parser.parse_args()
    import fxkit.pipeline  # noqa: F401 - loading PyTorch is no part of what is measured

    print("| recording | size | on disk | samples read | seconds to the first step |")
    print("|---|---|---|---|---|")
    for minutes in map(int, arguments.minutes.split(",")):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for seed, side in enumerate(("clean", "wet")):
                sparse(folder / f"{side}.wav", 60 * minutes, seed)
            status = (folder / "clean.wav").stat()
            done = measure(folder, {"data.align": "off"})
            length = f"{minutes} min" if minutes < 60 else f"{minutes / 60:g} h"
            print(
                f"| {length} | {status.st_size / 1e9:.2f} GB | {512e-6 * status.st_blocks:.0f} MB "
                f"| {done.read:,} | {done.seconds:.2f} |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
