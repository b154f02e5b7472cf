"""ONNX (.onnx): the model for onnxruntime, its memory passed in and out."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from fxkit.artifact import Artifact
from fxkit.errors import FxkitError
from fxkit.format import Format
from fxkit.formats import proof
from fxkit.formats.linear import spec_of
from fxkit.graph import Spec
from fxkit.model import Model, State
from fxkit.options import NoOptions

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["Onnx"]

TOLERANCE = 1e-4
"""Over the peak. onnxruntime approximates tanh and sigmoid: a high-gain LSTM was 2.4e-5 away."""


class Onnx(Format):
    """An ONNX model with explicit state; any number of samples and streams at once.

    Inputs are ``x`` ``[batch, 1, time]``, ``controls`` ``[batch, K]`` where there are knobs, and
    one input S per state; outputs are ``y`` and ``S.next``, to be fed as S to the next block. The
    metadata says ``sample_rate``, ``latency``, ``block_multiple`` (of which the length of a block
    has to be a multiple, mostly 1) and ``initial``: the state at the start as JSON, by name; what
    is not there starts with zeros. Needs ``pip install 'fxkit[onnx]'``.
    """

    title = "ONNX, for onnxruntime"
    suffixes = (".onnx",)

    def write(self, artifact: Artifact, path: Path) -> None:
        """Write the model, and play it in onnxruntime before it is handed out.

        Raises
        ------
        FxkitError
            The model has no graph, or the packages onnx and onnxruntime are missing.
        """
        _need("onnx")
        runtime = _need("onnxruntime")
        from fxkit.formats import onnx_graph

        spec, tensors = spec_of(artifact)
        model = artifact.model
        multiple = onnx_graph.block_multiple(spec, tensors)
        metadata = {
            "name": artifact.manifest.name,
            "sample_rate": str(model.sample_rate),
            "latency": str(model.latency),
            "block_multiple": str(multiple),
            "initial": json.dumps(_initial(spec, tensors)),
        }
        data = onnx_graph.model(spec, tensors, metadata).SerializeToString()

        def back(written: Path) -> Model:
            return Session(runtime, written, model)

        proof.hand_out(artifact, path, data, back, "an ONNX file", multiple, TOLERANCE)


class Session(Model):
    """A file in onnxruntime, as a model.

    Parameters
    ----------
    runtime
        The module ``onnxruntime``.
    path
        The file.
    model
        The model that it was made from.
    """

    def __init__(self, runtime: ModuleType, path: Path, model: Model) -> None:
        super().__init__(NoOptions(), sample_rate=model.sample_rate, controls=model.controls)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._session = runtime.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        metadata = self._session.get_modelmeta().custom_metadata_map
        self._start = json.loads(metadata["initial"])

    def initial_state(self, batch: int) -> State:
        """Return what the metadata says; and zeros."""
        state = {}
        for value in self._session.get_inputs():
            if value.name in ("x", "controls"):
                continue
            one = torch.zeros(value.shape[1:])
            if value.name in self._start:
                one = torch.tensor(self._start[value.name])
            state[value.name] = one.expand(batch, *one.shape).contiguous()
        return state

    def forward(
        self, x: Tensor, state: State, controls: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Play one block; its length is a multiple of ``block_multiple``."""
        feeds = {name: leaf.numpy() for name, leaf in state.items()}
        feeds["x"] = x.contiguous().numpy()
        if controls is not None:
            feeds["controls"] = controls.contiguous().numpy()
        names = [value.name for value in self._session.get_outputs()]
        made: dict[str, Any] = dict(zip(names, self._session.run(names, feeds), strict=True))
        y = torch.from_numpy(made.pop("y"))
        return y, {k.removesuffix(".next"): torch.from_numpy(v) for k, v in made.items()}


def _initial(spec: Spec, tensors: dict[str, Tensor]) -> dict[str, list[float]]:
    """Return the states that do not start with zeros, by the names in the file."""
    from fxkit.formats.onnx_graph import state_names

    return {
        state: tensors[tensor].detach().float().tolist()
        for state, tensor in state_names(spec).items()
    }


def _need(package: str) -> ModuleType:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise FxkitError(
            f"ONNX files need the package {package}: pip install 'fxkit[onnx]'"
        ) from error
