"""What every layer of a graph is: plain data, a check of its shapes, and its arithmetic in PyTorch.

A layer is a frozen dataclass. Its fields are its JSON form: `reference` fields name tensors of the
file, all others are plain numbers and words. `parse` makes one from a stranger's JSON.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar, NamedTuple, get_type_hints

from torch import Tensor

from fxkit.graph.errors import GraphError

__all__ = ["Layer", "Place", "Shapes", "Signal", "State", "Tensors", "need", "parse", "reference"]

Shapes = Mapping[str, tuple[int, ...]]
Tensors = Mapping[str, Tensor]
State = dict[str, Tensor]


class Signal(NamedTuple):
    """What flows between layers: so many channels, one frame every `period` samples."""

    channels: int
    period: int = 1


class Place(NamedTuple):
    """Where a block lies in the stream."""

    frame: int
    """Index of the first frame of the inputs, counted from the start of the stream."""
    out: int
    """Index of the first frame of the output."""
    frames: int
    """How many frames the output has."""


def reference(*, optional: bool = False) -> Any:
    """Declare a field that names a tensor; an optional one is absent from the JSON when None."""
    metadata = {"tensor": True}
    return field(default=None, metadata=metadata) if optional else field(metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Layer(ABC):
    """One layer: a name (also that of the signal it makes), the signals it reads, and settings."""

    type: ClassVar[str]
    name: str
    inputs: tuple[str, ...]

    @abstractmethod
    def check(self, inputs: Sequence[Signal], shapes: Shapes) -> Signal:
        """Return what the layer makes of `inputs`, or raise `GraphError` if they do not fit."""

    def memory(self, inputs: Sequence[Signal], shapes: Shapes) -> int:
        """Return how many numbers per stream the layer remembers between blocks."""
        return 0

    def initial_state(
        self, inputs: Sequence[Signal], tensors: Tensors, batch: int, like: Tensor
    ) -> State:
        """Return the memory of silence, ``[batch, ...]`` each, of the type and device of `like`."""
        return {}

    @abstractmethod
    def run(
        self, inputs: Sequence[Tensor], state: State, tensors: Tensors, place: Place
    ) -> tuple[Tensor, State]:
        """Process one block.

        Parameters
        ----------
        inputs
            ``[batch, channels, frames]`` each.
        state
            What `initial_state` or the call before returned.
        tensors
            The tensors of the file, by name.
        place
            Which frames of the stream these are.
        """

    def tensors(self) -> list[str]:
        """Return the names of the tensors that the layer refers to."""
        names = (getattr(self, f.name) for f in fields(self) if f.metadata.get("tensor"))
        return [name for name in names if name is not None]

    def to_plain(self) -> dict[str, Any]:
        """Return the layer as JSON values; `parse` is the way back."""
        plain: dict[str, Any] = {"name": self.name, "type": self.type, "inputs": list(self.inputs)}
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name not in plain and value is not None:
                plain[f.name] = value
        return plain

    def error(self, why: str) -> GraphError:
        """Return an error that names this layer."""
        return GraphError(f"layer {self.name!r} ({self.type}): {why}")

    def one_input(self, inputs: Sequence[Signal]) -> Signal:
        """Return the only input of a layer that has one."""
        if len(inputs) != 1:
            raise self.error(f"takes 1 input, not {len(inputs)}")
        return inputs[0]

    def same_period(self, inputs: Sequence[Signal]) -> int:
        """Return the period that all inputs must have."""
        periods = sorted({s.period for s in inputs})
        if len(periods) != 1:
            raise self.error(
                f"its inputs come every {' and '.join(map(str, periods))} samples; bring them to "
                "one rate with upsample or downsample"
            )
        return periods[0]

    def want(self, what: str, shapes: Shapes, shape: tuple[int | None, ...]) -> tuple[int, ...]:
        """Return the shape of the tensor in field `what`, which must be `shape` (None: any)."""
        name = getattr(self, what)
        got = shapes[name]
        if len(got) != len(shape) or any(
            w not in (None, g) for g, w in zip(got, shape, strict=True)
        ):
            wanted = ", ".join("any" if n is None else str(n) for n in shape)
            raise self.error(f"{what} {name!r} is {list(got)} but must be [{wanted}]")
        if 0 in got:
            raise self.error(f"{what} {name!r} is {list(got)}: nothing in it")
        return got


def need(condition: bool, layer: Layer, why: str) -> None:
    """Raise the layer's error unless `condition` holds."""
    if not condition:
        raise layer.error(why)


def parse(plain: Any, types: Mapping[str, type[Layer]]) -> Layer:
    """Make a layer from untrusted JSON values; every key and every type is checked.

    Raises
    ------
    GraphError
        Names the layer and what is wrong with it.
    """
    if not isinstance(plain, dict):
        raise GraphError("a layer must be a JSON object")
    name, kind, inputs = plain.get("name"), plain.get("type"), plain.get("inputs")
    if not isinstance(name, str) or not 0 < len(name) <= 200:
        raise GraphError("a layer must have a name of 1 to 200 characters")
    if not isinstance(kind, str) or kind not in types:
        shown = repr(kind)[:60]
        raise GraphError(f"layer {name!r}: {shown} is not a layer type that this fxkit knows")
    if not isinstance(inputs, list) or not all(isinstance(i, str) for i in inputs):
        raise GraphError(f"layer {name!r}: its inputs must be a list of names")
    cls = types[kind]
    values: dict[str, Any] = {"name": name, "inputs": tuple(inputs)}
    hints = get_type_hints(cls)
    known = {f.name: f for f in fields(cls) if f.name not in values}
    for key, value in plain.items():
        if key in ("name", "type", "inputs"):
            continue
        if key not in known:
            raise GraphError(f"layer {name!r} ({kind}) has no setting {key[:60]!r}")
        values[key] = _typed(value, hints[key], f"layer {name!r} ({kind}): {key}")
    for key, f in known.items():
        if key not in values and f.default is MISSING:
            raise GraphError(f"layer {name!r} ({kind}): {key} is missing")
    return cls(**values)


def _typed(value: Any, hint: Any, what: str) -> Any:
    # bool is an int to Python but not to JSON; only the types that layers use are handled.
    if hint in (str, str | None) and isinstance(value, str):
        return value
    if hint is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if (
        hint in (float, float | None)
        and isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) < 1e30  # also false for NaN; before float(), which an int can overflow
        and math.isfinite(value)
    ):
        return float(value)
    texts = {int: "a whole number", float: "a finite number", float | None: "a finite number"}
    wanted = texts.get(hint, "a name")
    raise GraphError(f"{what} must be {wanted}")
