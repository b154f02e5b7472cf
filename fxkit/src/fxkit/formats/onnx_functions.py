"""The activation functions of a graph, in ONNX's operators."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

__all__ = ["Nodes", "add_function"]

PLAIN = {
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "relu": "Relu",
    "softplus": "Softplus",
    "hardswish": "HardSwish",
    "softsign": "Softsign",
    "sin": "Sin",
}


class Nodes(Protocol):
    """What nodes are added to."""

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node; return the name of its output."""

    def number(self, value: float) -> str:
        """Add one number; return its name."""


def add_function(nodes: Nodes, name: str, x: str, settings: Mapping[str, float]) -> str:
    """Add an activation; return the name of its output.

    Parameters
    ----------
    nodes
        Where to.
    name
        One of `fxkit.graph.activations.ACTIVATIONS`.
    x
        The name of its input.
    settings
        All of the function's settings.
    """
    op, number = nodes.op, nodes.number
    made: Any
    match name:
        case "leaky_relu":
            # Not LeakyRelu: any slope is allowed here, and equal at every runtime.
            made = op(
                "Where", op("Greater", x, number(0)), x, op("Mul", x, number(settings["slope"]))
            )
        case "elu":
            made = op("Elu", x, alpha=settings["slope"])
        case "hardtanh":
            made = op("Clip", x, number(settings["low"]), number(settings["high"]))
        case "leaky_hardtanh":
            low, high = number(settings["low"]), number(settings["high"])
            below = op("Mul", op("Sub", x, low), number(settings["low_slope"]))
            above = op("Mul", op("Sub", x, high), number(settings["high_slope"]))
            made = op("Where", op("Greater", x, high), op("Add", above, high), x)
            made = op("Where", op("Less", x, low), op("Add", below, low), made)
        case "hardsigmoid":
            made = op("HardSigmoid", x, alpha=1 / 6, beta=0.5)
        case "silu":
            made = op("Mul", x, op("Sigmoid", x))
        case "gelu":
            erf = op("Erf", op("Mul", x, number(math.sqrt(0.5))))
            made = op("Mul", op("Mul", x, number(0.5)), op("Add", erf, number(1)))
        case "gelu_tanh":
            cube = op("Mul", op("Mul", x, x), op("Mul", x, number(0.044715)))
            inside = op("Mul", op("Add", x, cube), number(math.sqrt(2 / math.pi)))
            made = op("Mul", op("Mul", x, number(0.5)), op("Add", op("Tanh", inside), number(1)))
        case _:
            made = op(PLAIN[name], x)
    return str(made)
