"""A graph as an ONNX model: the same layers in ONNX's operators, the state passed in and out.

Gate orders differ: ONNX has z, r, n for a GRU (with the reset gate behind the product, as PyTorch
computes it, if ``linear_before_reset`` is set) and i, o, f, g for an LSTM.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from fxkit.formats.onnx_functions import add_function
from fxkit.graph import Spec, memory, pointwise, recurrent
from fxkit.graph.layer import Layer
from fxkit.graph.spec import CONTROLS, INPUT

__all__ = ["block_multiple", "model", "state_names"]

OPSET, IR = 17, 8
"""Old enough for the runtimes of the last years."""
GRU_GATES = (1, 0, 2)
LSTM_GATES = (0, 3, 1, 2)


def block_multiple(spec: Spec, tensors: Mapping[str, Tensor]) -> int:
    """Return the number of samples of which every block must be a multiple; 1 for most models.

    Layers that keep a frame in so many, or start afresh in so many, have no clock in ONNX: each
    block begins where they do.
    """
    signals = spec.check({name: tuple(t.shape) for name, t in tensors.items()})
    periods = [signal.period for signal in signals.values()]
    periods += [
        layer.reset_every * signals[layer.name].period
        for layer in spec.layers
        if isinstance(layer, recurrent.GRU | recurrent.LSTM) and layer.reset_every
    ]
    return math.lcm(*periods)


def model(
    spec: Spec, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> onnx.ModelProto:
    """Return the ONNX model.

    Parameters
    ----------
    spec
        The layers. Inputs are ``x`` ``[batch, 1, time]``, ``controls`` ``[batch, K]`` if there are
        any, and the states; outputs ``y`` and, for each state S, ``S.next``.
    tensors
        The weights.
    metadata
        Texts to keep in the model.
    """
    made = _Writer(spec, tensors).write()
    for key, value in metadata.items():
        entry = made.metadata_props.add()
        entry.key, entry.value = key, value
    return made


class Writer:
    """Collects nodes and constants."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node; return the name of its output, or the names."""
        names = [f"v{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, value: NDArray[Any]) -> str:
        """Add a constant; return its name."""
        name = f"c{len(self.constants)}"
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def integers(self, *values: int) -> str:
        """Add a row of integers; return its name."""
        return self.constant(np.array(values, np.int64))

    def number(self, value: float) -> str:
        """Add one number; return its name."""
        return self.constant(np.array(value, np.float32))


class _Writer(Writer):
    """Goes through the layers once."""

    def __init__(self, spec: Spec, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self._spec = spec
        used = spec.tensors()
        self._arrays = {n: tensors[n].detach().cpu().float().numpy() for n in used}
        self._signals = spec.check({n: a.shape for n, a in self._arrays.items()})
        self._inputs = [_value("x", ["batch", 1, "time"])]
        self._outputs: list[onnx.ValueInfoProto] = []
        self._variables = {INPUT: "x"}
        self._keys = _keys(spec)

    def write(self) -> onnx.ModelProto:
        """Return the model."""
        if self._spec.controls:
            self._inputs.append(_value("controls", ["batch", self._spec.controls]))
            self._variables[CONTROLS] = self._knobs()
        for layer in self._spec.layers:
            inputs = [self._variables[name] for name in layer.inputs]
            self._variables[layer.name] = self._layer(layer, inputs)
        self._name(self._variables[self._spec.output], "y")
        outputs = [_value("y", ["batch", 1, "time"]), *self._outputs]
        graph = helper.make_graph(
            self.nodes, "fxkit", self._inputs, outputs, list(self.constants.values())
        )
        made = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="fxkit"
        )
        made.ir_version = IR
        onnx.checker.check_model(made, full_check=True)
        return made

    def _name(self, variable: str, name: str) -> None:
        self.nodes.append(helper.make_node("Identity", [variable], [name]))

    def _knobs(self) -> str:
        """Return the knobs as a signal ``[batch, K, time]``."""
        held = self.op("Unsqueeze", "controls", self.integers(2))
        time = self.op("Slice", self.op("Shape", "x"), self.integers(2), self.integers(3))
        sizes = self.op("Concat", self.integers(1, 1), time, axis=0)
        return str(self.op("Expand", held, sizes))

    def _layer(self, layer: Layer, x: Sequence[str]) -> str:
        match layer:
            case pointwise.Gain():
                y = self.op("Mul", x[0], self._column(layer.weight))
                return str(y if layer.bias is None else self.op("Add", y, self._column(layer.bias)))
            case pointwise.Dense():
                return self._dense(layer, x[0])
            case pointwise.Film():
                half = self._signals[layer.name].channels
                both = self._dense(layer, x[1])
                scale, shift = self._channels(both, 0, half), self._channels(both, half, 2 * half)
                return str(self.op("Add", self.op("Mul", scale, x[0]), shift))
            case pointwise.Activate():
                return add_function(self, layer.function, x[0], layer.settings())
            case pointwise.PReLU():
                return str(self.op("PRelu", x[0], self._column(layer.weight)))
            case pointwise.Add():
                return self._fold("Add", x)
            case pointwise.Multiply():
                return self._fold("Mul", x)
            case pointwise.Concat():
                return str(self.op("Concat", *x, axis=1))
            case pointwise.Slice():
                return self._channels(x[0], layer.start, layer.stop)
            case memory.Conv():
                return self._conv(layer, x[0])
            case memory.Delay():
                return self._delay(layer, x[0])
            case memory.Downsample():
                ends = self.integers(np.iinfo(np.int64).max)
                return str(self.op("Slice", x[0], self.integers(0), ends, self.integers(2),
                                   self.integers(layer.factor)))  # fmt: skip
            case memory.Upsample():
                return self._upsample(layer, x[0])
            case recurrent.GRU() | recurrent.LSTM():
                return self._recurrent(layer, x[0])
        raise AssertionError(f"no ONNX for layer type {layer.type}")  # pragma: no cover

    def _fold(self, kind: str, x: Sequence[str]) -> str:
        y = x[0]
        for other in x[1:]:
            y = self.op(kind, y, other)
        return y

    def _column(self, name: str) -> str:
        return self.constant(self._arrays[name][:, None])

    def _channels(self, x: str, start: int, stop: int) -> str:
        made = self.op("Slice", x, self.integers(start), self.integers(stop), self.integers(1))
        return str(made)

    def _dense(self, layer: pointwise.Dense | pointwise.Film, x: str) -> str:
        y = self.op("MatMul", self.constant(self._arrays[layer.weight]), x)
        return str(y if layer.bias is None else self.op("Add", y, self._column(layer.bias)))

    def _state(self, layer: Layer, what: str, shape: list[int]) -> str:
        """Add a state; return the name of the input."""
        name = f"{self._keys[layer.name]}.{what}"
        self._inputs.append(_value(name, ["batch", *shape]))
        self._outputs.append(_value(f"{name}.next", ["batch", *shape]))
        return name

    def _cut(self, heard: str, length: int) -> str:
        """Return the last `length` frames."""
        ends = self.integers(np.iinfo(np.int64).max)
        return str(self.op("Slice", heard, self.integers(-length), ends, self.integers(2)))

    def _conv(self, layer: memory.Conv, x: str) -> str:
        weight = self._arrays[layer.weight]
        reach = (weight.shape[2] - 1) * layer.dilation
        heard = x
        if reach:
            channels = self._signals[layer.inputs[0]].channels
            past = self._state(layer, "past", [channels, reach])
            heard = self.op("Concat", past, x, axis=2)
            self._name(self._cut(heard, reach), f"{past}.next")
        inputs = [heard, self.constant(weight)]
        if layer.bias is not None:
            inputs.append(self.constant(self._arrays[layer.bias]))
        return str(
            self.op(
                "Conv",
                *inputs,
                dilations=[layer.dilation],
                strides=[layer.stride],
                group=layer.groups,
                kernel_shape=[weight.shape[2]],
            )
        )

    def _delay(self, layer: memory.Delay, x: str) -> str:
        if not layer.frames:
            return x
        past = self._state(layer, "past", [self._signals[layer.inputs[0]].channels, layer.frames])
        heard = self.op("Concat", past, x, axis=2)
        self._name(self._cut(heard, layer.frames), f"{past}.next")
        return str(self.op("Slice", heard, self.integers(0), self.integers(-layer.frames),
                           self.integers(2)))  # fmt: skip

    def _upsample(self, layer: memory.Upsample, x: str) -> str:
        """Repeat each frame, or put zeros behind it: a new last axis, folded into time."""
        channels = self._signals[layer.inputs[0]].channels
        single = self.op("Unsqueeze", x, self.integers(3))
        ones = np.ones(layer.factor, np.float32)
        if layer.mode == "zeros":
            ones[1:] = 0
        spread = self.op("Mul", single, self.constant(ones))
        return str(self.op("Reshape", spread, self.integers(0, channels, -1)))

    def _recurrent(self, layer: recurrent.GRU | recurrent.LSTM, x: str) -> str:
        weight_ih, weight_hh = self._arrays[layer.weight_ih], self._arrays[layer.weight_hh]
        hidden, inputs = weight_hh.shape[1], weight_ih.shape[1]
        lstm = isinstance(layer, recurrent.LSTM)
        zeros = np.zeros(len(weight_ih), np.float32)
        biases = [zeros if b is None else self._arrays[b] for b in (layer.bias_ih, layer.bias_hh)]
        order = LSTM_GATES if lstm else GRU_GATES

        def gates(array: NDArray[Any]) -> NDArray[Any]:
            return np.concatenate([array[i * hidden : (i + 1) * hidden] for i in order])[None]

        weights = [
            self.constant(gates(weight_ih)),
            self.constant(gates(weight_hh)),
            self.constant(np.concatenate([gates(b) for b in biases], axis=1)),
        ]
        starts = [("h", layer.initial_h)]
        if isinstance(layer, recurrent.LSTM):
            starts.append(("c", layer.initial_c))
        every = layer.reset_every
        frames = self.op("Transpose", x, perm=[0, 2, 1])  # [batch, time, inputs]
        batch = self.op("Slice", self.op("Shape", x), self.integers(0), self.integers(1))
        if every:
            frames = self.op("Reshape", frames, self.integers(-1, every, inputs))
            rows = self.op("Slice", self.op("Shape", frames), self.integers(0), self.integers(1))
            sizes = self.op("Concat", self.integers(1), rows, self.integers(hidden), axis=0)
            before = [self.op("Expand", self._start(name, hidden), sizes) for _, name in starts]
        else:
            states = [self._state(layer, what, [hidden]) for what, _ in starts]
            before = [self.op("Unsqueeze", state, self.integers(0)) for state in states]
        frames = self.op("Transpose", frames, perm=[1, 0, 2])
        y, *after = self.op(
            "LSTM" if lstm else "GRU",
            *(frames, *weights, "", *before),
            outputs=3 if lstm else 2,
            hidden_size=hidden,
            **({} if lstm else {"linear_before_reset": 1}),
        )
        if not every:
            for state, value in zip(states, after, strict=True):
                self._name(self.op("Squeeze", value, self.integers(0)), f"{state}.next")
        y = self.op("Transpose", self.op("Squeeze", y, self.integers(1)), perm=[1, 0, 2])
        if every:
            sizes = self.op("Concat", batch, self.integers(-1, hidden), axis=0)
            y = self.op("Reshape", y, sizes)
        return str(self.op("Transpose", y, perm=[0, 2, 1]))

    def _start(self, name: str | None, hidden: int) -> str:
        value = np.zeros(hidden, np.float32) if name is None else self._arrays[name]
        return self.constant(value[None, None])


def state_names(spec: Spec) -> dict[str, str]:
    """Return, by the name of the state, the tensors that states start with instead of zeros."""
    found: dict[str, str] = {}
    for layer in spec.layers:
        if isinstance(layer, recurrent.GRU | recurrent.LSTM) and not layer.reset_every:
            starts = {"h": layer.initial_h}
            if isinstance(layer, recurrent.LSTM):
                starts["c"] = layer.initial_c
            key = _keys(spec)[layer.name]
            found |= {f"{key}.{what}": name for what, name in starts.items() if name is not None}
    return found


def _keys(spec: Spec) -> dict[str, str]:
    """Return what the layers are called in the file; a stranger's names only if plain words."""
    plain = all(re.fullmatch(r"\w+", layer.name, re.ASCII) for layer in spec.layers)
    return {layer.name: layer.name if plain else str(i) for i, layer in enumerate(spec.layers)}


def _value(name: str, shape: list[Any]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
