"""From a function of one window to a program of ExecuTorch, and what of it will be slow.

Most of a program is given to XNNPACK, whose kernels are fast. Two kinds of operators would not be:
recurrent layers, which ExecuTorch takes apart into a dozen operators per step, so they become calls
of the back end's own operators `fxkit_program::gru` and `lstm`; and attention in one piece, which
is spelt out as products and a softmax.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from fxkit.errors import FxkitError

__all__ = ["SLOW", "Lowered", "lower"]

SLOW = ("convolution", "native_group_norm", "upsample_nearest2d", "upsample_bilinear2d")
"""Operators that take 10 to 200 times as long outside XNNPACK."""

QUIET = (
    "getitem", "view_copy", "expand_copy", "squeeze_copy", "unsqueeze_copy", "permute_copy",
    "alloc", "slice_copy", "select_copy", "full", "gru", "lstm", "_clone_dim_order",
    "_to_dim_order_copy", "t_copy", "arange", "alias_copy", "flip", "split_with_sizes_copy",
    "constant_pad_nd", "cat", "clone",
)  # fmt: skip
"""Operators that only move numbers, or run on the engine's kernels."""

_torch_library: Any = torch.library
_library = _torch_library.Library("fxkit_program", "DEF")
_WEIGHTS = "Tensor weight_ih, Tensor weight_hh, Tensor bias_ih, Tensor bias_hh"


@dataclass(frozen=True)
class Lowered:
    """A program."""

    data: bytes
    undelegated: dict[str, int]
    """Operators that compute outside XNNPACK: name to how many."""

    @property
    def slow(self) -> dict[str, int]:
        """Those among them that make a program useless for live playing."""
        return {name: count for name, count in self.undelegated.items() if name in SLOW}


def lower(function: nn.Module, inputs: tuple[Tensor, ...]) -> Lowered:
    """Make a program of a module without memory.

    Parameters
    ----------
    function
        In eval mode.
    inputs
        What it is called with: their shapes are those of every later call.

    Raises
    ------
    FxkitError
        Something in it cannot be exported; says what.
    """
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import EdgeCompileConfig, to_edge_transform_and_lower

    try:
        with _silence(), torch.no_grad():
            exported = torch.export.export(function, inputs, strict=False)
            exported = exported.run_decompositions(_decompositions())
            _use_constants_themselves(exported)
            edge = to_edge_transform_and_lower(
                exported,
                partitioner=[XnnpackPartitioner()],
                compile_config=EdgeCompileConfig(_check_ir_validity=False),
            )
            left = _left(edge.exported_program())
            data = edge.to_executorch().buffer
    except FxkitError:
        raise
    except Exception as error:  # the exporter has many ways to say that it does not know something
        line = next((text for text in str(error).splitlines() if text.strip()), "")
        raise FxkitError(
            f"this model cannot be exported as a program: {type(error).__name__}: {line.strip()}"
            " (branches on values and torch.istft cannot; see fxkit.fourier)"
        ) from error
    return Lowered(bytes(data), left)


def _use_constants_themselves(exported: torch.export.ExportedProgram) -> None:
    """Undo that constants are copied at every run: XNNPACK does not take a copy for a weight."""
    module = exported.graph_module
    constants = exported.graph_signature.inputs_to_lifted_tensor_constants
    for node in list(module.graph.nodes):
        copies = "lift_fresh" in str(node.target) or node.target is torch.ops.aten.clone.default
        if node.op == "call_function" and copies and node.args[0].name in constants:
            node.replace_all_uses_with(node.args[0])
            module.graph.erase_node(node)
    module.recompile()


def _left(program: Any) -> dict[str, int]:
    """Return the operators outside delegates that compute something."""
    names = []
    for node in program.graph.nodes:
        if node.op != "call_function" or "delegate" in str(node.target):
            continue
        schema = getattr(node.target, "_schema", None)
        full = schema.name if schema is not None else getattr(node.target, "__name__", "")
        name = full.split("::")[-1]
        if name not in QUIET:
            names.append(name)
    return dict(sorted(Counter(names).items()))


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep the exporter's chatter from the user."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def _define(name: str, states: str, compute: Callable[..., Tensor], rows: int) -> None:
    """Define an operator of the back end, so that PyTorch can trace it and check shapes."""
    _library.define(f"{name}(Tensor x, {states}, {_WEIGHTS}) -> Tensor")
    _library.define(f"{name}.out(Tensor x, {states}, {_WEIGHTS}, *, Tensor(a!) out) -> Tensor(a!)")

    def out_variant(*arguments: Tensor, out: Tensor) -> Tensor:
        return out.copy_(compute(*arguments))

    def shape(x: Tensor, h: Tensor, *rest: Tensor) -> Tensor:
        return x.new_empty(x.shape[0], x.shape[1] + rows, h.shape[1])

    def shape_out(*arguments: Tensor, out: Tensor) -> Tensor:
        return out

    _library.impl(name, compute, "CPU")
    _library.impl(f"{name}.out", out_variant, "CPU")
    _library.impl(name, shape, "Meta")
    _library.impl(f"{name}.out", shape_out, "Meta")


def _gru(x: Tensor, h: Tensor, *weights: Tensor) -> Tensor:
    y: Tensor = torch.gru(x, h[None], list(weights), True, 1, 0.0, False, False, True)[0]
    return y


def _lstm(x: Tensor, h: Tensor, c: Tensor, *weights: Tensor) -> Tensor:
    y, _, c = torch.lstm(x, [h[None], c[None]], list(weights), True, 1, 0.0, False, False, True)
    return torch.cat((y, c.transpose(0, 1)), dim=1)


_define("gru", "Tensor h", _gru, 0)
_define("lstm", "Tensor h, Tensor c", _lstm, 1)


def _decompositions() -> dict[Any, Callable[..., Any]]:
    aten = torch.ops.aten
    return {
        aten.gru.input: _layers_of_gru,
        aten.lstm.input: _layers_of_lstm,
        aten.scaled_dot_product_attention.default: _attention,
    }


def _layers_of_gru(
    x: Tensor, h: Tensor, weights: Sequence[Tensor], biased: bool, layers: int, dropout: float,
    train: bool, both_ways: bool, batch_first: bool,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Take `torch.nn.GRU` apart into layers and directions."""

    def run(x: Tensor, at: int, *parts: Tensor) -> tuple[Tensor, list[Tensor]]:
        y = torch.ops.fxkit_program.gru(x, h[at], *parts)
        return y, [y[:, -1]]

    y, (last,) = _stack(x, weights, biased, layers, both_ways, batch_first, run)
    return y, last


def _layers_of_lstm(
    x: Tensor, states: Sequence[Tensor], weights: Sequence[Tensor], biased: bool, layers: int,
    dropout: float, train: bool, both_ways: bool, batch_first: bool,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Take `torch.nn.LSTM` apart into layers and directions."""
    h, c = states

    def run(x: Tensor, at: int, *parts: Tensor) -> tuple[Tensor, list[Tensor]]:
        both = torch.ops.fxkit_program.lstm(x, h[at], c[at], *parts)
        return both[:, :-1], [both[:, -2], both[:, -1]]

    y, (last_h, last_c) = _stack(x, weights, biased, layers, both_ways, batch_first, run)
    return y, last_h, last_c


def _stack(
    x: Tensor, weights: Sequence[Tensor], biased: bool, layers: int, both_ways: bool,
    batch_first: bool, run: Callable[..., tuple[Tensor, list[Tensor]]],
) -> tuple[Tensor, list[Tensor]]:  # fmt: skip
    """Run layers one after the other, `run` being one direction of one; collect the last states."""
    directions, each = 2 if both_ways else 1, 4 if biased else 2
    if len(weights) != layers * directions * each:
        raise FxkitError("an LSTM with proj_size cannot be exported as a program")
    y = x if batch_first else x.transpose(0, 1)
    ends: list[list[Tensor]] = []
    for layer in range(layers):
        found = []
        for direction in range(directions):
            at = layer * directions + direction
            parts = list(weights[at * each : (at + 1) * each])
            if not biased:
                none = torch.zeros(parts[0].shape[0], dtype=parts[0].dtype)
                parts += [none, none]
            out, last = run(y.flip(1) if direction else y, at, *parts)
            found.append(out.flip(1) if direction else out)
            ends.append(last)
        y = torch.cat(found, dim=-1) if both_ways else found[0]
    states = [torch.stack(state) for state in zip(*ends, strict=True)]
    return (y if batch_first else y.transpose(0, 1)), states


def _attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, dropout: float = 0.0,
    is_causal: bool = False, *, scale: float | None = None, enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    """Spell out attention, which XNNPACK does not have in one piece."""
    if enable_gqa:
        raise FxkitError("attention with enable_gqa=True cannot be exported as a program")
    factor = 1.0 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = query @ key.transpose(-1, -2) * factor
    if is_causal:
        size = scores.shape[-2:]
        scores = scores + torch.full(size, -math.inf, dtype=scores.dtype).triu(1)
    if mask is not None:
        if mask.dtype == torch.bool:
            seen = torch.zeros_like(mask, dtype=scores.dtype)
            mask = seen.masked_fill(mask.logical_not(), -math.inf)
        scores = scores + mask
    return scores.softmax(dim=-1) @ value
