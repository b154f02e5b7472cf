"""What a training step of a model that learns from crops costs: time, and memory.

A step is what `fxkit run` does with one batch: to the device, through the model and back, and the
weights. The precisions take turns, round by round, so that whatever else the machine does hits all
alike; the minimum is the speed of the code, the median what one gets on this machine. On a GPU the
memory is the most that PyTorch had taken at once; on a CPU it is what the model keeps for the way
back, which is most of it and the same everywhere.

    python benchmarks/crop_step.py train.batch=16 train.crop=6 --out build/crop-step
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from fxkit.config import build_loss, resolve
from fxkit.device import float32_products, pick_device
from fxkit.distributed import ALONE
from fxkit.feed import CropNetwork
from fxkit.machine import processor
from fxkit.pipeline import make_model
from fxkit.progress import SilentProgress
from fxkit.registry import TASKS
from fxkit.train import _Trainer
from rich.console import Console
from torch import Tensor

from fxkit import data

WARM_UP = 3
"""Steps that are not timed: libraries choose their algorithms."""


@dataclass
class Contestant:
    """One precision, and what was measured of it."""

    precision: str
    step: Callable[[], None]
    seconds: list[float] = field(default_factory=list)
    bytes: int = 0


def contestant(words: list[str], precision: str, device: torch.device) -> tuple[Contestant, float]:
    """Make a training ready; return it and the seconds of sound in a batch."""
    values = dict(word.split("=", 1) for word in words)
    settings = resolve({"task": "clean", "model": "demucs", **values, "train.precision": precision})
    progress = SilentProgress()
    dataset = data.load(settings.data, progress)
    split = data.split(dataset, settings.data)
    task = TASKS.get(settings.task)(settings.task_config)
    torch.manual_seed(settings.run.seed)
    trainer = _Trainer(
        make_model(settings, task, dataset, split),
        build_loss(settings, dataset.sample_rate),
        split,
        task,
        settings.train,
        device,
        Path(tempfile.gettempdir()),
        settings.run.seed,
        ALONE,
    )
    if not trainer.crops:
        raise SystemExit(f"{settings.model} does not learn from crops: see training_speed.py")
    trainer.model.train()
    trainer.network = CropNetwork(trainer.model)
    window = next(iter(trainer.windows.epoch(0)))
    state = trainer.state_for(window, None)

    def step() -> None:
        with float32_products(trainer.precision):
            trainer.step(window, state)
        if device.type == "cuda":
            torch.cuda.synchronize()

    return Contestant(precision, step), window.input.numel() / dataset.sample_rate


def memory(step: Callable[[], None], device: torch.device) -> int:
    """Return how many bytes a step needs; see the top of this file."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        step()
        return torch.cuda.max_memory_allocated()
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        step()
    return sum(kept.values())


def table(contestants: list[Contestant], seconds: float) -> str:
    """Lay the results out in Markdown."""
    lines = [
        "| precision | step, ms (median) | times as fast as it is played | memory, GiB |",
        "|---|---|---|---|",
    ]
    for one in contestants:
        best, median = min(one.seconds), statistics.median(one.seconds)
        times = f"{seconds / best:,.0f}"
        lines.append(
            f"| {one.precision} | {best * 1e3:.1f} ({median * 1e3:.1f}) | {times} "
            f"| {one.bytes / 2**30:.2f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("settings", nargs="*", metavar="KEY=VALUE", help="as for fxkit run")
    parser.add_argument("--out", type=Path, help="write OUT.json and OUT.md")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precisions", nargs="+", help="all that make sense on the device")
    parser.add_argument("--steps", type=int, default=20)
    asked = parser.parse_args()
    device = pick_device(asked.device)
    precisions = asked.precisions or (
        ["fp32", "tf32", "bf16"] if device.type == "cuda" else ["fp32"]
    )
    contestants = []
    for precision in precisions:
        one, seconds = contestant(asked.settings, precision, device)
        contestants.append(one)
        for _ in range(WARM_UP):
            one.step()
        one.bytes = memory(one.step, device)
    for _ in range(asked.steps):
        for one in contestants:
            begin = time.perf_counter()
            one.step()
            one.seconds.append(time.perf_counter() - begin)
    text = table(contestants, seconds)
    where = torch.cuda.get_device_name() if device.type == "cuda" else processor()
    Console().print(f"{where}, {seconds:.0f} s of sound in a step\n\n{text}", soft_wrap=True)
    if asked.out is not None:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.with_suffix(".md").write_text(text)
        record = {
            "machine": where,
            "torch": torch.__version__,
            "settings": asked.settings,
            "results": {one.precision: (one.bytes, one.seconds) for one in contestants},
        }
        asked.out.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
