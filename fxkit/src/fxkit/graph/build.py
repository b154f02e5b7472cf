"""The builder that `Model.graph` calls: one method per layer, shapes checked at every call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from fxkit.graph import memory, pointwise, recurrent
from fxkit.graph.activations import ACTIVATIONS
from fxkit.graph.errors import GraphError, NotExportableError
from fxkit.graph.layer import Layer, Signal
from fxkit.graph.spec import CONTROLS, INPUT, Spec

__all__ = ["Graph", "Node"]


@dataclass(frozen=True)
class Node:
    """A signal of a graph under construction: `channels` numbers every `period` samples."""

    name: str
    channels: int
    period: int = 1


class Graph:
    """Collects the layers of a model.

    Every method takes nodes and weights and returns the node that the layer makes. A weight that
    is a parameter or a buffer of the model is referred to by its name, so that it is stored once;
    any other tensor (a slice of a parameter, say) is stored beside them as ``graph.N``.

    Parameters
    ----------
    model
        Its parameters and buffers are known by their state-dict names.
    controls
        The number of knobs.
    prefix
        What the names of the model's tensors begin with in the file.
    """

    def __init__(self, model: nn.Module, *, controls: int, prefix: str = "model.") -> None:
        self._names: dict[int, str] = {}
        self.tensors: dict[str, Tensor] = {}
        """Every tensor that a layer refers to, by name."""
        for name, tensor in model.state_dict(keep_vars=True).items():
            self._names.setdefault(id(tensor), prefix + name)
        self._model = model
        self._derived: list[Tensor] = []
        self._layers: list[Layer] = []
        self._signals = {INPUT: Signal(1)}
        self.x = Node(INPUT, 1)
        """The audio."""
        self.controls: Node | None = None
        """The knobs, 0..1, one channel each; None for a model without any."""
        if controls:
            self._signals[CONTROLS] = Signal(controls)
            self.controls = Node(CONTROLS, controls)

    def gru(
        self, x: Node, module: nn.GRU, *, initial: Tensor | None = None, reset_every: int = 0
    ) -> Node:
        """Add a GRU of any number of layers, with the weights of `module`.

        Parameters
        ----------
        x
            Its input features as channels.
        module
            Unidirectional; dropout is ignored.
        initial
            The state at the start, ``[layers, hidden]``; zeros if None.
        reset_every
            Start afresh every so many frames; 0 means never.
        """
        return self._recurrent(recurrent.GRU, x, module, {"h": initial}, reset_every)

    def lstm(
        self,
        x: Node,
        module: nn.LSTM,
        *,
        initial_h: Tensor | None = None,
        initial_c: Tensor | None = None,
        reset_every: int = 0,
    ) -> Node:
        """Add an LSTM of any number of layers; see `gru`."""
        if module.proj_size:
            raise NotExportableError("the engine has no LSTM with projections: set proj_size=0")
        initial = {"h": initial_h, "c": initial_c}
        return self._recurrent(recurrent.LSTM, x, module, initial, reset_every)

    def dense(self, x: Node, weight: nn.Linear | Tensor, bias: Tensor | None = None) -> Node:
        """Add ``weight x + bias``, weight ``[out, in]``; or give the `torch.nn.Linear`."""
        if isinstance(weight, nn.Linear):
            module = weight
            weight, bias = module.weight, module.bias
        return self._add(pointwise.Dense, x, weight=weight, bias=bias)

    def conv(
        self,
        x: Node,
        weight: nn.Conv1d | Tensor,
        bias: Tensor | None = None,
        *,
        dilation: int = 1,
        stride: int = 1,
        groups: int = 1,
    ) -> Node:
        """Add a causal convolution, weight ``[out, in / groups, taps]``; or give the `Conv1d`.

        The padding of a module is ignored: the layer sees the past, then the newest sample.
        """
        if isinstance(weight, nn.Conv1d):
            module = weight
            weight, bias = module.weight, module.bias
            (dilation,), (stride,), groups = module.dilation, module.stride, module.groups
        settings = {"dilation": dilation, "stride": stride, "groups": groups}
        return self._add(memory.Conv, x, weight=weight, bias=bias, **settings)

    def activation(self, x: Node, function: str, **settings: float) -> Node:
        """Add one of `fxkit.graph.activations.ACTIVATIONS`, with settings such as ``slope``."""
        if function in ACTIVATIONS and not set(settings) <= set(ACTIVATIONS[function].settings):
            known = ", ".join(ACTIVATIONS[function].settings) or "none"
            raise GraphError(f"activation {function}: its settings are: {known}")
        complete = {**ACTIVATIONS[function].settings, **settings} if function in ACTIVATIONS else {}
        return self._add(pointwise.Activate, x, function=function, **complete)

    def prelu(self, x: Node, weight: nn.PReLU | Tensor) -> Node:
        """Add a ReLU with learned slopes: one, or one per channel."""
        slopes = weight.weight if isinstance(weight, nn.PReLU) else weight
        return self._add(pointwise.PReLU, x, weight=_per_channel(slopes, x))

    def gain(self, x: Node, weight: Tensor, bias: Tensor | None = None) -> Node:
        """Add ``weight x + bias`` with one number for all channels, or one per channel."""
        bias = None if bias is None else _per_channel(bias, x)
        return self._add(pointwise.Gain, x, weight=_per_channel(weight, x), bias=bias)

    def add(self, *nodes: Node) -> Node:
        """Add the sum of signals with equally many channels."""
        return self._add(pointwise.Add, *nodes)

    def multiply(self, *nodes: Node) -> Node:
        """Add the product of signals with equally many channels: a gate."""
        return self._add(pointwise.Multiply, *nodes)

    def concat(self, *nodes: Node | None) -> Node:
        """Put the channels of several signals one after the other; None is left out."""
        present = [node for node in nodes if node is not None]
        return present[0] if len(present) == 1 else self._add(pointwise.Concat, *present)

    def slice(self, x: Node, start: int, stop: int) -> Node:
        """Take the channels from `start` up to, not including, `stop`."""
        return self._add(pointwise.Slice, x, start=start, stop=stop)

    def film(
        self,
        x: Node,
        condition: Node,
        weight: nn.Linear | Tensor,
        bias: Tensor | None = None,
    ) -> Node:
        """Add ``scale x + shift`` with ``[scale; shift] = weight condition + bias``.

        The weight is ``[2 channels, condition channels]``; or give the `torch.nn.Linear`.
        """
        if isinstance(weight, nn.Linear):
            module = weight
            weight, bias = module.weight, module.bias
        return self._add(pointwise.Film, x, condition, weight=weight, bias=bias)

    def delay(self, x: Node, frames: int) -> Node:
        """Add a constant delay, as a residual path beside a latent one needs."""
        return self._add(memory.Delay, x, frames=frames)

    def downsample(self, x: Node, factor: int) -> Node:
        """Keep every `factor`-th frame, the first one of the stream included."""
        return self._add(memory.Downsample, x, factor=factor)

    def upsample(self, x: Node, factor: int, mode: Literal["hold", "zeros"] = "hold") -> Node:
        """Undo a stride: repeat each frame, or put zeros behind it."""
        return self._add(memory.Upsample, x, factor=factor, mode=mode)

    def finish(self, output: Node) -> Spec:
        """Return the checked list of the layers that `output` needs."""
        needed = {output.name}
        for layer in reversed(self._layers):
            if layer.name in needed:
                needed.update(layer.inputs)
        layers = tuple(layer for layer in self._layers if layer.name in needed)
        controls = 0 if self.controls is None else self.controls.channels
        spec = Spec(controls, layers, output.name)
        spec.check(self._shapes())
        used = set(spec.tensors())
        self.tensors = {name: t for name, t in self.tensors.items() if name in used}
        return spec

    def _recurrent(
        self,
        cls: type[recurrent.GRU | recurrent.LSTM],
        x: Node,
        module: nn.GRU | nn.LSTM,
        initial: dict[str, Tensor | None],
        reset_every: int,
    ) -> Node:
        if module.bidirectional:
            raise NotExportableError("a bidirectional layer hears the future: it cannot be played")
        for i in range(module.num_layers):
            weights: dict[str, Any] = {
                name: getattr(module, f"{name}_l{i}") for name in ("weight_ih", "weight_hh")
            }
            if module.bias:
                weights |= {f: getattr(module, f"{f}_l{i}") for f in ("bias_ih", "bias_hh")}
            for what, tensor in initial.items():
                weights[f"initial_{what}"] = None if tensor is None else tensor[i]
            x = self._add(cls, x, **weights, reset_every=reset_every)
        return x

    def _add(self, cls: type[Layer], *nodes: Node, **values: Any) -> Node:
        settings = {
            key: self._name(value) if isinstance(value, Tensor) else value
            for key, value in values.items()
        }
        name = f"{cls.type}_{sum(layer.type == cls.type for layer in self._layers)}"
        layer = cls(name=name, inputs=tuple(node.name for node in nodes), **settings)
        for node in nodes:
            if self._signals.get(node.name) != (node.channels, node.period):
                raise layer.error(f"its input {node.name!r} is of another graph")
        signal = Spec.check_layer(layer, self._signals, self._shapes())
        self._layers.append(layer)
        self._signals[name] = signal
        return Node(name, signal.channels, signal.period)

    def _name(self, tensor: Tensor) -> str:
        name = self._names.get(id(tensor))
        if name is None:
            name = f"graph.{len(self._derived)}"
            self._derived.append(tensor)  # kept alive, so that its id is not given to another
            self._names[id(tensor)] = name
        self.tensors[name] = tensor.detach()
        return name

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: tuple(tensor.shape) for name, tensor in self.tensors.items()}


def _per_channel(tensor: Tensor, x: Node) -> Tensor:
    """Return one number per channel; the tensor itself where it already is that."""
    if tensor.shape == (x.channels,):
        return tensor
    if tensor.numel() == 1:
        return torch.broadcast_to(tensor.detach().reshape(1), (x.channels,)).contiguous()
    return tensor  # the layer's own check says what is wrong
