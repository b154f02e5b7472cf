"""A model file with a program in it (.fxkit), by which window models play in the plug-in.

The engine goes sample by sample and has no layers for a model of whole windows. Such a model is
lowered to a program of ExecuTorch, which a back end runs on a worker thread.
"""

from __future__ import annotations

import importlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import torch
from torch import Tensor, nn

from fxkit import allowed, backend, probe
from fxkit.artifact import Artifact, save
from fxkit.errors import FxkitError
from fxkit.format import Format
from fxkit.options import option
from fxkit.program import Program
from fxkit.scaled import Scaled
from fxkit.window import WindowModel

__all__ = ["ExecuTorch"]

BACKEND = "executorch"
TOLERANCE = 1e-4
"""Largest difference between a program's window and PyTorch's, over the largest sample."""
WINDOWS = 3
"""Windows that are compared."""
ROUNDS = 5
"""Windows that are timed; the quickest counts."""


@dataclass(frozen=True)
class ExecuTorchConfig:
    """Settings of the format."""

    slow: bool = option(
        False, "write a program also if it has operators that take 10 to 200 times as long"
    )


class ExecuTorch(Format):
    """The model's own file, and in it what the back end for ExecuTorch runs.

    Needs ``pip install 'fxkit[executorch]'``, and ``make backend``: a program is handed out only
    once the back end has played windows of it as PyTorch does. The new program is allowed to run on
    this machine; elsewhere its user has to allow it.
    """

    title = "model file with a program, for window models in the plug-in"
    suffixes = (".program.fxkit",)
    Config: ClassVar[type] = ExecuTorchConfig

    config: ExecuTorchConfig

    def write(self, artifact: Artifact, path: Path) -> None:
        """Lower the model, prove and time the program, and write the file.

        Raises
        ------
        FxkitError
            The model is not one of windows, cannot be exported, would be slow, or comes out
            different; or something that is needed is not installed.
        """
        model = artifact.model
        inner = model.inner if isinstance(model, Scaled) else model
        if artifact.graph is not None:
            raise FxkitError("the engine plays this model as it is: it needs no program")
        if not isinstance(inner, WindowModel):
            raise FxkitError(
                f"only window models (fxkit.window.WindowModel) become programs, not "
                f"{type(inner).__name__}"
            )
        lowering = _need()
        player = backend.find(BACKEND)
        function = _Window(model, inner).eval()
        lowered = lowering.lower(function, function.example())
        if lowered.slow and not self.config.slow:
            raise FxkitError(
                f"XNNPACK does not take {_counted(lowered.slow)} of this model, which would run 10 "
                "to 200 times slower than in PyTorch: write it otherwise (docs/engine.md), or "
                "format.slow=true"
            )
        program = Program.make(
            lowered.data,
            backend=BACKEND,
            version=version("executorch"),
            window=inner.window,
            hop=inner.hop,
            controls=inner.controls,
        )
        loaded = backend.LoadedProgram(player, program.data)
        loaded.expect(inner.window, inner.controls)
        _prove(function, loaded)
        self._said = _report(function, loaded, inner, lowered.undelegated)
        save(path, model, artifact.manifest, program=program)
        allowed.add(program.info.sha256, f"{artifact.manifest.name}, made here")

    def caution(self, artifact: Artifact) -> str:
        """Return how fast the program that was written runs."""
        return getattr(self, "_said", "")


class _Window(nn.Module):
    """One window through a model, its gains included."""

    def __init__(self, model: nn.Module, inner: WindowModel) -> None:
        super().__init__()
        self.model, self.inner = model, inner
        self.gains = isinstance(model, Scaled)

    def forward(self, x: Tensor, controls: Tensor | None = None) -> Tensor:
        """Turn ``[1, 1, window]`` into the same, with knobs ``[1, K]``."""
        if not self.gains:
            return self.inner.process(x, controls)
        scaled = self.model
        assert isinstance(scaled, Scaled)
        return self.inner.process(x * scaled.input_gain, controls) * scaled.output_gain

    def example(self) -> tuple[Tensor, ...]:
        """Return inputs of the right shape."""
        x = torch.zeros(1, 1, self.inner.window)
        knobs = self.inner.controls
        return (x, torch.full((1, knobs), 0.5)) if knobs else (x,)

    @torch.no_grad()
    def run(self, x: Tensor, controls: Tensor | None) -> Tensor:
        """Compute one window ``[window]`` in PyTorch."""
        out: Tensor = self(x[None, None], None if controls is None else controls[None])
        return out[0, 0]


def _prove(function: _Window, loaded: backend.LoadedProgram) -> None:
    """Compare loud and quiet windows, with knobs at random."""
    generator = torch.Generator().manual_seed(0)
    window, knobs = function.inner.window, function.inner.controls
    sound = probe.signal(WINDOWS * window, function.inner.sample_rate, 0.5)
    noise = 0.1 * (2 * torch.rand(window, generator=generator) - 1)
    error = peak = 0.0
    for x in (*sound.view(-1, window).unbind(), noise, torch.zeros(window)):
        controls = torch.rand(knobs, generator=generator) if knobs else None
        wanted, got = function.run(x, controls), loaded.run(x, controls)
        error = max(error, float((got - wanted).abs().max()))
        peak = max(peak, float(wanted.abs().max()))
    if not error <= TOLERANCE * max(peak, 1e-6):
        raise FxkitError(
            f"not written: as a program this model would play {error / max(peak, 1e-6):.1e} of the "
            "peak away from PyTorch"
        )


def _report(
    function: _Window, loaded: backend.LoadedProgram, inner: WindowModel, left: dict[str, int]
) -> str:
    x = probe.signal(inner.window, inner.sample_rate, 0.5)
    controls = torch.full((inner.controls,), 0.5) if inner.controls else None
    program = _seconds(lambda: loaded.run(x, controls))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        reference = _seconds(lambda: function.run(x, controls))
    finally:
        torch.set_num_threads(threads)
    hop = inner.hop / inner.sample_rate
    line = (
        f"a window takes {1e3 * program:.3g} ms on one core (PyTorch {1e3 * reference:.3g} ms), "
        f"and one is due every {1e3 * hop:.3g} ms"
    )
    if program > 0.7 * hop:
        line += ": too slow to play live on this machine"
    if left:
        line += f"; outside XNNPACK: {_counted(left)}"
    return line


def _seconds(run: Callable[[], Tensor]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best


def _counted(operators: dict[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in operators.items())


def _need() -> ModuleType:
    logging.disable(logging.WARNING)  # what it says to developers while it is imported
    try:
        importlib.import_module("executorch.exir")
    except ImportError as error:
        raise FxkitError(
            "programs need the package executorch: pip install 'fxkit[executorch]'"
        ) from error
    finally:
        logging.disable(logging.NOTSET)
    return importlib.import_module("fxkit.formats.executorch_lowering")
