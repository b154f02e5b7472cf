"""The laws of settings find the plug-in that breaks them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from fxkit.loss import Loss
from fxkit.options import option
from fxkit.testing.config_laws import law_config_round_trips
from torch import Tensor


class Zero(Loss):
    """A loss with nothing to say."""

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        return (0 * estimate).sum(dim=(1, 2))


@dataclass(frozen=True)
class NoDefault:
    size: int


@dataclass
class Thawed:
    size: int = option(1, "how big")


@dataclass(frozen=True)
class Mute:
    size: int = 1


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (dict, "not a dataclass"),
        (NoDefault, "no default for size"),
        (Thawed, "can be changed"),
        (Mute, "does not say what size means"),
    ],
)
def test_a_broken_config_is_found(config: type, message: str) -> None:
    broken = type("Broken", (Zero,), {"Config": config})
    with pytest.raises(AssertionError, match=message):
        law_config_round_trips(broken(None))
