"""What every model keeps, each law a function that raises AssertionError when it is broken.

Laws of what a model computes; those of how it is saved and described are in
`fxkit.testing.model_form_laws`. Each tries a copy whose weights were moved a little from where they
start, on the CPU, in eval mode.
"""

# ruff: noqa: D401 - a law is stated, not commanded
from __future__ import annotations

import torch
from torch import Tensor

from fxkit.errors import FxkitError
from fxkit.model import Model, State, detach
from fxkit.testing.signals import knobs, noise, probe_length, rebuilt, run, shaken, stir, worst

__all__ = [
    "law_blocks_equal_whole",
    "law_causal",
    "law_controls_are_heard",
    "law_finite",
    "law_gradient_stops_at_detach",
    "law_items_are_independent",
    "law_latency_is_true",
    "law_nothing_is_modified",
    "law_shapes",
]

TOLERANCE = 2e-5
"""Allowed difference relative to the peak: float32 sums taken in another order."""


def law_shapes(model: Model) -> None:
    """Any batch and any number of samples go in, as many come out, with a state of equal form."""
    model = shaken(model)
    for batch, time in ((1, 1), (3, 2), (2, 130)):
        state = model.initial_state(batch)
        with torch.no_grad():
            y, after = model(noise(batch, time), state, knobs(model, batch))
        if y.shape != (batch, 1, time) or y.dtype != torch.float32:
            raise AssertionError(
                f"the output for an input [{batch}, 1, {time}] is {y.dtype} {list(y.shape)}; "
                f"it has to be float32 [{batch}, 1, {time}]"
            )
        if set(after) != set(state):
            raise AssertionError(f"the state went in as {sorted(state)}, came as {sorted(after)}")
        for name, leaf in state.items():
            if (after[name].shape, after[name].dtype) != (leaf.shape, leaf.dtype):
                raise AssertionError(
                    f"state {name!r} went in as {leaf.dtype} {list(leaf.shape)} and came out as "
                    f"{after[name].dtype} {list(after[name].shape)}; its form has to stay"
                )


def law_blocks_equal_whole(model: Model) -> None:
    """Cutting the input into any blocks, with the state carried over, changes nothing."""
    model = shaken(model)
    time = probe_length(model)
    x, controls = noise(2, time), knobs(model, 2)
    third, few = time // 3, min(time, 48)
    partitions = {
        "three parts": [third, third, time - 2 * third],
        "single samples": [1] * few + ([time - few] if time > few else []),
        "uneven blocks": _uneven(time),
        "a last block of one": [time - 1, 1],
    }
    with torch.no_grad():
        whole = run(model, x, controls)
        for what, cuts in partitions.items():
            difference = worst(run(model, x, controls, cuts), whole)
            if not difference <= TOLERANCE:
                raise AssertionError(
                    f"cut into {what}, the output differs from one pass by {difference:.1e} of "
                    "its peak: something is remembered outside of the state, or not at all"
                )


def _uneven(time: int) -> list[int]:
    cuts: list[int] = []
    for cut in (7, 1, 64, 2, 31, 128, 1):
        if sum(cuts) + cut < time:
            cuts.append(cut)
    return [*cuts, time - sum(cuts)]


def law_causal(model: Model) -> None:
    """No output sample depends on an input sample that comes after it."""
    model = shaken(model)
    time = probe_length(model)
    x, controls = noise(2, time), knobs(model, 2)
    with torch.no_grad():
        y = run(model, x, controls)
        for change in (1, time // 2, time - 1):
            other = x.clone()
            other[..., change:] = noise(2, time - change, seed=9)
            difference = worst(run(model, other, controls)[..., :change], y[..., :change])
            if not difference <= TOLERANCE:
                raise AssertionError(
                    f"changing the input from sample {change} on changes the output before it by "
                    f"{difference:.1e} of its peak: the model looks ahead; delay its output and "
                    "declare that as `latency`"
                )


def law_items_are_independent(model: Model) -> None:
    """Each item of a batch comes out as it would alone."""
    model = shaken(model)
    time = probe_length(model)
    x, controls = noise(3, time), knobs(model, 3)
    x[1] *= 3.0
    with torch.no_grad():
        together = run(model, x, controls)
        for item in range(3):
            one = slice(item, item + 1)
            alone = run(model, x[one], None if controls is None else controls[one])
            difference = worst(together[one], alone)
            if not difference <= TOLERANCE:
                raise AssertionError(
                    f"item {item} of a batch differs by {difference:.1e} of its peak from the "
                    "same signal alone: something is shared between the items"
                )


def law_gradient_stops_at_detach(model: Model) -> None:
    """The gradient flows through the state to the block before, unless that is detached."""
    model = shaken(model)
    if next(model.parameters(), None) is None:
        raise AssertionError("the model has no parameters: there is nothing to train")
    time, controls = probe_length(model), knobs(model, 2)
    first, second = noise(2, time).requires_grad_(), noise(2, time, seed=5)
    y, state = model(first, model.initial_state(2), controls)
    (through,) = torch.autograd.grad(
        run(model, second, controls, state=state).square().sum(),
        first,
        allow_unused=True,
        retain_graph=True,
    )
    if state and (through is None or not bool((through != 0).any())):
        raise AssertionError(
            "no gradient flows through the state to the block before: do not detach inside forward"
        )
    y.square().sum().backward()
    first.grad = None
    try:
        after, _ = model(second, detach(state), controls)
        after.square().sum().backward()
    except RuntimeError as error:
        raise AssertionError(
            f"after a detach the gradient still runs into the block before ({error}): keep nothing "
            "on the module between two calls"
        ) from error
    if first.grad is not None and bool((first.grad != 0).any()):
        raise AssertionError(
            "after a detach the gradient still reaches the block before: keep nothing on the "
            "module between two calls"
        )


def law_nothing_is_modified(model: Model) -> None:
    """Input, state and knobs stay as they were, and the same call gives the same again."""
    model = shaken(model)
    controls = knobs(model, 2)
    with torch.no_grad():
        _, state = model(noise(2, 100), model.initial_state(2), controls)
        x = noise(2, probe_length(model), seed=4)
        given: State = {"the input": x, **{f"state {n!r}": leaf for n, leaf in state.items()}}
        if controls is not None:
            given["the knobs"] = controls
        before = {name: value.clone() for name, value in given.items()}
        once, _ = model(x, state, controls)
        for name, value in given.items():
            if not torch.equal(value, before[name]):
                raise AssertionError(f"forward modifies {name} in place: work on a copy")
        again, _ = model(x, state, controls)
    if not torch.equal(once, again):
        raise AssertionError(
            "the same call twice gives two outputs: something is remembered outside of the state, "
            "or drawn at random in eval mode"
        )


def law_finite(model: Model) -> None:
    """Silence, full-scale noise, an offset and a click leave output, state, gradient finite."""
    model = shaken(model)
    time, controls = max(1024, probe_length(model)), knobs(model, 1)
    click = torch.zeros(1, 1, time)
    click[..., 10] = 1.0
    signals = {
        "silence": torch.zeros(1, 1, time),
        "full-scale noise": noise(1, time, level=1.0),
        "a full-scale offset": torch.ones(1, 1, time),
        "a click": click,
    }
    for what, x in signals.items():
        model.zero_grad(set_to_none=True)
        y, state = model(x, model.initial_state(1), controls)
        leaves = [leaf for leaf in state.values() if leaf.is_floating_point()]
        if not all(bool(value.isfinite().all()) for value in (y, *leaves)):
            raise AssertionError(f"{what} makes the output or the state infinite or NaN")
        y.square().mean().backward()
        for name, parameter in model.named_parameters():
            if parameter.grad is not None and not bool(parameter.grad.isfinite().all()):
                raise AssertionError(f"{what} makes the gradient of {name} infinite or NaN")


def law_controls_are_heard(model: Model) -> None:
    """With knobs, every knob changes the output; a model that cannot have any says so."""
    try:
        twin = rebuilt(model, controls=max(2, model.controls))
    except FxkitError:
        if model.controls:
            raise AssertionError("the model has knobs, but cannot be made with them") from None
        return
    stir(twin)
    x = noise(1, probe_length(twin))
    middle = torch.full((1, twin.controls), 0.5)
    with torch.no_grad():
        reference = run(twin, x, middle)
        for knob in range(twin.controls):
            turned = middle.clone()
            turned[:, knob] = 1.0
            if worst(run(twin, x, turned), reference) < 1e-6:
                raise AssertionError(
                    f"turning knob {knob} changes nothing: use `controls` in forward, or raise "
                    "FxkitError when the model is made with any"
                )
    law_blocks_equal_whole(twin)


def law_latency_is_true(model: Model) -> None:
    """The output at time t can hear the input at t minus the declared latency.

    That is as much as can be asked of weights that nothing has trained: a model that lags by more
    than it declares is found, and so is one that declares more than it remembers.
    """
    model = shaken(model)
    latency = model.latency
    if not isinstance(latency, int) or latency < 0:
        raise AssertionError(f"latency is {latency!r}; it has to be an int of at least 0 samples")
    time, controls = probe_length(model), knobs(model, 1)
    heard = False
    for step in range(8):
        at = time - 1 - step * max(1, latency // 8)
        x = noise(1, time).requires_grad_()
        y = run(model, x, controls)
        if not y.requires_grad:
            raise AssertionError("the output has no gradient with respect to the input")
        gradient: Tensor
        (gradient,) = torch.autograd.grad(y[0, 0, at], x)
        heard = heard or bool(gradient[0, 0, at - latency] != 0)
    if not heard:
        raise AssertionError(
            f"the output does not depend on the input {latency} samples before, where the declared "
            "latency says that it should: declare by how much the output really lags"
        )
