"""A graph as TorchScript source: one line or a few per layer, with the state passed in and out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from torch import Tensor

from fxkit.graph import Spec, memory, pointwise, recurrent
from fxkit.graph.layer import Layer, Signal
from fxkit.graph.spec import CONTROLS, INPUT

__all__ = ["source"]

FUNCTIONS = {
    "tanh": "torch.tanh({x})",
    "sigmoid": "torch.sigmoid({x})",
    "relu": "torch.relu({x})",
    "leaky_relu": "torch.where({x} > 0, {x}, {x} * {slope})",
    "elu": "torch.where({x} > 0, {x}, torch.expm1({x}) * {slope})",
    "softplus": "torch.relu({x}) + torch.log1p(torch.exp(-torch.abs({x})))",
    "hardtanh": "torch.clamp({x}, {low}, {high})",
    "leaky_hardtanh": (
        "torch.where({x} < {low}, ({x} - {low}) * {low_slope} + {low}, "
        "torch.where({x} > {high}, ({x} - {high}) * {high_slope} + {high}, {x}))"
    ),
    "hardsigmoid": "torch.clamp({x} / 6.0 + 0.5, 0.0, 1.0)",
    "hardswish": "{x} * torch.clamp({x} / 6.0 + 0.5, 0.0, 1.0)",
    "softsign": "{x} / (torch.abs({x}) + 1.0)",
    "silu": "{x} * torch.sigmoid({x})",
    "gelu": "{x} * 0.5 * (torch.erf({x} * 0.7071067811865476) + 1.0)",
    "gelu_tanh": (
        "{x} * 0.5 * (torch.tanh(0.7978845608028654 * ({x} + 0.044715 * {x} * {x} * {x})) + 1.0)"
    ),
    "sin": "torch.sin({x})",
}


def source(spec: Spec, tensors: dict[str, Tensor], *, sample_rate: int, latency: int) -> list[str]:
    """Return the methods of a module that plays `spec`.

    Parameters
    ----------
    spec
        The layers.
    tensors
        The weights; the module has the N-th of ``spec.tensors()`` as its buffer ``wN``, and a
        scalar buffer ``like``.
    sample_rate, latency
        What the methods of that name return.
    """
    return _Writer(spec, tensors).write(sample_rate, latency)


class _Writer:
    """Goes through the layers once and collects lines."""

    def __init__(self, spec: Spec, tensors: dict[str, Tensor]) -> None:
        self._spec = spec
        self._tensors = tensors
        self._weights = {name: f"self.w{i}" for i, name in enumerate(spec.tensors())}
        self._signals = spec.check({name: tuple(t.shape) for name, t in tensors.items()})
        self._variables = {INPUT: "x", CONTROLS: "knobs"}
        self._counts = any(s.period > 1 for s in self._signals.values()) or any(
            getattr(layer, "reset_every", 0) for layer in spec.layers
        )
        # A name of a stranger's goes into source code only if it is a plain word.
        plain = all(re.fullmatch(r"\w+", layer.name, re.ASCII) for layer in spec.layers)
        self._keys = {
            layer.name: layer.name if plain else str(i) for i, layer in enumerate(spec.layers)
        }
        self._initial: list[str] = []
        self._lines: list[str] = []

    def write(self, sample_rate: int, latency: int) -> list[str]:
        body = self._lines
        if self._counts:
            self._initial.append(
                'state["clock"] = torch.zeros([batch], dtype=torch.long, device=self.like.device)'
            )
            body.append('clock = int(state["clock"][0])')
            body.append('after["clock"] = state["clock"] + x.size(2)')
        if self._spec.controls:
            body += [
                "assert controls is not None",
                "knobs = controls.unsqueeze(2).expand(-1, -1, x.size(2))",
            ]
        for i, layer in enumerate(self._spec.layers):
            variable = f"s{i}"
            self._layer(layer, [self._variables[name] for name in layer.inputs], variable)
            self._variables[layer.name] = variable
        return [
            _method("sample_rate(self) -> int", [], str(sample_rate)),
            _method("latency(self) -> int", [], str(latency)),
            _method("controls(self) -> int", [], str(self._spec.controls)),
            _method(
                "initial_state(self, batch: int) -> Dict[str, Tensor]",
                ["state: Dict[str, Tensor] = {}", *self._initial],
                "state",
            ),
            _method(
                "forward(self, x: Tensor, state: Dict[str, Tensor], "
                "controls: Optional[Tensor] = None) -> Tuple[Tensor, Dict[str, Tensor]]",
                ["after: Dict[str, Tensor] = {}", *body],
                f"{self._variables[self._spec.output]}, after",
            ),
        ]

    def _layer(self, layer: Layer, x: Sequence[str], y: str) -> None:
        add, weight = self._lines.append, self._weights
        match layer:
            case pointwise.Gain():
                bias = "" if layer.bias is None else f" + {weight[layer.bias]}.unsqueeze(1)"
                add(f"{y} = {x[0]} * {weight[layer.weight]}.unsqueeze(1){bias}")
            case pointwise.Dense():
                add(f"{y} = {self._dense(layer, x[0])}")
            case pointwise.Film():
                add(f"{y} = {self._dense(layer, x[1])}")
                half = self._signals[layer.name].channels
                add(f"{y} = {y}[:, :{half}] * {x[0]} + {y}[:, {half}:]")
            case pointwise.Activate():
                settings = {name: repr(float(v)) for name, v in layer.settings().items()}
                add(f"{y} = {FUNCTIONS[layer.function].format(x=x[0], **settings)}")
            case pointwise.PReLU():
                slopes = f"{weight[layer.weight]}.unsqueeze(1)"
                add(f"{y} = torch.where({x[0]} > 0, {x[0]}, {x[0]} * {slopes})")
            case pointwise.Add():
                add(f"{y} = {' + '.join(x)}")
            case pointwise.Multiply():
                add(f"{y} = {' * '.join(x)}")
            case pointwise.Concat():
                add(f"{y} = torch.cat([{', '.join(x)}], 1)")
            case pointwise.Slice():
                add(f"{y} = {x[0]}[:, {layer.start}:{layer.stop}]")
            case memory.Conv():
                self._conv(layer, x[0], y)
            case memory.Delay():
                channels = self._signals[layer.inputs[0]].channels
                past = self._remember(layer, "past", f"{channels}, {layer.frames}")
                add(f"{y} = torch.cat([{past}, {x[0]}], 2)")
                add(f"{self._after(layer, 'past')} = {y}[:, :, {x[0]}.size(2):]")
                add(f"{y} = {y}[:, :, :{x[0]}.size(2)]")
            case memory.Downsample():
                first = self._first(layer, layer.factor)
                add(f"{y} = {x[0]}[:, :, {first}::{layer.factor}]")
            case memory.Upsample():
                self._upsample(layer, x[0], y)
            case recurrent.GRU() | recurrent.LSTM():
                self._recurrent(layer, x[0], y)
            case _:  # pragma: no cover - a layer type that was added without a line here
                raise AssertionError(f"no TorchScript for layer type {layer.type}")

    def _dense(self, layer: pointwise.Dense | pointwise.Film, x: str) -> str:
        made = f"torch.matmul({self._weights[layer.weight]}, {x})"
        return made if layer.bias is None else f"{made} + {self._weights[layer.bias]}.unsqueeze(1)"

    def _conv(self, layer: memory.Conv, x: str, y: str) -> None:
        out, _, taps = self._tensors[layer.weight].shape
        reach = (taps - 1) * layer.dilation
        channels = self._signals[layer.inputs[0]].channels
        past = self._remember(layer, "past", f"{channels}, {reach}")
        bias = "None" if layer.bias is None else self._weights[layer.bias]
        add = self._lines.append
        add(f"{y} = torch.cat([{past}, {x}], 2)")
        add(f"{self._after(layer, 'past')} = {y}[:, :, {y}.size(2) - {reach}:]")
        sizes = f"[{layer.stride}], [0], [{layer.dilation}], {layer.groups}"
        weight = self._weights[layer.weight]
        if not self._counts:
            add(f"{y} = torch.conv1d({y}, {weight}, {bias}, {sizes})")
            return
        add(f"first = {self._first(layer, layer.stride)}")
        add(f"if first < {x}.size(2):")
        add(f"    {y} = torch.conv1d({y}[:, :, first:], {weight}, {bias}, {sizes})")
        add("else:")
        add(f"    {y} = {self._zeros('x.size(0)', f'{out}, 0')}")

    def _upsample(self, layer: memory.Upsample, x: str, y: str) -> None:
        channels = self._signals[layer.inputs[0]].channels
        last = self._remember(layer, "last", f"{channels}, 1")
        before, after = self._periods(layer)
        add = self._lines.append
        out = f"(clock + {after - 1}) // {after}"
        stop = f"(clock + x.size(2) + {after - 1}) // {after}"
        add(f"index = torch.arange({out}, {stop}, device=x.device)")
        add(f"{y} = torch.cat([{last}, {x}], 2)")
        add(f"{self._after(layer, 'last')} = {y}[:, :, -1:]")
        held = f"torch.floor_divide(index, {layer.factor}) - (clock + {before - 1}) // {before} + 1"
        add(f"{y} = {y}.index_select(2, {held})")
        if layer.mode == "zeros":
            add(f"{y} = {y} * (index % {layer.factor} == 0).to({y}.dtype)")

    def _recurrent(self, layer: recurrent.GRU | recurrent.LSTM, x: str, y: str) -> None:
        hidden = self._tensors[layer.weight_hh].shape[1]
        lstm = isinstance(layer, recurrent.LSTM)
        start = {"h": layer.initial_h}
        if isinstance(layer, recurrent.LSTM):
            start["c"] = layer.initial_c
        for what, name in start.items():
            value = self._remember(layer, what, str(hidden), name)
            self._lines.append(f"{what} = {value}")
        names = [layer.weight_ih, layer.weight_hh]
        if layer.bias_ih or layer.bias_hh:
            zeros = f"torch.zeros_like({self._weights[layer.weight_ih]}[:, 0])"
            biases = [layer.bias_ih, layer.bias_hh]
        else:
            zeros, biases = "", []
        weights = [self._weights[name] for name in names]
        weights += [zeros if name is None else self._weights[name] for name in biases]
        how = f"[{', '.join(weights)}], {bool(biases)}, 1, 0.0, False, False, True"
        if lstm:
            step = f"y, hn, cn = torch.lstm(part, [h.unsqueeze(0), c.unsqueeze(0)], {how})"
            keep = ["h = hn[0]", "c = cn[0]"]
        else:
            step = f"y, hn = torch.gru(part, h.unsqueeze(0), {how})"
            keep = ["h = hn[0]"]
        add = self._lines.append
        add(f"t = {x}.transpose(1, 2)")
        if not self._counts:
            self._lines += ["part = t.contiguous()", step, *keep]
            add(f"{y} = y.transpose(1, 2)")
        else:
            every = layer.reset_every
            before, _ = self._periods(layer)
            self._lines += ["parts: List[Tensor] = []", "start = 0", "while start < t.size(1):"]
            if every:
                add(f"    into = ((clock + {before - 1}) // {before} + start) % {every}")
                add("    if into == 0:")
                for what, name in start.items():
                    value = self._start("x.size(0)", str(hidden), name)
                    add(f"        {what} = {value}")
                add(f"    stop = min(start + {every} - into, t.size(1))")
            else:
                add("    stop = t.size(1)")
            add("    part = t[:, start:stop].contiguous()")
            self._lines += [f"    {line}" for line in (step, *keep, "parts.append(y)")]
            add("    start = stop")
            add(f"{y} = {self._zeros('x.size(0)', f'{hidden}, 0')}")
            add("if len(parts) > 0:")
            add(f"    {y} = torch.cat(parts, 1).transpose(1, 2)")
        for what in start:
            add(f"{self._after(layer, what)} = {what}")

    def _remember(self, layer: Layer, what: str, shape: str, name: str | None = None) -> str:
        key = f'"{self._keys[layer.name]}.{what}"'
        self._initial.append(f"state[{key}] = {self._start('batch', shape, name)}")
        return f"state[{key}]"

    def _after(self, layer: Layer, what: str) -> str:
        return f'after["{self._keys[layer.name]}.{what}"]'

    def _start(self, batch: str, shape: str, name: str | None) -> str:
        if name is None:
            return self._zeros(batch, shape)
        return f"{self._weights[name]}.unsqueeze(0).expand({batch}, {shape}).clone()"

    def _zeros(self, batch: str, shape: str) -> str:
        return f"torch.zeros([{batch}, {shape}], dtype=self.like.dtype, device=self.like.device)"

    def _periods(self, layer: Layer) -> tuple[int, int]:
        signals: dict[str, Signal] = self._signals
        return signals[layer.inputs[0]].period, signals[layer.name].period

    def _first(self, layer: Layer, every: int) -> str:
        """Return the first of a block's frames whose index is a multiple of `every`."""
        if not self._counts:
            return "0"
        before, _ = self._periods(layer)
        return f"({every} - (clock + {before - 1}) // {before} % {every}) % {every}"


def _method(head: str, lines: list[str], result: str) -> str:
    return "\n".join(
        [f"def {head}:", *(f"    {line}" for line in lines), f"    return {result}", ""]
    )
