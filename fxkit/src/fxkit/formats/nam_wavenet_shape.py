"""Recognises, in a model's graph, the WaveNet that a .nam file of version 0.5 can hold.

Dense layers, gains, sums, slices and convolutions of one tap are all linear: each signal is
followed as a sum of matrices times *sources*, which are the input, the dilated convolutions and
what the activations make. The layers of the WaveNet are then found by what they compute:

- a dilated convolution reads what the one before it read, plus a matrix times that one's activation
  (the residual path), or a matrix times such a sum (the next layer array begins);
- what is activated is the convolution plus a matrix times the input (the mixin);
- the output is a sum over all activations (the head).

Constants that the file has no place for, such as a bias behind the first matrix, move into the
biases of the convolutions. So a graph need not be built in any special way to be exported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fxkit.artifact import Artifact
from fxkit.errors import FxkitError
from fxkit.formats.linear import spec_of
from fxkit.graph import memory, pointwise
from fxkit.graph.layer import Layer
from fxkit.graph.spec import INPUT

__all__ = ["LayerArray", "WaveNet", "WaveNetLayer", "wavenet"]

Array = NDArray[np.float64]
ADVICE = "train with model=lstm model.dry=false"
NAMES = {
    "tanh": "Tanh",
    "hardtanh": "Hardtanh",
    "relu": "ReLU",
    "leaky_relu": "LeakyReLU",
    "sigmoid": "Sigmoid",
    "silu": "SiLU",
    "hardswish": "Hardswish",
}
"""Activations by the names that 0.5 has for them, which stand for the default settings."""


@dataclass(frozen=True)
class WaveNetLayer:
    """One layer: ``a = f(conv(h) + bias + mixin x)``, then ``h + residual a + offset``."""

    conv: Array
    """``[rows, channels, taps]``; a gated layer has two rows for each channel, the gates last."""
    bias: Array
    """``[rows]``."""
    mixin: Array
    """``[rows]``."""
    residual: Array
    """``[channels, channels]``."""
    offset: Array
    """``[channels]``."""
    dilation: int


@dataclass(frozen=True)
class LayerArray:
    """Layers of one width, one number of taps and one activation."""

    rechannel: Array
    """``[channels, inputs]``."""
    layers: tuple[WaveNetLayer, ...]
    head: Array
    """``[channels]``: what the sum of the activations is multiplied by on its way to the output."""
    activation: str
    gated: bool

    @property
    def channels(self) -> int:
        """The width."""
        return int(self.rechannel.shape[0])


@dataclass(frozen=True)
class WaveNet:
    """``y = bias + sum over arrays and layers of head . a``."""

    arrays: tuple[LayerArray, ...]
    bias: float


def wavenet(artifact: Artifact) -> WaveNet:
    """Return the model as the WaveNet that it is.

    Raises
    ------
    FxkitError
        The model computes something else; names the layer, or the setting to train with.
    """
    spec, tensors = spec_of(artifact)
    if spec.controls:
        raise FxkitError("a .nam file has no knobs: train on recordings without knob values")
    if artifact.model.latency:
        raise FxkitError(
            f"a .nam file has no latency, this model lags {artifact.model.latency} samples: train "
            "a model without"
        )
    arrays = {name: t.detach().cpu().double().numpy() for name, t in tensors.items()}
    walk = _Walk(arrays)
    for layer in spec.layers:
        walk.step(layer)
    return _Stack(walk, spec.output).build()


@dataclass(frozen=True)
class _Sum:
    """A signal: ``bias`` plus, for each source, a matrix times it.

    The matrices are ``[channels, source channels]``.
    """

    parts: Mapping[str, Array]
    bias: Array

    def mapped(self, weight: Array, bias: Array | None) -> _Sum:
        offset = weight @ self.bias
        return _Sum(
            {name: weight @ part for name, part in self.parts.items()},
            offset if bias is None else offset + bias,
        )

    def plus(self, other: _Sum) -> _Sum:
        parts = dict(self.parts)
        for name, part in other.parts.items():
            parts[name] = parts[name] + part if name in parts else part
        return _Sum(parts, self.bias + other.bias)

    def sliced(self, start: int, stop: int) -> _Sum:
        return _Sum({n: p[start:stop] for n, p in self.parts.items()}, self.bias[start:stop])

    def joined(self, other: _Sum) -> _Sum:
        parts = {}
        for name in {**self.parts, **other.parts}:
            both = [s.parts.get(name) for s in (self, other)]
            width = next(p.shape[1] for p in both if p is not None)
            parts[name] = np.vstack(
                [
                    np.zeros((len(s.bias), width)) if p is None else p
                    for s, p in zip((self, other), both, strict=True)
                ]
            )
        return _Sum(parts, np.concatenate((self.bias, other.bias)))


@dataclass(frozen=True)
class _Conv:
    """A source: a convolution of several taps, without its bias."""

    reads: str
    weight: Array
    dilation: int


@dataclass(frozen=True)
class _Active:
    """A source: the function of a sum, or the product of one with a sigmoid."""

    function: str
    value: _Sum
    gate: _Sum | None = None
    halves: tuple[str, ...] = ()
    """The activations that are multiplied."""


@dataclass
class _Walk:
    """Goes through the graph's layers once, in order."""

    arrays: Mapping[str, Array]
    sums: dict[str, _Sum] = field(default_factory=dict)
    linear: dict[str, tuple[str, Array, Array]] = field(default_factory=dict)
    """Signals that are a matrix times one other signal, plus a bias."""
    convs: dict[str, _Conv] = field(default_factory=dict)
    active: dict[str, _Active] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sums[INPUT] = _Sum({INPUT: np.eye(1)}, np.zeros(1))

    def step(self, layer: Layer) -> None:
        self.sums[layer.name] = self._follow(layer)

    def _follow(self, layer: Layer) -> _Sum:
        inputs = [self.sums[name] for name in layer.inputs]
        x = inputs[0]
        match layer:
            case pointwise.Gain():
                return self._mapped(layer, np.diag(self.arrays[layer.weight]), layer.bias)
            case pointwise.Dense():
                return self._mapped(layer, self.arrays[layer.weight], layer.bias)
            case memory.Conv() if layer.stride == layer.groups == 1:
                return self._conv(layer)
            case pointwise.Slice():
                return x.sliced(layer.start, layer.stop)
            case pointwise.Add():
                return self._reduced(inputs, _Sum.plus)
            case pointwise.Concat():
                return self._reduced(inputs, _Sum.joined)
            case pointwise.Activate():
                return self._activation(layer, x)
            case pointwise.Multiply():
                return self._gate(layer, inputs)
            case _:
                raise _other(f"it has a layer {layer.name!r}")

    @staticmethod
    def _reduced(inputs: list[_Sum], both: Callable[[_Sum, _Sum], _Sum]) -> _Sum:
        total = inputs[0]
        for one in inputs[1:]:
            total = both(total, one)
        return total

    def _mapped(self, layer: Layer, weight: Array, bias: str | None) -> _Sum:
        offset = np.zeros(len(weight)) if bias is None else self.arrays[bias]
        self.linear[layer.name] = (layer.inputs[0], weight, offset)
        return self.sums[layer.inputs[0]].mapped(weight, offset)

    def _conv(self, layer: memory.Conv) -> _Sum:
        weight = self.arrays[layer.weight]
        if weight.shape[2] == 1:
            return self._mapped(layer, weight[:, :, 0], layer.bias)
        self.convs[layer.name] = _Conv(layer.inputs[0], weight, layer.dilation)
        rows = len(weight)
        bias = np.zeros(rows) if layer.bias is None else self.arrays[layer.bias]
        return _Sum({layer.name: np.eye(rows)}, bias)

    def _activation(self, layer: pointwise.Activate, x: _Sum) -> _Sum:
        default = replace(
            layer, slope=None, low=None, high=None, low_slope=None, high_slope=None
        ).settings()
        if layer.function not in NAMES or layer.settings() != default:
            raise _other(f"layer {layer.name!r}, {layer.function}, is not an activation of 0.5")
        return self._source(layer, _Active(layer.function, x), len(x.bias))

    def _gate(self, layer: Layer, inputs: list[_Sum]) -> _Sum:
        """Recognise the product of an activation and a sigmoid, each alone and unscaled."""
        found = [self._alone(s) for s in inputs]
        halves = tuple(name for name in found if name is not None)
        if len(found) != 2 or len(halves) != 2:
            raise _other(f"layer {layer.name!r} multiplies what are not two activations")
        value, gate = (self.active[name] for name in halves)
        if gate.function != "sigmoid":
            value, gate = gate, value
        if gate.function != "sigmoid" or value.gate or gate.gate:
            raise _other(f"layer {layer.name!r} is a gate without a sigmoid")
        made = _Active(value.function, value.value, gate.value, halves)
        return self._source(layer, made, len(value.value.bias))

    def _alone(self, s: _Sum) -> str | None:
        """Return the activation that a signal is, if it is just that."""
        if len(s.parts) != 1 or s.bias.any():
            return None
        [(name, part)] = s.parts.items()
        same = part.shape[0] == part.shape[1] and np.array_equal(part, np.eye(len(part)))
        return name if same and name in self.active else None

    def _source(self, layer: Layer, made: _Active, channels: int) -> _Sum:
        self.active[layer.name] = made
        return _Sum({layer.name: np.eye(channels)}, np.zeros(channels))


class _Stack:
    """Puts the layers of the WaveNet in their order and cuts them into arrays."""

    def __init__(self, walk: _Walk, output: str) -> None:
        self._walk = walk
        self._y = walk.sums[output]

    def build(self) -> WaveNet:
        heard = self._heard()
        dry = self._y.parts.get(INPUT)
        if dry is not None and dry.any():
            raise FxkitError(
                f"a .nam file has no dry path, this model has one at a gain of {dry[0, 0]:.3g}: "
                f"train without it, or {ADVICE}"
            )
        if not heard:
            raise _other("its output is not a sum of activations")
        arrays: list[LayerArray] = []
        h = _Sum({}, np.zeros(0))  # what the last convolution read
        before = ""  # the activation behind it
        constant = np.zeros(0)  # of what the layers read, where the file's begins with 0
        for name in heard:
            active = self._walk.active[name]
            conv, weight, bias, mixin = self._heard_by(name, active)
            reads = self._walk.sums[conv.reads]
            step = self._residual(h, reads, before) if before else None
            rechannel: Array | None = None
            if step is None:
                rechannel, offset, step = self._rechannel(conv.reads, h, before)
                constant = offset + (rechannel @ constant if before else 0.0)
            if before:
                arrays[-1] = _with_residual(arrays[-1], *step)
            bias = bias + weight.sum(axis=2) @ constant
            width = len(reads.bias)
            made = WaveNetLayer(
                weight, bias, mixin, np.zeros((width, width)), np.zeros(width), conv.dilation
            )
            self._fits(name, active, made)
            one = LayerArray(
                np.eye(width) if rechannel is None else rechannel,
                (made,),
                self._y.parts[name][0],
                active.function,
                active.gate is not None,
            )
            if rechannel is None and _alike(arrays[-1], one):
                arrays[-1] = replace(arrays[-1], layers=(*arrays[-1].layers, made))
            else:
                arrays.append(one)
            h, before = reads, name
        return WaveNet(tuple(arrays), float(self._y.bias[0]))

    def _heard(self) -> list[str]:
        """Return the activations that make the layers, in the graph's order."""
        walk = self._walk
        gates = {name for a in walk.active.values() for name in a.halves}
        chain = [n for n in walk.active if n not in gates]
        other = [n for n in self._y.parts if n not in walk.active and n != INPUT]
        if other:
            taps = walk.convs[other[0]].weight.shape[2]
            raise _other(f"its head, layer {other[0]!r}, has {taps} taps instead of one")
        for name in chain:
            width = len(walk.active[name].value.bias)
            if name not in self._y.parts:  # nothing of it is heard but by the layers behind it
                self._y = self._y.plus(_Sum({name: np.zeros((1, width))}, np.zeros(1)))
        return chain

    def _heard_by(self, name: str, active: _Active) -> tuple[_Conv, Array, Array, Array]:
        """Return the convolution of a layer, its weights and biases, and the mixin."""
        halves = [s for s in (active.value, active.gate) if s is not None]
        found: list[_Conv] = []
        weights, mixins = [], []
        for half in halves:
            convs = [n for n in half.parts if n in self._walk.convs]
            others = [n for n in half.parts if n not in self._walk.convs and n != INPUT]
            if len(convs) != 1 or others:
                raise _other(f"layer {name!r} does not hear one dilated convolution and the input")
            conv = self._walk.convs[convs[0]]
            found.append(conv)
            weights.append(np.einsum("oc,cik->oik", half.parts[convs[0]], conv.weight))
            mixins.append(half.parts.get(INPUT, np.zeros((len(half.bias), 1)))[:, 0])
        first = found[0]
        for conv in found[1:]:
            if (conv.reads, conv.dilation) != (first.reads, first.dilation) or (
                conv.weight.shape[2] != first.weight.shape[2]
            ):
                raise _other(f"value and gate of layer {name!r} hear different convolutions")
        bias = np.concatenate([half.bias for half in halves])
        return first, np.concatenate(weights), bias, np.concatenate(mixins)

    @staticmethod
    def _residual(h: _Sum, reads: _Sum, before: str) -> tuple[Array, Array] | None:
        """Return matrix and bias of a residual path, if `reads` is `h` and that."""
        if len(h.bias) != len(reads.bias) or set(reads.parts) - {before} != set(h.parts):
            return None
        if not all(np.array_equal(h.parts[n], reads.parts[n]) for n in h.parts):
            return None
        return reads.parts.get(before, np.zeros((len(h.bias),) * 2)), reads.bias - h.bias

    def _rechannel(
        self, signal: str, h: _Sum, before: str
    ) -> tuple[Array, Array, tuple[Array, Array]]:
        """Return the matrix an array begins with, its bias, and the residual path before it."""
        where, weight, bias = signal, np.eye(len(self._walk.sums[signal].bias)), np.zeros(1)
        while True:
            s = self._walk.sums[where]
            if before:
                step = self._residual(h, s, before)
                if step is not None:
                    return weight, bias, step
            elif set(s.parts) == {INPUT}:
                return weight @ s.parts[INPUT], bias + weight @ s.bias, (weight, bias)
            if where not in self._walk.linear:
                raise _other(
                    f"what the convolution behind {signal!r} hears is not the sum of what the one "
                    "before it heard and its activation"
                )
            where, matrix, offset = self._walk.linear[where]
            weight, bias = weight @ matrix, bias + weight @ offset

    def _fits(self, name: str, active: _Active, made: WaveNetLayer) -> None:
        channels, width = len(active.value.bias), made.conv.shape[1]
        if channels != width:
            raise _other(f"layer {name!r} makes {channels} channels of {width}")


def _with_residual(array: LayerArray, residual: Array, offset: Array) -> LayerArray:
    last = replace(array.layers[-1], residual=residual, offset=offset)
    return replace(array, layers=(*array.layers[:-1], last))


def _alike(array: LayerArray, one: LayerArray) -> bool:
    """Say whether a layer can be of the array before it."""
    return (
        (array.activation, array.gated) == (one.activation, one.gated)
        and array.layers[0].conv.shape == one.layers[0].conv.shape
        and np.array_equal(array.head, one.head)
    )


def _other(why: str) -> FxkitError:
    return FxkitError(
        "a .nam file has a WaveNet of dilated convolutions with one input mixin, activation and "
        f"residual each and one linear head, this model is more: {why}; {ADVICE}"
    )
