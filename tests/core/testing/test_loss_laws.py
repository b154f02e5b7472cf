"""Each law of losses finds the one that breaks it, and passes one that keeps it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from fxkit.loss import Loss
from fxkit.options import NoOptions
from fxkit.testing import LossLaws
from fxkit.testing import loss_laws as losses
from torch import Tensor


class MeanSquare(Loss):
    """A good loss."""

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        return (estimate - target).square().mean(dim=(1, 2))


def loss_of(function: Callable[[Tensor, Tensor], Tensor]) -> Loss:
    class Given(Loss):
        def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
            return function(estimate, target)

    return Given(NoOptions())


def mse(e: Tensor, t: Tensor) -> Tensor:
    return (e - t).square().mean(dim=(1, 2))


def far_is_negative(e: Tensor, t: Tensor) -> Tensor:
    return torch.where(mse(e, t) > 0.03, -mse(e, t), mse(e, t))


@pytest.mark.parametrize(
    ("law", "broken", "message"),
    [
        (losses.law_one_number_per_item, lambda e, t: mse(e, t).mean(), "do not average"),
        (losses.law_is_zero_when_equal, lambda e, t: mse(e, t) + 0.1, "not 0"),
        (losses.law_is_positive, lambda e, t: 0 * mse(e, t), "has to be above 0"),
        (losses.law_is_positive, far_is_negative, "negative"),
        (losses.law_is_finite, lambda e, t: mse(e, t) / t.square().mean(dim=(1, 2)), "silence"),
        (losses.law_is_finite, lambda e, t: mse(e, t).sqrt(), "infinite gradient or NaN"),
        (losses.law_is_finite, lambda e, t: mse(e, t).detach(), "no gradient"),
        (
            losses.law_is_pooled,
            lambda e, t: mse(e, t) / (t.square().mean(dim=(1, 2)) + 1e-20),
            "energy of the whole batch",
        ),
        (losses.law_items_keep_their_order, lambda e, t: mse(e, t).sort().values, "turned round"),
        (losses.law_signals_are_not_modified, lambda e, t: mse(e.sub_(t), t), "in place"),
    ],
)
def test_a_broken_loss_is_found(
    law: Callable[[Loss], None],
    broken: Callable[[Tensor, Tensor], Tensor],
    message: str,
) -> None:
    with pytest.raises(AssertionError, match=message):
        law(loss_of(broken))


class TestGoodLoss(LossLaws):
    @pytest.fixture
    def loss(self) -> Loss:
        return MeanSquare(NoOptions())
