"""How fast recurrent layers train: the fused kernels against PyTorch, and a GPU where there is one.

One step is the forward pass over a window and the backward pass to the weights. The back ends run
in turn, round by round, so that whatever else the machine does hits all alike; the minimum is the
speed of the code, the median what one gets on this machine. Writes a JSON file with every time and
a Markdown table.

    python benchmarks/training_speed.py --out build/training-speed
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from fxkit.device import float32_products
from fxkit.machine import processor
from fxkit_engine import available_isas
from rich.console import Console
from torch import Tensor, nn

from fxkit import recurrent

BACKENDS = {"fused": "fused", "pytorch": "PyTorch"} | (
    {"cuda": "PyTorch, GPU"} if torch.cuda.is_available() else {}
)
"""Name to heading."""


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    cell: str
    hidden: int
    batch: int
    window: int
    threads: int

    @property
    def samples(self) -> int:
        """Samples that one step trains on."""
        return self.batch * self.window


@dataclass(frozen=True)
class Result:
    """Seconds of every step, by back end."""

    case: Case
    seconds: dict[str, list[float]]
    cpu_seconds: dict[str, list[float]]

    def cpu(self, backend: str) -> float:
        """Return the least processor time of a step, in microseconds per sample.

        On a machine that others use as well this is steadier than the time on the wall.
        """
        return min(self.cpu_seconds[backend]) * 1e6 / self.case.samples

    def rate(self, backend: str, pick: Callable[[list[float]], float]) -> float:
        """Return samples per second."""
        return self.case.samples / pick(self.seconds[backend])

    @property
    def factor(self) -> float:
        """How many times faster the fused kernels are, minimum against minimum."""
        return min(self.seconds["pytorch"]) / min(self.seconds["fused"])


def step_of(case: Case, backend: str) -> Callable[[], None]:
    """Return one training step, without loss and optimiser."""
    torch.manual_seed(0)
    device = "cuda" if backend == "cuda" else "cpu"
    module = (nn.GRU if case.cell == "gru" else nn.LSTM)(1, case.hidden, batch_first=True)
    module = module.to(device)
    x = 0.3 * torch.randn(case.batch, case.window, 1).to(device)
    h = torch.zeros(1, case.batch, case.hidden).to(device)
    gradient = torch.randn(case.batch, case.window, case.hidden).to(device) / case.samples
    weights = list(module.parameters())

    def forward() -> Tensor:
        if isinstance(module, nn.GRU):
            return recurrent.gru(x, h, module)[0] if backend == "fused" else module(x, h)[0]
        if backend == "fused":
            return recurrent.lstm(x, h, h, module)[0]
        y: Tensor = module(x, (h, h))[0]
        return y

    def step() -> None:
        with float32_products("fp32"):
            torch.autograd.grad(forward(), weights, gradient)
        if device == "cuda":
            torch.cuda.synchronize()

    return step


def measure(case: Case, rounds: int, at_least: float) -> Result:
    """Time all back ends in turn, at least `rounds` times and `at_least` seconds each."""
    torch.set_num_threads(case.threads)
    steps = {backend: step_of(case, backend) for backend in BACKENDS}
    seconds: dict[str, list[float]] = {backend: [] for backend in BACKENDS}
    cpu_seconds: dict[str, list[float]] = {backend: [] for backend in BACKENDS}
    for step in steps.values():
        step()
    while min(map(len, seconds.values())) < rounds:
        for backend, step in steps.items():
            spent, first = 0.0, True
            while first or spent < at_least / rounds:
                begin, cpu_begin = time.perf_counter(), time.process_time()
                step()
                seconds[backend].append(time.perf_counter() - begin)
                cpu_seconds[backend].append(time.process_time() - cpu_begin)
                spent, first = spent + seconds[backend][-1], False
    return Result(case, seconds, cpu_seconds)


def table(results: list[Result]) -> str:
    """Lay the results out in Markdown.

    Thousands of samples per second on the wall, microseconds of processor time per sample.
    """
    heads = [f"{head} (median)" for head in BACKENDS.values()]
    columns = [
        "layer",
        "batch",
        "window",
        "threads",
        *heads,
        "faster",
        "fused, CPU",
        "PyTorch, CPU",
    ]
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    for result in results:
        case = result.case
        cells: list[object] = [f"{case.cell.upper()}-{case.hidden}", case.batch, case.window]
        cells.append(case.threads)
        for backend in BACKENDS:
            best = result.rate(backend, min) / 1e3
            median = result.rate(backend, statistics.median) / 1e3
            cells.append(f"{best:,.0f} ({median:,.0f})")
        cells.append(f"{result.factor:.1f} times")
        cells += [f"{result.cpu(backend):.2f}" for backend in ("fused", "pytorch")]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, help="write OUT.json and OUT.md")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="at least, per back end")
    parser.add_argument("--cells", nargs="+", default=["gru", "lstm"])
    parser.add_argument("--hidden", nargs="+", type=int, default=[16, 32, 48, 96])
    parser.add_argument("--batch", nargs="+", type=int, default=[32, 128])
    parser.add_argument("--window", nargs="+", type=int, default=[512, 2048])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    return parser.parse_args()


def main() -> None:
    """Measure every case and write the results."""
    asked = arguments()
    console = Console()
    if recurrent.kernels() is None:
        raise SystemExit("fxkit-engine is not installed or turned off: pip install ./cpp/python")
    cases = [
        Case(*values)
        for values in itertools.product(
            asked.cells, asked.hidden, asked.batch, asked.window, asked.threads
        )
    ]
    results = []
    for case in cases:
        results.append(measure(case, asked.rounds, asked.seconds))
        rate = results[-1].rate("fused", min) / 1e3
        console.print(f"{case}: {rate:,.0f} k samples/s, {results[-1].factor:.1f} times PyTorch")
    text = table(results)
    console.print("\nThousands of samples per second, best (median); CPU: us per sample\n\n" + text)
    if asked.out is not None:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.with_suffix(".md").write_text(text)
        record = {
            "machine": processor(),
            "gpu": torch.cuda.get_device_name() if "cuda" in BACKENDS else None,
            "torch": torch.__version__,
            "instruction_sets": available_isas(),
            "results": [asdict(result) for result in results],
        }
        asked.out.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
