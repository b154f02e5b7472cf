"""The fused GRU and LSTM against PyTorch: values, gradients, and the rules of a custom operator."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

engine = pytest.importorskip("fxkit_engine.recurrent", reason="fxkit-engine is not installed")

from fxkit_engine import available_isas  # noqa: E402

from fxkit import recurrent  # noqa: E402

CELLS = ["gru", "lstm"]
ISAS = available_isas()

# batch, time, features, hidden, layers
SIZES = [
    (32, 40, 1, 48, 1),
    (1, 7, 1, 1, 1),
    (3, 9, 12, 7, 2),
    (33, 70, 1, 16, 2),  # several tiles, and more steps than one block of the backward pass
    (16, 33, 5, 96, 1),
    (2, 1, 2, 3, 3),
    (17, 130, 60, 10, 2),  # wider below than inside
]


@dataclass
class Problem:
    """A layer, what it is fed, and the weights of a scalar loss on everything it returns."""

    module: nn.GRU | nn.LSTM
    inputs: list[Tensor]
    loss_weights: list[Tensor]


def make(cell: str, size: tuple[int, int, int, int, int], *, bias: bool = True) -> Problem:
    batch, time, features, hidden, layers = size
    torch.manual_seed(batch + 7 * hidden)
    kind = nn.GRU if cell == "gru" else nn.LSTM
    module = kind(features, hidden, layers, batch_first=True, bias=bias)
    states = 1 if cell == "gru" else 2
    inputs = [torch.randn(batch, time, features)]
    inputs += [0.5 * torch.randn(layers, batch, hidden) for _ in range(states)]
    weights = [torch.randn(batch, time, hidden)]
    weights += [torch.randn(layers, batch, hidden) for _ in range(states)]
    return Problem(module, inputs, weights)


def reference(module: nn.GRU | nn.LSTM, inputs: list[Tensor]) -> tuple[Tensor, ...]:
    if isinstance(module, nn.GRU):
        return module(*inputs)
    y, (h, c) = module(inputs[0], (inputs[1], inputs[2]))
    return y, h, c


def fused(module: nn.GRU | nn.LSTM, inputs: list[Tensor]) -> tuple[Tensor, ...]:
    call = recurrent.gru if isinstance(module, nn.GRU) else recurrent.lstm
    return call(*inputs, module)


def solve(problem: Problem, forward, dtype: torch.dtype) -> list[Tensor]:
    """Return the outputs, then the gradients to the inputs and the parameters."""
    module = copy.deepcopy(problem.module).to(dtype)
    inputs = [leaf.to(dtype).clone().requires_grad_() for leaf in problem.inputs]
    outputs = forward(module, inputs)
    loss = sum((a * b.to(dtype)).sum() for a, b in zip(outputs, problem.loss_weights, strict=True))
    gradients = torch.autograd.grad(loss, [*inputs, *module.parameters()])
    return [leaf.detach() for leaf in (*outputs, *gradients)]


def error(actual: list[Tensor], expected: list[Tensor]) -> float:
    """Return the worst error of any tensor, relative to its norm."""
    pairs = zip(actual, expected, strict=True)
    return max(((a - e).norm() / e.norm()).item() for a, e in pairs)


@pytest.fixture(autouse=True)
def _strongest_isa_and_one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    engine.set_isa(ISAS[-1])
    yield
    engine.set_isa(ISAS[-1])
    engine.set_threads(None)
    torch.set_num_threads(threads)


def used_kernels(outputs: tuple[Tensor, ...]) -> bool:
    return "fxkit" in type(outputs[0].grad_fn).__name__


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("cell", CELLS)
def test_values_and_gradients_match_pytorch_in_double(cell: str, size, isa: str) -> None:
    engine.set_isa(isa)
    problem = make(cell, size)
    assert used_kernels(fused(problem.module, problem.inputs))
    actual = solve(problem, fused, torch.float32)
    assert error(actual, solve(problem, reference, torch.float64)) < 1e-5


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("cell", CELLS)
def test_values_match_pytorch_in_double_where_gates_saturate(cell: str, isa: str) -> None:
    engine.set_isa(isa)
    problem = make(cell, (5, 200, 3, 12, 1))
    with torch.no_grad():
        for parameter in problem.module.parameters():
            parameter.mul_(12.0)
        problem.inputs[0].mul_(30.0)
        double = copy.deepcopy(problem.module).double()
        expected = reference(double, [leaf.double() for leaf in problem.inputs])
        actual = fused(problem.module, problem.inputs)
    assert torch.isfinite(actual[0]).all()
    assert error(list(actual), list(expected)) < 1e-4


@pytest.mark.parametrize("cell", CELLS)
def test_small_signals_keep_their_relative_precision(cell: str) -> None:
    problem = make(cell, (4, 50, 1, 8, 1), bias=False)
    inputs = [1e-6 * leaf for leaf in problem.inputs]
    with torch.no_grad():
        double = copy.deepcopy(problem.module).double()
        expected = reference(double, [leaf.double() for leaf in inputs])
        actual = fused(problem.module, inputs)
    assert error(list(actual), list(expected)) < 1e-6


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("size", SIZES[1:5], ids=str)
@pytest.mark.parametrize("cell", CELLS)
def test_a_readout_on_the_way_is_a_linear_layer_behind(
    cell: str, size, outputs: int, isa: str, threads: int
) -> None:
    engine.set_isa(isa)
    engine.set_threads(threads)
    problem = make(cell, size)
    linear = nn.Linear(size[3], outputs)
    weight = torch.randn(size[0], size[1], outputs)

    def solved(forward, dtype: torch.dtype) -> list[Tensor]:
        module = copy.deepcopy(problem.module).to(dtype)
        read = copy.deepcopy(linear).to(dtype)
        inputs = [leaf.to(dtype).clone().requires_grad_() for leaf in problem.inputs]
        y, *states = forward(module, read, inputs)
        weights = [weight, *problem.loss_weights[1:]]
        pairs = zip((y, *states), weights, strict=True)
        loss = sum((a * b.to(dtype)).sum() for a, b in pairs)
        leaves = [*inputs, *module.parameters(), *read.parameters()]
        gradients = torch.autograd.grad(loss, leaves)
        return [leaf.detach() for leaf in (y, *states, *gradients)]

    def behind(module, read, inputs):
        y, *states = reference(module, inputs)
        return read(y), *states

    def on_the_way(module, read, inputs):
        call = recurrent.gru if cell == "gru" else recurrent.lstm
        outputs = call(*inputs, module, (read.weight, read.bias))
        assert used_kernels(outputs)
        return outputs

    assert error(solved(on_the_way, torch.float32), solved(behind, torch.float64)) < 1e-5


@pytest.mark.parametrize("cell", CELLS)
def test_without_bias(cell: str) -> None:
    problem = make(cell, (6, 20, 2, 9, 2), bias=False)
    assert used_kernels(fused(problem.module, problem.inputs))
    actual = solve(problem, fused, torch.float32)
    assert error(actual, solve(problem, reference, torch.float64)) < 1e-5


@pytest.mark.parametrize("cell", CELLS)
def test_finite_differences(cell: str) -> None:
    # The loss is a float32 sum, so a step of 1e-2 along a random direction: the central difference
    # is then good to about 1e-4 of a directional derivative of order one.
    problem = make(cell, (3, 12, 2, 5, 2))
    module = problem.module
    for index in range(len(problem.inputs)):
        leaves = [leaf.clone() for leaf in problem.inputs]
        leaves[index].requires_grad_()
        direction = torch.randn_like(leaves[index])
        direction /= direction.norm()

        def loss(at: list[Tensor]) -> Tensor:
            outputs = fused(module, at)
            pairs = zip(outputs, problem.loss_weights, strict=True)
            return sum((a.double() * b).sum() for a, b in pairs)

        (gradient,) = torch.autograd.grad(loss(leaves), leaves[index])
        slope = (gradient.double() * direction).sum().item()
        with torch.no_grad():
            step = 1e-2 * direction
            ahead, behind = list(leaves), list(leaves)
            ahead[index], behind[index] = leaves[index] + step, leaves[index] - step
            measured = (loss(ahead) - loss(behind)).item() / 2e-2
        assert measured == pytest.approx(slope, rel=2e-3, abs=2e-3)


@pytest.mark.parametrize("cell", CELLS)
def test_carried_state_equals_one_pass(cell: str) -> None:
    problem = make(cell, (4, 60, 2, 11, 2))
    module, (x, *states) = problem.module, problem.inputs
    with torch.no_grad():
        whole, *last = fused(module, [x, *states])
        parts = []
        for part in x.split([1, 7, 32, 20], dim=1):
            y, *states = fused(module, [part, *states])
            parts.append(y)
    torch.testing.assert_close(torch.cat(parts, 1), whole, rtol=0, atol=1e-6)
    torch.testing.assert_close(states, last, rtol=0, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_without_gradients_the_values_are_the_same(cell: str) -> None:
    problem = make(cell, (19, 30, 1, 13, 2))
    tracked = fused(problem.module, problem.inputs)
    with torch.no_grad():
        plain = fused(problem.module, problem.inputs)
    for a, b in zip(tracked, plain, strict=True):
        assert torch.equal(a, b)
        assert not b.requires_grad


@pytest.mark.parametrize("cell", CELLS)
def test_non_contiguous_inputs_and_gradients(cell: str) -> None:
    problem = make(cell, (4, 15, 3, 6, 1))
    expected = solve(problem, reference, torch.float64)
    turned = [leaf.transpose(0, 1).contiguous().transpose(0, 1) for leaf in problem.inputs]
    weights = [leaf.transpose(0, 1).contiguous().transpose(0, 1) for leaf in problem.loss_weights]
    assert not turned[0].is_contiguous()
    leaves = [leaf.requires_grad_() for leaf in turned]
    outputs = fused(problem.module, leaves)
    gradients = torch.autograd.grad(
        outputs, [*leaves, *problem.module.parameters()], grad_outputs=weights
    )
    assert error([leaf.detach() for leaf in (*outputs, *gradients)], expected) < 1e-5


@pytest.mark.parametrize("cell", CELLS)
def test_gradient_of_one_output_alone(cell: str) -> None:
    problem = make(cell, (3, 10, 1, 4, 2))
    for index in range(len(problem.loss_weights)):
        results = []
        for forward in (fused, reference):
            output = forward(problem.module, problem.inputs)[index]
            loss = (output * problem.loss_weights[index]).sum()
            results.append(torch.autograd.grad(loss, list(problem.module.parameters())))
        assert error(list(results[0]), list(results[1])) < 1e-5


@pytest.mark.parametrize("threads", [2, 3, 8])
@pytest.mark.parametrize("cell", CELLS)
def test_threads_give_matching_numbers_every_time(cell: str, threads: int) -> None:
    problem = make(cell, (45, 40, 2, 12, 2))
    alone = solve(problem, fused, torch.float32)
    torch.set_num_threads(threads)
    first = solve(problem, fused, torch.float32)
    again = solve(problem, fused, torch.float32)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert error(first, alone) < 1e-6
    torch.set_num_threads(1)
    engine.set_threads(threads)
    chosen = solve(problem, fused, torch.float32)
    assert all(torch.equal(a, b) for a, b in zip(first, chosen, strict=True))


@pytest.mark.parametrize("cell", CELLS)
def test_batch_items_do_not_touch_each_other(cell: str) -> None:
    problem = make(cell, (20, 25, 1, 8, 1))
    with torch.no_grad():
        before = fused(problem.module, problem.inputs)[0]
        changed = [leaf.clone() for leaf in problem.inputs]
        changed[0][7] += 1.0
        after = fused(problem.module, changed)[0]
    same = torch.ones(20, dtype=torch.bool)
    same[7] = False
    assert torch.equal(before[same], after[same])
    assert not torch.equal(before[7], after[7])


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("cell", CELLS)
def test_nan_spreads_as_in_pytorch(cell: str, isa: str) -> None:
    engine.set_isa(isa)
    problem = make(cell, (3, 20, 1, 5, 1))
    problem.inputs[0][1, 10] = torch.nan
    with torch.no_grad():
        actual = fused(problem.module, problem.inputs)[0]
        expected = reference(problem.module, problem.inputs)[0]
    assert torch.equal(actual.isnan(), expected.isnan())
    assert actual.isnan().sum() == 10 * 5


@pytest.mark.parametrize("cell", CELLS)
def test_infinite_inputs_saturate(cell: str) -> None:
    problem = make(cell, (2, 4, 1, 5, 1))
    problem.inputs[0][0, 1] = 1e38
    problem.inputs[0][1, 1] = -1e38
    with torch.no_grad():
        actual = fused(problem.module, problem.inputs)[0]
        expected = reference(problem.module, problem.inputs)[0]
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_fading_gradients_are_finite(cell: str) -> None:
    problem = make(cell, (2, 2000, 1, 6, 1))
    x, *states = problem.inputs
    x = x.clone().requires_grad_()
    last = fused(problem.module, [x, *states])[1]
    (gradient,) = torch.autograd.grad(last.sum(), x)
    assert torch.isfinite(gradient).all()
    assert gradient[:, -1].abs().min() > 0


@pytest.mark.parametrize("gradient_of_x", [True, False])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")  # opcheck's own
def test_the_operators_keep_pytorchs_rules(cell: str, gradient_of_x: bool) -> None:
    problem = make(cell, (3, 10, 2, 5, 2))
    problem.inputs[0].requires_grad_(gradient_of_x)
    operator = getattr(torch.ops.fxkit, cell).default
    weights = list(problem.module.parameters())
    for readout in ([], [torch.randn(2, 5, requires_grad=True), torch.randn(2)]):
        torch.library.opcheck(operator, (*problem.inputs, weights, readout, True, 1, ISAS[-1]))


@pytest.mark.parametrize("cell", CELLS)
def test_the_saved_buffer_of_another_call_is_refused(cell: str) -> None:
    from fxkit_engine import _kernels

    problem = make(cell, (3, 10, 2, 5, 1))
    x, *states = problem.inputs
    weights = [leaf.detach() for leaf in problem.module.parameters()]
    size = _kernels.saved_size(cell, 3, 10, 2, 5, 1, 0, 1, ISAS[-1])
    gradients = [torch.empty_like(leaf) for leaf in weights]
    cell_state = states[1] if cell == "lstm" else None
    with pytest.raises(ValueError, match="saved buffer"):
        _kernels.backward(
            cell, x, weights, True, None, None, torch.zeros(size), torch.zeros(3, 10, 5),
            states[0], cell_state, None, torch.empty_like(states[0]),
            None if cell_state is None else torch.empty_like(cell_state), gradients, None, None,
            1, ISAS[-1],
        )  # fmt: skip


def test_wrong_shapes_are_refused() -> None:
    problem = make("gru", (3, 10, 2, 5, 1))
    x, h = problem.inputs
    weights = list(problem.module.parameters())
    with pytest.raises(ValueError, match="state has the wrong shape"):
        engine.gru(x, h[:, :2], weights)
    with pytest.raises(ValueError, match="input weight has the wrong shape"):
        engine.gru(x[..., :1], h, weights)
    with pytest.raises(ValueError, match="wrong number of weights"):
        engine.gru(x, h, weights[:3])
    with pytest.raises(ValueError, match="readout's weight has the wrong shape"):
        engine.gru(x, h, weights, (torch.zeros(1, 4), torch.zeros(1)))
    with pytest.raises(ValueError, match="readout's bias has the wrong shape"):
        engine.gru(x, h, weights, (torch.zeros(1, 5), torch.zeros(2)))


def test_no_threads_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        engine.set_threads(0)


def test_unknown_instruction_sets_are_refused() -> None:
    with pytest.raises(ValueError, match="not available"):
        engine.set_isa("mmx")


def layer(**options) -> nn.GRU:
    return nn.GRU(2, 4, **{"batch_first": True, **options})


@pytest.mark.parametrize(
    ("module", "dtype"),
    [
        (layer().double(), torch.float64),
        (layer(num_layers=2, dropout=0.5), torch.float32),
    ],
    ids=["float64", "dropout"],
)
def test_what_the_kernels_do_not_cover_runs_on_pytorch(module: nn.GRU, dtype) -> None:
    h = torch.zeros(module.num_layers, 3, 4, dtype=dtype)
    outputs = recurrent.gru(torch.randn(3, 5, 2, dtype=dtype), h, module)
    assert not used_kernels(outputs)
    outputs[0].sum().backward()


def test_dropout_is_nothing_in_evaluation_so_the_kernels_take_it() -> None:
    module = layer(num_layers=2, dropout=0.5).eval()
    outputs = recurrent.gru(torch.randn(3, 5, 2), torch.zeros(2, 3, 4), module)
    assert used_kernels(outputs)


@pytest.mark.parametrize("cell", CELLS)
def test_turned_off_the_numbers_stay_the_same(cell: str) -> None:
    problem = make(cell, (4, 30, 1, 8, 1))
    with_kernels = solve(problem, fused, torch.float32)
    engine.set_isa(None)
    assert not used_kernels(fused(problem.module, problem.inputs))
    assert error(solve(problem, fused, torch.float32), with_kernels) < 1e-5


PROGRAM = """
import sys
if {blocked}:
    sys.modules["fxkit_engine"] = None
import torch
from fxkit import recurrent
module = torch.nn.GRU(1, 4, batch_first=True)
y, h = recurrent.gru(torch.zeros(2, 3, 1), torch.zeros(1, 2, 4), module)
y.sum().backward()
print("kernels" if recurrent.kernels() else "pytorch", type(y.grad_fn).__name__)
"""


@pytest.mark.parametrize(
    ("blocked", "setting", "expected"),
    [(True, "", "pytorch"), (False, "off", "pytorch"), (False, "baseline", "kernels")],
)
def test_the_environment_and_the_installation_decide(blocked, setting, expected) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(blocked=blocked)],
        env={**os.environ, "FXKIT_KERNELS": setting},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[0] == expected
    assert ("fxkit" in done.stdout.split()[1]) == (expected == "kernels")


def test_a_wrong_setting_is_one_clear_line() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(blocked=False)],
        env={**os.environ, "FXKIT_KERNELS": "fast"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "FxkitError: FXKIT_KERNELS: kernels for 'fast'" in done.stderr.splitlines()[-1]
