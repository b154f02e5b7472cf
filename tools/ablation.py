"""What each choice of the training is worth: gru on heavy, five minutes, one change at a time.

Five minutes are those of an idle machine: `--calibrate` measures what an epoch of each variant
takes with all cores, from its quickest steps, and a cell then trains for as many epochs as fit. So
a cell says the same on any machine, whatever else runs there, and a variant that costs more time
per epoch gets fewer of them.

Each cell is kept as one JSON file under docs/results/ablation/ and is not trained again while that
file is there. `part` is what docs/results.md shows.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import results

KEPT = results.KEPT / "ablation"
COST = KEPT / "cost.json"
SIZES = (48, 16)
SEEDS = (0, 1, 2)
MINUTES = 5.0


@contextmanager
def orthogonal() -> Iterator[None]:
    """Start recurrent weights as orthogonal matrices, gate by gate, and biases at zero.

    Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks", 2014.
    """
    from torch import nn

    usual = nn.GRU.reset_parameters

    def start(module: nn.GRU) -> None:
        usual(module)
        for name, weight in module.named_parameters():
            if name.startswith("weight_hh"):
                for gate in weight.data.chunk(3):
                    nn.init.orthogonal_(gate)
            elif name.startswith("bias"):
                nn.init.zeros_(weight)

    nn.GRU.reset_parameters = start  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.GRU.reset_parameters = usual  # type: ignore[method-assign]


@dataclass(frozen=True)
class Variant:
    """One change to the shipped recipe."""

    what: str
    """The part of the recipe that it is about."""
    settings: dict[str, Any] = field(default_factory=dict)
    model: str = "gru"
    around: Callable[[], Any] = nullcontext
    """A context to train in, for what no setting can say."""


VARIANTS: dict[str, Variant] = {
    "as-shipped": Variant("nothing"),
    "lr-0.004": Variant("learning rate", {"train.lr": 0.004}),
    "lr-0.008": Variant("learning rate", {"train.lr": 0.008}),
    "lr-0.032": Variant("learning rate", {"train.lr": 0.032}),
    "window-256": Variant("window", {"train.window": 256}),
    "window-1024": Variant("window", {"train.window": 1024}),
    "window-2048": Variant("window", {"train.window": 2048}),
    "batch-16": Variant("batch", {"train.batch": 16}),
    "batch-64": Variant("batch", {"train.batch": 64}),
    "batch-64-lr": Variant("batch", {"train.batch": 64, "train.lr": 0.023}),
    "no-fall": Variant("schedule", {"train.floor": 1.0}),
    "long-ramp": Variant("schedule", {"train.ramp": 0.2}),
    "ema": Variant("mean of the weights", {"train.ema": 0.995}),
    "pre-emphasis": Variant("loss", {"loss.pre_emphasis": 0.85}),
    "esr-dc": Variant("loss", {"loss": "esr+0.5*dc"}),
    "esr-mrstft": Variant("loss", {"loss": "esr+0.01*mrstft"}),
    "no-clipping": Variant("gradient", {"train.clip": 0.0}),
    "weight-decay": Variant("weight decay", {"train.weight_decay": 1e-3}),
    "orthogonal": Variant("initialisation", around=orthogonal),
    "no-dry": Variant("dry path", {"model.dry": False}),
    "taps-3": Variant("convolution in front", {"model.taps": 3}, model="nn-gru"),
    "taps-64": Variant("convolution in front", {}, model="nn-gru"),
}
"""Name to what is different from what ships."""


def settings(data: Path, size: int, variant: Variant) -> dict[str, Any]:
    """Return the settings of a training, without its length."""
    return {
        "task": "distort",
        "model": variant.model,
        "data.clean": str(data / "clean.flac"),
        "data.wet": str(data / "heavy.flac"),
        "model.hidden": size,
        "train.minutes": 0,
        **variant.settings,
    }


def run(data: Path, size: int, name: str, **more: Any) -> Any:
    """Train one variant in a folder that is thrown away, and return what came out."""
    import fxkit

    variant = VARIANTS[name]
    with tempfile.TemporaryDirectory() as scratch, variant.around():
        found = fxkit.run(
            **settings(data, size, variant), **more, **{"run.dir": str(Path(scratch) / "run")}
        )
    if found.interrupted:
        raise KeyboardInterrupt
    return found


def epoch_seconds(data: Path, size: int, name: str, share: float) -> float:
    """Return what an epoch takes on an idle machine: the quick steps, and what is not a step.

    The loss is asked once a step, so the time between two of its calls is that of a step. Most
    steps of a busy machine are slow; its quickest hundredth is not.
    """
    import fxkit.data
    import torch
    from fxkit.config import build_loss, resolve
    from fxkit.loss import Loss
    from fxkit.pipeline import make_model
    from fxkit.progress import SilentProgress
    from fxkit.registry import TASKS
    from fxkit.train import Epoch, train

    chosen = resolve(settings(data, size, VARIANTS[name]) | {"train.epochs": 2})
    progress = SilentProgress()
    dataset = fxkit.data.load(chosen.data, progress)
    split = fxkit.data.split(dataset, chosen.data)
    times: list[float] = []

    class Clocked(Loss):
        """Notes when it is asked for the loss of a step."""

        def __init__(self, inner: Loss) -> None:
            super().__init__(inner.config, sample_rate=inner.sample_rate)
            self.inner = inner

        def forward(self, estimate: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            if torch.is_grad_enabled():
                times.append(time.perf_counter())
            value: torch.Tensor = self.inner(estimate, target)
            return value

    rests: list[float] = []

    def rest(epoch: Epoch) -> None:
        del epoch
        rests.append(time.perf_counter() - times[-1])

    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as scratch, VARIANTS[name].around():
        train(
            make_model(chosen, TASKS.get("distort")(chosen.task_config), dataset, split),
            Clocked(build_loss(chosen, dataset.sample_rate)),
            split,
            TASKS.get("distort")(chosen.task_config),
            chosen.train,
            device=torch.device("cpu"),
            directory=Path(scratch),
            progress=progress,
            on_epoch=rest,
        )
    steps = sorted(b - a for a, b in pairwise(times))
    return len(times) / len(rests) * steps[int(share * len(steps))] + min(rests)


def calibrate(data: Path, wanted: list[tuple[int, str]], rounds: int) -> None:
    """Measure the least time of an epoch of each variant, all in turn, and keep it."""
    import torch
    from fxkit.machine import processor

    seconds: dict[str, list[float]] = {}
    for number in range(rounds):
        for size, name in wanted:
            each = epoch_seconds(data, size, name, share=0.01)
            seconds.setdefault(f"{size}-{name}", []).append(each)
            print(f"round {number + 1}: {size}-{name}: {each:.2f} s an epoch", flush=True)
    known = json.loads(COST.read_text())["seconds"] if COST.exists() else {}
    KEPT.mkdir(parents=True, exist_ok=True)
    record = {
        "machine": processor(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "seconds": known | {key: round(min(each), 4) for key, each in seconds.items()},
    }
    COST.write_text(json.dumps(record, indent=1) + "\n")


def epochs(size: int, name: str) -> int:
    """Return how many epochs of a variant fit into `MINUTES` of an idle machine."""
    seconds = json.loads(COST.read_text())["seconds"][f"{size}-{name}"]
    return max(1, int(60 * MINUTES / seconds))


def train(data: Path, size: int, name: str, seed: int, threads: int) -> dict[str, Any]:
    """Train one cell and return what it measured."""
    import torch

    length = epochs(size, name)
    found = run(
        data,
        size,
        name,
        **{"train.epochs": length, "train.threads": threads, "run.seed": seed},
    )
    scores = found.evaluation.scores
    return {
        "size": size,
        "variant": name,
        "seed": seed,
        "epochs": length,
        "validation_loss": min(e.validation_loss for e in found.history),
        "esr": scores.esr,
        "esr_pre_emphasised": scores.esr_pre_emphasised,
        "mrstft": scores.mrstft,
        "block_us": found.realtime.median_us,
        "torch": torch.__version__,
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
    }


def kept() -> list[dict[str, Any]]:
    """Return what all finished cells measured."""
    rows = [json.loads(path.read_text()) for path in sorted(KEPT.glob("*-*.json"))]
    return [row for row in rows if row["variant"] in VARIANTS]


def part() -> list[str]:
    """Return this part of docs/results.md; empty before there is a cell."""
    rows = kept()
    if not rows:
        return []
    cost = json.loads(COST.read_text())
    lines = [
        "",
        "## What each choice of the training is worth",
        "",
        "`tools/ablation.py`: `gru` on heavy, one thing changed at a time, each for as many epochs "
        f"as fit into {MINUTES:g} minutes on both cores of an idle {cost['machine']} (measured "
        f"{cost['date']} from the quickest hundredth of the steps). The median over the "
        "seeds, the range in brackets.",
    ]
    for size in SIZES:
        of_size = [row for row in rows if row["size"] == size]
        if of_size:
            lines += ["", *_table(of_size, size)]
    return lines


def _table(rows: list[dict[str, Any]], size: int) -> list[str]:
    lines = [
        f"| GRU-{size}: about | changed | held-out ESR | pre-emph. | MRSTFT | epochs | seeds |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, variant in VARIANTS.items():
        mine = [row for row in rows if row["variant"] == name]
        if not mine:
            continue
        esrs = [row["esr"] for row in mine]
        middle = f"**{statistics.median(esrs):.5f}**"
        if len(esrs) > 1:
            middle += f" ({min(esrs):.5f} to {max(esrs):.5f})"
        changed = " ".join(f"{k}={v}" for k, v in variant.settings.items())
        if variant.model != "gru":
            changed = f"model={variant.model} {changed}".strip()
        label = f"`{changed}`" if changed else ("-" if name == "as-shipped" else name)
        emphasised = statistics.median(row["esr_pre_emphasised"] for row in mine)
        spectral = statistics.median(row["mrstft"] for row in mine)
        lines.append(
            f"| {variant.what} | {label} | {middle} | {emphasised:.4f} | {spectral:.3f} "
            f"| {mine[0]['epochs']} | {len(mine)} |"
        )
    return lines


def main() -> int:
    """Calibrate, or train what is missing; rewrite the page after each cell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of clean and heavy .flac")
    parser.add_argument("--only", default="", help="only variants whose name this expression finds")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--threads", type=int, default=0, help="threads of a training; 0 for all")
    parser.add_argument("--calibrate", type=int, metavar="ROUNDS", help="measure epochs and end")
    parser.add_argument("--page", action="store_true", help="rewrite the page and train nothing")
    arguments = parser.parse_args()
    if arguments.page:
        results.write_page()
        return 0
    if not (arguments.data / "heavy.flac").exists():
        print(f"{arguments.data}: no heavy.flac there; say where with --data", file=sys.stderr)
        return 2
    wanted = [
        (size, name)
        for size in arguments.sizes
        for name in VARIANTS
        if re.search(arguments.only, name)
    ]
    known = json.loads(COST.read_text())["seconds"] if COST.exists() else {}
    unknown = [(size, name) for size, name in wanted if f"{size}-{name}" not in known]
    if arguments.calibrate or unknown:
        calibrate(
            arguments.data, wanted if arguments.calibrate else unknown, arguments.calibrate or 2
        )
    if arguments.calibrate:
        return 0
    for seed in arguments.seeds:
        for size, name in wanted:
            path = KEPT / f"{size}-{name}-{seed}.json"
            if path.exists():
                continue
            print(f"{path.stem}: {epochs(size, name)} epochs", flush=True)
            found = train(arguments.data, size, name, seed, arguments.threads)
            path.write_text(json.dumps(found, indent=1) + "\n")
            results.write_page()
    results.write_page()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
