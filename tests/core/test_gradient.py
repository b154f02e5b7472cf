import math

import pytest
import torch
from fxkit.gradient import OVERFLOWS, GradientBound
from torch import nn

CPU = torch.device("cpu")


@pytest.fixture
def model():
    return nn.Linear(2, 1, bias=False)


def given(model, *values):
    model.weight.grad = torch.tensor([values])
    return model


def test_a_long_gradient_is_scaled_down_to_the_norm(model):
    assert GradientBound(1.0)(given(model, 3.0, 4.0), CPU)
    torch.testing.assert_close(model.weight.grad, torch.tensor([[0.6, 0.8]]))


def test_a_short_one_and_one_without_a_limit_are_left_alone(model):
    for norm in (10.0, 0.0):
        assert GradientBound(norm)(given(model, 3.0, 4.0), CPU)
        torch.testing.assert_close(model.weight.grad, torch.tensor([[3.0, 4.0]]))


@pytest.mark.parametrize("norm", [0.0, 1.0])
@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_one_beyond_all_numbers_is_none(model, norm, value):
    assert not GradientBound(norm)(given(model, 1.0, value), CPU)


def test_on_another_device_it_becomes_nothing_without_asking(model):
    bound = GradientBound(1.0)
    for _ in range(OVERFLOWS):
        assert bound(given(model, 1.0, math.inf), torch.device("meta"))
        assert model.weight.grad.tolist() == [[0.0, 0.0]]
    assert not bound.lost


def test_it_is_lost_when_there_has_been_none_for_long(model):
    bound = GradientBound(1.0)
    for _ in range(OVERFLOWS - 1):
        bound(given(model, math.nan, 0.0), CPU)
    bound(given(model, 1.0, 0.0), CPU)
    for _ in range(OVERFLOWS - 1):
        bound(given(model, math.nan, 0.0), CPU)
    assert not bound.lost
    bound(given(model, math.nan, 0.0), CPU)
    assert bound.lost
