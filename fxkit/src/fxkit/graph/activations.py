"""The activation functions that a graph can name, with their settings and their defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["ACTIVATIONS", "Activation"]


@dataclass(frozen=True)
class Activation:
    """A function of one number, and the names and defaults of its settings."""

    function: Callable[..., Tensor]
    settings: Mapping[str, float] = field(default_factory=dict)


def _leaky_hardtanh(
    x: Tensor, low: float, high: float, low_slope: float, high_slope: float
) -> Tensor:
    below, above = (x - low) * low_slope + low, (x - high) * high_slope + high
    return torch.where(x < low, below, torch.where(x > high, above, x))


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        "tanh": Activation(torch.tanh),
        "sigmoid": Activation(torch.sigmoid),
        "relu": Activation(torch.relu),
        "leaky_relu": Activation(lambda x, slope: functional.leaky_relu(x, slope), {"slope": 0.01}),
        "elu": Activation(lambda x, slope: functional.elu(x, slope), {"slope": 1.0}),
        "softplus": Activation(functional.softplus),
        "hardtanh": Activation(lambda x, low, high: x.clamp(low, high), {"low": -1.0, "high": 1.0}),
        "leaky_hardtanh": Activation(
            _leaky_hardtanh, {"low": -1.0, "high": 1.0, "low_slope": 0.01, "high_slope": 0.01}
        ),
        "hardsigmoid": Activation(functional.hardsigmoid),
        "hardswish": Activation(functional.hardswish),
        "softsign": Activation(functional.softsign),
        "silu": Activation(functional.silu),
        "gelu": Activation(functional.gelu),
        "gelu_tanh": Activation(lambda x: functional.gelu(x, approximate="tanh")),
        "sin": Activation(torch.sin),
    }
)
"""``prelu`` is a layer of its own, because its slopes are a tensor."""
