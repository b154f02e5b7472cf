"""What every loss keeps, each law a function that raises AssertionError when it is broken."""

# ruff: noqa: D401 - a law is stated, not commanded
from __future__ import annotations

import torch
from torch import Tensor

from fxkit.loss import Loss
from fxkit.testing.signals import noise

__all__ = [
    "law_is_finite",
    "law_is_pooled",
    "law_is_positive",
    "law_is_zero_when_equal",
    "law_items_keep_their_order",
    "law_one_number_per_item",
    "law_signals_are_not_modified",
]

LENGTHS = (64, 512, 5000)
"""Training windows may be short: samples."""


def _apart(target: Tensor) -> Tensor:
    """Return an estimate that is wrong in level and in offset."""
    return 0.5 * target + 0.1


def law_one_number_per_item(loss: Loss) -> None:
    """A batch of any size and length gives one float32 number per item."""
    for batch in (1, 3):
        for time in LENGTHS:
            target = noise(batch, time)
            value = loss(_apart(target), target)
            if value.shape != (batch,) or value.dtype != torch.float32:
                raise AssertionError(
                    f"for signals [{batch}, 1, {time}] the loss is {value.dtype} "
                    f"{list(value.shape)}; it has to be float32 [{batch}]: do not average the batch"
                )


def law_is_zero_when_equal(loss: Loss) -> None:
    """Equal signals are at distance zero."""
    for what, target in (("noise", noise(2, 2000)), ("silence", torch.zeros(2, 1, 2000))):
        value = loss(target.clone(), target)
        if not bool((value.abs() <= 1e-6).all()):
            raise AssertionError(f"{what} compared with itself gives {value.tolist()}, not 0")


def law_is_positive(loss: Loss) -> None:
    """Different signals are at a positive distance, and nothing is at a negative one."""
    target = noise(2, 2000)
    value = loss(_apart(target), target)
    if not bool((value > 1e-6).all()):
        raise AssertionError(
            f"an estimate at half the level and with an offset of 0.1 gives {value.tolist()}; "
            "it has to be above 0"
        )
    for seed in range(4):
        value = loss(noise(2, 2000, seed=seed + 10), target)
        if bool((value < 0).any()):
            raise AssertionError(f"the loss is negative for some noise: {value.tolist()}")


def law_is_finite(loss: Loss) -> None:
    """Value and gradient are finite on silence, on full-scale noise, and where both are equal."""
    for time in LENGTHS:
        silence, loud = torch.zeros(2, 1, time), noise(2, time, level=1.0)
        cases = {
            "silence against silence": (silence, silence),
            "noise against silence": (loud, silence),
            "silence against noise": (silence, loud),
            "noise against noise": (noise(2, time, level=1.0, seed=7), loud),
            "noise against itself": (loud, loud),
        }
        for what, (estimate, target) in cases.items():
            estimate = estimate.clone().requires_grad_()
            value = loss(estimate, target)
            if not bool(value.isfinite().all()):
                raise AssertionError(f"{what} ({time} samples) gives {value.tolist()}")
            if not value.requires_grad:
                raise AssertionError(f"{what}: the loss has no gradient")
            (gradient,) = torch.autograd.grad(value.mean(), estimate)
            if not bool(gradient.isfinite().all()):
                raise AssertionError(
                    f"{what} ({time} samples) has an infinite gradient or NaN: a square root or a "
                    "logarithm at zero, a division by nothing?"
                )


def law_is_pooled(loss: Loss) -> None:
    """The same error counts about as much in a near-silent item as in a loud one.

    The error is 60 dB below full scale, the quiet target 60 dB below that: an item that is divided
    by its own energy is 10^12 times the other. A logarithm may make it some thousand times.
    """
    loud = noise(1, 4000, level=1.0)
    target = torch.cat((loud, 1e-6 * loud))
    error = 1e-3 * (1.0 + noise(1, 4000, level=1.0, seed=8))
    value = loss(target + error, target)
    if not float(value[1]) <= 1e5 * float(value[0]) + 1e-6:
        raise AssertionError(
            f"the same error counts {float(value[0]):.1e} in a loud item and {float(value[1]):.1e} "
            "in a near-silent one: divide by the energy of the whole batch"
        )


def law_items_keep_their_order(loss: Loss) -> None:
    """The loss of an item stays with the item."""
    target = noise(3, 2000)
    estimate = target * torch.tensor([0.9, 0.5, 0.1]).view(3, 1, 1) + 0.05
    value, flipped = loss(estimate, target), loss(estimate.flip(0), target.flip(0))
    if not torch.allclose(value.flip(0), flipped, rtol=1e-4, atol=1e-6):
        raise AssertionError(
            f"with the batch turned round, {value.tolist()} becomes {flipped.tolist()}, "
            "which is not the same turned round"
        )
    estimate = target.clone()
    estimate[1] = _apart(target[1])
    value = loss(estimate, target)
    if int(value.argmax()) != 1 or not bool((value[[0, 2]].abs() <= 1e-6).all()):
        raise AssertionError(f"only item 1 of 3 is wrong, but the losses are {value.tolist()}")


def law_signals_are_not_modified(loss: Loss) -> None:
    """Estimate and target stay as they were."""
    target = noise(2, 2000)
    estimate = _apart(target)
    before = estimate.clone(), target.clone()
    loss(estimate, target)
    if not (torch.equal(estimate, before[0]) and torch.equal(target, before[1])):
        raise AssertionError("forward modifies the signals in place: work on a copy")
