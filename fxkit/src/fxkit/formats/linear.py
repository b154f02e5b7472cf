"""Recognises, in a model's graph, what other players have: a recurrent stack and a linear head.

Gains, dense layers, sums and slices are all linear: each signal is followed as a matrix over what
it is made of, and folded into the weights of the layer that reads it. So a graph need not be built
in any special way to be exported, it only has to compute the right thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from fxkit.artifact import Artifact
from fxkit.errors import FxkitError
from fxkit.formats.recurrent_net import RecurrentLayer, RecurrentNet
from fxkit.graph import Spec, memory, pointwise, recurrent
from fxkit.graph.layer import Layer
from fxkit.graph.spec import CONTROLS, INPUT

__all__ = ["recurrent_net", "spec_of"]

Array = NDArray[np.float64]
UNIT = 1e-6
"""A dry gain this close to 1 is 1: it comes from rounding when gains are folded."""


@dataclass(frozen=True)
class _Linear:
    """A signal ``direct u + state h + bias``: u the sample and the knobs, h the last state."""

    direct: Array
    """``[channels, 1 + knobs]``."""
    state: Array | None
    """``[channels, hidden]``; None where no recurrent layer is heard."""
    depth: int
    """Of which recurrent layer, counted from 1, h is the state; 0 for none."""
    bias: Array
    """``[channels]``."""

    def mapped(self, weight: Array, bias: Array | None) -> _Linear:
        state = None if self.state is None else weight @ self.state
        offset = weight @ self.bias
        return _Linear(
            weight @ self.direct, state, self.depth, offset if bias is None else offset + bias
        )

    def part(self, start: int, stop: int) -> _Linear:
        state = None if self.state is None else self.state[start:stop]
        return _Linear(self.direct[start:stop], state, self.depth, self.bias[start:stop])


def spec_of(artifact: Artifact) -> tuple[Spec, dict[str, Tensor]]:
    """Return the graph of an artefact and its tensors.

    Raises
    ------
    FxkitError
        It has none; says why.
    """
    if artifact.graph is not None:
        return artifact.graph, dict(artifact.tensors)
    if artifact.manifest.no_graph:
        raise FxkitError(artifact.manifest.no_graph)
    from fxkit.graph import export

    return export(artifact.model)


def recurrent_net(artifact: Artifact, title: str) -> RecurrentNet:
    """Return the model as one recurrent stack with a linear head and a dry gain.

    Parameters
    ----------
    artifact
        The model; its latency must be 0.
    title
        What the file type is, for the message.

    Raises
    ------
    FxkitError
        The model computes something else; names the layer.
    """
    spec, tensors = spec_of(artifact)
    if artifact.model.latency:
        raise FxkitError(
            f"{title} has no latency, this model lags {artifact.model.latency} samples: train a "
            "model without"
        )
    arrays = {name: t.detach().cpu().double().numpy() for name, t in tensors.items()}
    walk = _Walk(arrays, spec.controls, title)
    for layer in spec.layers:
        walk.step(layer)
    y = walk.signals[spec.output]
    if not walk.layers or y.state is None or y.depth != len(walk.layers):
        raise walk.error("the output does not come from the last recurrent layer")
    if np.any(y.direct[0, 1:] != 0):
        raise walk.error("knobs reach the output past the recurrent layers")
    dry = float(y.direct[0, 0])
    return RecurrentNet(
        walk.kinds.pop() if len(walk.kinds) == 1 else walk.mixed(),
        tuple(walk.layers),
        y.state[0],
        float(y.bias[0]),
        1.0 if abs(dry - 1) < UNIT else dry,
        spec.controls,
    )


class _Walk:
    """Goes through the layers once, in order."""

    def __init__(self, arrays: Mapping[str, Array], controls: int, title: str) -> None:
        self._arrays = arrays
        self._title = title
        own = np.eye(1 + controls)
        zeros = np.zeros(1 + controls)
        self.signals = {
            INPUT: _Linear(own[:1], None, 0, zeros[:1]),
            CONTROLS: _Linear(own[1:], None, 0, zeros[1:]),
        }
        self.layers: list[RecurrentLayer] = []
        self.kinds: set[Any] = set()

    def error(self, why: str) -> FxkitError:
        return FxkitError(
            f"{self._title} has recurrent layers and a linear readout, this model is more: {why}; "
            "train with model=lstm or model=gru"
        )

    def mixed(self) -> Any:
        raise self.error("it has GRU and LSTM layers")

    def step(self, layer: Layer) -> None:
        inputs = [self.signals[name] for name in layer.inputs]
        self.signals[layer.name] = self._follow(layer, inputs)

    def _follow(self, layer: Layer, inputs: list[_Linear]) -> _Linear:
        x = inputs[0]
        match layer:
            case pointwise.Gain():
                return x.mapped(np.diag(self._arrays[layer.weight]), self._of(layer.bias))
            case pointwise.Dense():
                return x.mapped(self._arrays[layer.weight], self._of(layer.bias))
            case memory.Conv() if layer.stride == layer.groups == 1 and (
                self._arrays[layer.weight].shape[2] == 1
            ):
                return x.mapped(self._arrays[layer.weight][:, :, 0], self._of(layer.bias))
            case pointwise.Slice():
                return x.part(layer.start, layer.stop)
            case pointwise.Add():
                return reduce(self._sum, inputs)
            case pointwise.Concat():
                return reduce(self._join, inputs)
            case recurrent.GRU() | recurrent.LSTM():
                return self._recurrent(layer, x)
            case _:
                raise self.error(f"it has a layer {layer.name!r}")

    def _of(self, name: str | None) -> Array | None:
        return None if name is None else self._arrays[name]

    def _states(self, a: _Linear, b: _Linear) -> tuple[Array, Array, int] | None:
        """Return the matrices over h of both, with zeros where one does not hear it."""
        if a.state is None and b.state is None:
            return None
        if a.depth and b.depth and a.depth != b.depth:
            raise self.error("it sums the states of several recurrent layers")
        known = a.state if a.state is not None else b.state
        assert known is not None

        def filled(s: _Linear) -> Array:
            return s.state if s.state is not None else np.zeros((len(s.bias), known.shape[1]))

        return filled(a), filled(b), max(a.depth, b.depth)

    def _sum(self, a: _Linear, b: _Linear) -> _Linear:
        states = self._states(a, b)
        state, depth = (None, 0) if states is None else (states[0] + states[1], states[2])
        return _Linear(a.direct + b.direct, state, depth, a.bias + b.bias)

    def _join(self, a: _Linear, b: _Linear) -> _Linear:
        states = self._states(a, b)
        state, depth = (None, 0) if states is None else (np.vstack(states[:2]), states[2])
        return _Linear(
            np.vstack((a.direct, b.direct)), state, depth, np.concatenate((a.bias, b.bias))
        )

    def _recurrent(self, layer: recurrent.GRU | recurrent.LSTM, x: _Linear) -> _Linear:
        if layer.reset_every:
            raise self.error(f"layer {layer.name!r} starts afresh every {layer.reset_every} frames")
        if x.depth != len(self.layers):
            raise self.error(f"layer {layer.name!r} does not hear the one before it")
        if x.depth and np.any(x.direct != 0):
            raise self.error(f"layer {layer.name!r} hears the input past the one before it")
        weight, hidden_weight = self._arrays[layer.weight_ih], self._arrays[layer.weight_hh]
        rows, hidden = hidden_weight.shape
        heard = x.direct if x.state is None else x.state
        made = RecurrentLayer(
            weight @ heard,
            hidden_weight,
            self._bias(layer.bias_ih, rows) + weight @ x.bias,
            self._bias(layer.bias_hh, rows),
            self._of(layer.initial_h),
        )
        if isinstance(layer, recurrent.LSTM):
            made = replace(made, c=self._of(layer.initial_c))
        self.layers.append(made)
        self.kinds.add(layer.type)
        knobs = self.signals[INPUT].direct.shape[1]
        return _Linear(
            np.zeros((hidden, knobs)), np.eye(hidden), len(self.layers), np.zeros(hidden)
        )

    def _bias(self, name: str | None, rows: int) -> Array:
        found = self._of(name)
        return np.zeros(rows) if found is None else found
