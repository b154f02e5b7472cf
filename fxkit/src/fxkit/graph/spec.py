"""The list of layers as data: made by `Graph`, stored as JSON, checked before anything runs.

A list has no nesting and refers only backwards, so that reading a stranger's cannot recurse or
loop. Weights are bounded by the file they come from; what is not (channels made by concatenation,
delays, layers) is bounded here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from fxkit.graph import memory, pointwise, recurrent
from fxkit.graph.errors import GraphError
from fxkit.graph.layer import Layer, Shapes, Signal, parse

__all__ = ["CONTROLS", "INPUT", "TYPES", "VERSION", "Spec"]

VERSION = 1
INPUT = "x"
CONTROLS = "controls"

MAX_LAYERS = 8192
MAX_CHANNELS = 4096
"""Channels of one signal."""
MAX_WIDTH = 1 << 17
"""Channels of all signals together: what a block may need is this, times its length."""
MAX_MEMORY = 1 << 24
"""Numbers that one stream may remember: 64 MiB."""
MAX_PERIOD = 1 << 16
MAX_CONTROLS = 64

TYPES: Mapping[str, type[Layer]] = MappingProxyType(
    {
        cls.type: cls
        for cls in (
            recurrent.GRU,
            recurrent.LSTM,
            memory.Conv,
            memory.Delay,
            memory.Downsample,
            memory.Upsample,
            pointwise.Activate,
            pointwise.Add,
            pointwise.Concat,
            pointwise.Dense,
            pointwise.Film,
            pointwise.Gain,
            pointwise.Multiply,
            pointwise.PReLU,
            pointwise.Slice,
        )
    }
)


@dataclass(frozen=True)
class Spec:
    """A model as layers.

    Parameters
    ----------
    controls
        The number K of knobs; the signal ``controls`` has that many channels.
    layers
        In the order in which they run: each reads ``x``, ``controls`` or an earlier layer.
    output
        The name of the signal that is the model's output: one channel, every sample.
    """

    controls: int
    layers: tuple[Layer, ...]
    output: str

    def to_plain(self) -> dict[str, Any]:
        """Return the list as JSON values."""
        return {
            "version": VERSION,
            "controls": self.controls,
            "layers": [layer.to_plain() for layer in self.layers],
            "output": self.output,
        }

    @classmethod
    def from_plain(cls, plain: Any) -> Spec:
        """Read a list from untrusted JSON values; `check` then checks that it fits its tensors.

        Raises
        ------
        GraphError
            The list is of a newer version, or not well formed.
        """
        if not isinstance(plain, dict):
            raise GraphError("the graph must be a JSON object")
        version, layers = plain.get("version"), plain.get("layers")
        if isinstance(version, int) and version > VERSION:
            raise GraphError(
                f"the graph is of version {version}, this fxkit reads up to {VERSION}: "
                "pip install --upgrade fxkit"
            )
        if type(version) is not int or version != VERSION:
            raise GraphError("the graph has no version that this fxkit knows")
        if set(plain) != {"version", "controls", "layers", "output"}:
            raise GraphError("the graph must hold version, controls, layers and output, no more")
        controls, output = plain["controls"], plain["output"]
        if type(controls) is not int or not 0 <= controls <= MAX_CONTROLS:
            raise GraphError(f"the graph's controls must be a number from 0 to {MAX_CONTROLS}")
        if not isinstance(output, str):
            raise GraphError("the graph's output must be a name")
        if not isinstance(layers, list) or len(layers) > MAX_LAYERS:
            raise GraphError(f"the graph's layers must be a list of at most {MAX_LAYERS}")
        return cls(controls, tuple(parse(layer, TYPES) for layer in layers), output)

    def check(self, shapes: Shapes) -> dict[str, Signal]:
        """Check that every layer fits its inputs and its tensors.

        Parameters
        ----------
        shapes
            The shape of every tensor that is there, by name.

        Returns
        -------
        dict
            Channels and period of every signal, by name.

        Raises
        ------
        GraphError
            Names the layer and what is wrong with it.
        """
        signals = {INPUT: Signal(1)}
        if self.controls:
            signals[CONTROLS] = Signal(self.controls)
        width = remembered = 0
        for layer in self.layers:
            signal = self.check_layer(layer, signals, shapes)
            signals[layer.name] = signal
            width += signal.channels
            remembered += layer.memory([signals[name] for name in layer.inputs], shapes)
            if width > MAX_WIDTH:
                raise layer.error(f"the graph's signals have over {MAX_WIDTH} channels together")
            if remembered > MAX_MEMORY:
                raise layer.error(f"the graph remembers over {MAX_MEMORY} numbers")
        if self.output not in signals:
            raise GraphError(f"the graph's output {self.output[:60]!r} is not one of its layers")
        if signals[self.output] != Signal(1):
            channels, period = signals[self.output]
            raise GraphError(
                f"the graph's output {self.output!r} has {channels} channels every {period} "
                "samples; it must have 1 channel every sample"
            )
        return signals

    @staticmethod
    def check_layer(layer: Layer, signals: Mapping[str, Signal], shapes: Shapes) -> Signal:
        """Check one layer against the signals before it; return the signal it makes."""
        if layer.name in signals or layer.name in (INPUT, CONTROLS):
            raise layer.error("its name is taken")
        for name in layer.inputs:
            if name == CONTROLS and name not in signals:
                raise layer.error("reads the controls, but the model has none")
            if name not in signals:
                raise layer.error(f"its input {name[:60]!r} is not an earlier layer")
        for name in layer.tensors():
            if name not in shapes:
                raise layer.error(f"tensor {name[:60]!r} is not in the file")
        signal = layer.check([signals[name] for name in layer.inputs], shapes)
        if signal.channels > MAX_CHANNELS:
            raise layer.error(f"{signal.channels} channels; at most {MAX_CHANNELS} are allowed")
        if signal.period > MAX_PERIOD:
            raise layer.error(f"a frame every {signal.period} samples; at most {MAX_PERIOD}")
        return signal

    def tensors(self) -> list[str]:
        """Return the names of all tensors that the layers refer to, each once, in order."""
        return list(dict.fromkeys(name for layer in self.layers for name in layer.tensors()))
