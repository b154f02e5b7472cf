"""What each choice of the training is worth: gru on heavy, one change at a time.

In two rounds, because five minutes for every change and seed are days: in the first every change
has a minute and a half and one seed; the second gives five minutes and several seeds to what ships,
to the changes that did best in the first, and to those of them together.

The minutes are those of an idle machine: `--calibrate` measures what an epoch of each variant takes
with all cores, from its quickest steps, and a cell then trains for as many epochs as fit. So a cell
says the same on any machine, whatever else runs there, and a variant that costs more time per epoch
gets fewer of them.

Each cell is kept as one JSON file under docs/results/ablation/ and is not trained again while that
file is there. `part` is what docs/results.md shows.
"""

from __future__ import annotations

import argparse
import copy
import datetime
import json
import multiprocessing
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import results

KEPT = results.KEPT / "ablation"
COST = KEPT / "cost.json"
SIZES = (48, 16)
MINUTES = {"first": 1.5, "second": 5.0}
"""Of a cell, by round."""


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
    cost: str = ""
    """The variant whose epochs take as long, because only numbers differ; empty for its own."""


BASE = {"train.window": 512, "train.lr": 0.016}
"""What shipped when the study was made, and has changed or may change since."""

VARIANTS: dict[str, Variant] = {
    "as-shipped": Variant("nothing"),
    "lr-0.004": Variant("learning rate", {"train.lr": 0.004}, cost="as-shipped"),
    "lr-0.008": Variant("learning rate", {"train.lr": 0.008}, cost="as-shipped"),
    "lr-0.032": Variant("learning rate", {"train.lr": 0.032}, cost="as-shipped"),
    "window-256": Variant("window", {"train.window": 256}),
    "window-1024": Variant("window", {"train.window": 1024}),
    "window-2048": Variant("window", {"train.window": 2048}),
    "batch-16": Variant("batch", {"train.batch": 16}),
    "batch-16-lr": Variant("batch", {"train.batch": 16, "train.lr": 0.011}, cost="batch-16"),
    "batch-64": Variant("batch", {"train.batch": 64}),
    "batch-64-lr": Variant("batch", {"train.batch": 64, "train.lr": 0.023}, cost="batch-64"),
    "no-fall": Variant("schedule", {"train.floor": 1.0}, cost="as-shipped"),
    "long-ramp": Variant("schedule", {"train.ramp": 0.2}, cost="as-shipped"),
    "ema": Variant("mean of the weights", {"train.ema": 0.995}),
    "pre-emphasis": Variant("loss", {"loss.pre_emphasis": 0.85}),
    "esr-dc": Variant("loss", {"loss": "esr+0.5*dc"}),
    "esr-mrstft": Variant("loss", {"loss": "esr+0.01*mrstft"}),
    "no-clipping": Variant("gradient", {"train.clip": 0.0}, cost="as-shipped"),
    "weight-decay": Variant("weight decay", {"train.weight_decay": 1e-3}),
    "orthogonal": Variant("initialisation", around=orthogonal, cost="as-shipped"),
    "no-dry": Variant("dry path", {"model.dry": False}),
    "taps-3": Variant("convolution in front", {"model.taps": 3}, model="nn-gru"),
    "taps-64": Variant("convolution in front", {}, model="nn-gru"),
    "window-1024-lr": Variant(
        "window", {"train.window": 1024, "train.lr": 0.008}, cost="window-1024"
    ),
    "window-2048-lr": Variant(
        "window", {"train.window": 2048, "train.lr": 0.008}, cost="window-2048"
    ),
}
"""Name to what is different from what shipped."""

SECOND = dict.fromkeys(SIZES, ("as-shipped", "window-1024", "window-1024-lr"))
"""What goes into the second round, by size."""


def settings(data: Path, size: int, variant: Variant) -> dict[str, Any]:
    """Return the settings of a training, without its length."""
    return {
        "task": "distort",
        "model": variant.model,
        "data.clean": str(data / "clean.flac"),
        "data.wet": str(data / "heavy.flac"),
        "model.hidden": size,
        "train.minutes": 0,
        **BASE,
        **variant.settings,
    }


def run(data: Path, size: int, name: str, **more: Any) -> tuple[Any, float]:
    """Train one variant in a folder that is thrown away: what came out, and its `parting`."""
    import fxkit

    variant = VARIANTS[name]
    with tempfile.TemporaryDirectory() as scratch, variant.around():
        folder = Path(scratch) / "run"
        found = fxkit.run(**settings(data, size, variant), **more, **{"run.dir": str(folder)})
        if found.interrupted:
            raise KeyboardInterrupt
        return found, parting(fxkit.open(folder / "model.fxkit").model)


def parting(model: Any) -> float:
    """Return how far 32-bit and 64-bit arithmetic part on two seconds of loud white noise.

    The largest difference over the peak. A network that forgets its past stays near 1e-6; one that
    is chaotic there comes near 1, and plays the same sound twice only where every rounding is the
    same.
    """
    import torch

    generator = torch.Generator().manual_seed(0)
    x = 2 * torch.rand(1, 1, 2 * model.sample_rate, generator=generator, dtype=torch.float64) - 1
    double = copy.deepcopy(model).double()
    state = {
        key: leaf.double() if leaf.is_floating_point() else leaf
        for key, leaf in double.initial_state(1).items()
    }
    with torch.inference_mode():
        played, _ = model(x.float(), model.initial_state(1))
        exact, _ = double(x, state)
    return float((played - exact).abs().max() / exact.abs().max())


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


def epochs(size: int, name: str, minutes: float) -> int:
    """Return how many epochs of a variant fit into some minutes of an idle machine."""
    seconds = json.loads(COST.read_text())["seconds"][f"{size}-{VARIANTS[name].cost or name}"]
    return max(1, int(60 * minutes / seconds))


@dataclass(frozen=True)
class Cell:
    """One training."""

    turn: str
    size: int
    name: str
    seed: int

    @property
    def path(self) -> Path:
        """Where its result is kept."""
        return KEPT / f"{self.turn}-{self.size}-{self.name}-{self.seed}.json"


def train(data: Path, cell: Cell, threads: int) -> dict[str, Any]:
    """Train one cell and return what it measured."""
    import torch

    minutes = MINUTES[cell.turn]
    length = epochs(cell.size, cell.name, minutes)
    found, apart = run(
        data,
        cell.size,
        cell.name,
        **{"train.epochs": length, "train.threads": threads, "run.seed": cell.seed},
    )
    scores = found.evaluation.scores
    return {
        "round": cell.turn,
        "size": cell.size,
        "variant": cell.name,
        "seed": cell.seed,
        "minutes": minutes,
        "epochs": length,
        "best_epoch": found.best_epoch,
        "validation_loss": min(e.validation_loss for e in found.history),
        "esr": scores.esr,
        "esr_pre_emphasised": scores.esr_pre_emphasised,
        "mrstft": scores.mrstft,
        "parting_on_noise": apart,
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
        "`tools/ablation.py`: `gru` on heavy, one thing changed at a time from what shipped before "
        "(`"
        + " ".join(f"{key}={value}" for key, value in BASE.items())
        + "`), each for as many epochs "
        f"as fit into its minutes on both cores of an idle {cost['machine']} (measured "
        f"{cost['date']} from the quickest hundredth of the steps). In the first round "
        f"{MINUTES['first']:g} minutes and one seed for everything, in the second "
        f"{MINUTES['second']:g} minutes for the best; the median over the seeds, the range in "
        "brackets. The last column says how far 32-bit and 64-bit arithmetic part on two seconds "
        "of loud white noise: near 1 the network is chaotic there.",
    ]
    for size in SIZES:
        for turn in MINUTES:
            of_table = [row for row in rows if row["size"] == size and row["round"] == turn]
            if of_table:
                lines += ["", *_table(of_table, size, turn)]
    return [*lines, "", *results.prose(KEPT)]


def _table(rows: list[dict[str, Any]], size: int, turn: str) -> list[str]:
    lines = [
        f"| GRU-{size}, {turn} round: about | changed | held-out ESR | pre-emph. | MRSTFT "
        "| validation ESR | epochs | seeds | parts on noise by |",
        "|---|---|---|---|---|---|---|---|---|",
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
        # Another loss is no ESR.
        plain = "loss" not in variant.settings and "loss.pre_emphasis" not in variant.settings
        validation = f"{statistics.median(r['validation_loss'] for r in mine):.5f}"
        lines.append(
            f"| {variant.what} | {label} | {middle} "
            f"| {statistics.median(r['esr_pre_emphasised'] for r in mine):.4f} "
            f"| {statistics.median(r['mrstft'] for r in mine):.3f} "
            f"| {validation if plain else '-'} | {mine[0]['epochs']} | {len(mine)} "
            f"| {max(r['parting_on_noise'] for r in mine):.0e} |"
        )
    return lines


def missing(turn: str, sizes: list[int], only: str, seeds: list[int]) -> list[Cell]:
    """Return the cells of a round that have no result yet, those of the first seed first."""
    return [
        cell
        for seed in seeds
        for name in VARIANTS
        for size in sizes
        if re.search(only, name) and (turn == "first" or name in SECOND[size])
        for cell in [Cell(turn, size, name, seed)]
        if not cell.path.exists()
    ]


def main() -> int:
    """Calibrate, or train what is missing; rewrite the page after each cell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of clean and heavy .flac")
    parser.add_argument("--only", default="", help="only variants whose name this expression finds")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--round", choices=list(MINUTES), help="only that round")
    parser.add_argument("--seeds", type=int, nargs="+", help="of the second round")
    parser.add_argument("--jobs", type=int, default=1, help="trainings side by side")
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
    wanted = list(
        dict.fromkeys(
            (size, variant.cost or name)
            for size in arguments.sizes
            for name, variant in VARIANTS.items()
            if re.search(arguments.only, name)
        )
    )
    known = json.loads(COST.read_text())["seconds"] if COST.exists() else {}
    unknown = [(size, name) for size, name in wanted if f"{size}-{name}" not in known]
    if arguments.calibrate or unknown:
        calibrate(
            arguments.data, wanted if arguments.calibrate else unknown, arguments.calibrate or 2
        )
    if arguments.calibrate:
        return 0
    for turn in [arguments.round] if arguments.round else list(MINUTES):
        seeds = [0] if turn == "first" else arguments.seeds or [0, 1, 2]
        todo = missing(turn, arguments.sizes, arguments.only, seeds)
        # Started afresh: PyTorch's threads do not survive a fork.
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(arguments.jobs, mp_context=spawn, max_tasks_per_child=1) as pool:
            running = {
                pool.submit(train, arguments.data, cell, arguments.threads): cell for cell in todo
            }
            for done in as_completed(running):
                cell = running[done]
                print(f"{cell.path.stem}: ESR {done.result()['esr']:.5f}", flush=True)
                cell.path.write_text(json.dumps(done.result(), indent=1) + "\n")
                results.write_page()
    results.write_page()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
