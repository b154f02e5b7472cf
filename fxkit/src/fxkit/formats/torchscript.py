"""TorchScript (.pt): the model for C++ programs on libtorch, its memory passed in and out."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, List, Optional, Tuple  # noqa: F401, UP035 - words of the source

import torch
from torch import Tensor

from fxkit.artifact import Artifact
from fxkit.format import Format
from fxkit.formats import proof
from fxkit.formats.linear import spec_of
from fxkit.formats.torchscript_source import source
from fxkit.model import Model, State
from fxkit.options import NoOptions

__all__ = ["TorchScript"]


class TorchScript(Format):
    """A TorchScript module for C++ programs on libtorch.

    Its methods are those of the model contract: ``initial_state(batch)`` gives the memory of
    silence, ``forward(x, state, controls)`` one block and the memory after it; ``sample_rate()``,
    ``latency()`` and ``controls()`` say what they say. Any model that has a graph can be written.
    """

    title = "TorchScript, for libtorch"
    suffixes = (".pt",)

    def sniff(self, path: Path) -> bool:
        """Say whether the file is a zip archive called .pt, as TorchScript files are."""
        try:
            with path.open("rb") as file:
                return super().sniff(path) and file.read(4) == b"PK\x03\x04"
        except OSError:
            return False

    def write(self, artifact: Artifact, path: Path) -> None:
        """Write the module.

        Raises
        ------
        FxkitError
            The model has no graph; says why.
        """
        with _deprecated():
            data = compiled(artifact).save_to_buffer()
        proof.hand_out(artifact, path, data, lambda p: Loaded(p, artifact), "a TorchScript file")


def compiled(artifact: Artifact) -> torch.jit.ScriptModule:
    """Return the module of an artefact."""
    spec, tensors = spec_of(artifact)
    model = artifact.model
    methods = source(spec, tensors, sample_rate=model.sample_rate, latency=model.latency)
    weights = [tensors[name].detach().float().clone() for name in spec.tensors()]
    with _deprecated():
        return _module(weights, methods)


def _module(weights: list[Tensor], methods: list[str]) -> torch.jit.ScriptModule:
    """Compile weights and source; what the words of the source mean is looked up in this file."""

    # A class of its own for every model: PyTorch shares what it has compiled among the instances
    # of one whose weights have the same names.
    class Module(torch.jit.ScriptModule):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("like", torch.zeros(()))
            for i, weight in enumerate(weights):
                self.register_buffer(f"w{i}", weight)
            for method in methods:
                self.define(method)

    return Module()


class Loaded(Model):
    """A file as libtorch would open it.

    Parameters
    ----------
    path
        One that was just written here: loading a stranger's would run what is in it.
    artifact
        The model that it was made from.
    """

    def __init__(self, path: Path, artifact: Artifact) -> None:
        model = artifact.model
        super().__init__(NoOptions(), sample_rate=model.sample_rate, controls=model.controls)
        with _deprecated():
            self.module = torch.jit.load(str(path))  # type: ignore[no-untyped-call]

    def initial_state(self, batch: int) -> State:
        """Return what the module returns."""
        return dict(self.module.initial_state(batch))

    def forward(
        self, x: Tensor, state: State, controls: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Play one block through the module."""
        y, after = self.module(x, state, controls)
        return y, dict(after)


@contextmanager
def _deprecated() -> Iterator[None]:
    """Use TorchScript in spite of PyTorch's advice: libtorch opens nothing else.

    torch.compile makes no file, and torch.export has no states of any length: it unrolls a
    recurrent layer.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"(?s).*torch\.jit", FutureWarning)
        warnings.filterwarnings("ignore", r"(?s).*torch\.jit", DeprecationWarning)
        yield
