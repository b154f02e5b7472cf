"""l1: the laws, and values solvable by hand."""

import pytest
import torch
from fxkit.testing import LossLaws
from fxkit_losses.absolute import L1


class TestLaws(LossLaws):
    @pytest.fixture
    def loss(self) -> L1:
        return L1(L1.Config())


def test_value_by_hand() -> None:
    target = torch.tensor([[[1.0, -1.0, 1.0, -1.0]], [[2.0, -2.0, 2.0, -2.0]]])
    error = torch.tensor([[[0.5, -0.5, 0.5, 0.5]], [[0.0, 0.0, 0.0, 3.0]]])
    # mean size of the batch: 1.5
    value = L1(L1.Config())(target + error, target)
    torch.testing.assert_close(value, torch.tensor([0.5 / 1.5, 0.75 / 1.5]))


def test_silence_as_the_estimate_costs_one() -> None:
    target = torch.tensor([[[0.1, -0.3, 0.2]]])
    assert L1(L1.Config())(torch.zeros_like(target), target).item() == pytest.approx(1.0)


def test_the_level_of_the_recording_does_not_matter() -> None:
    torch.manual_seed(0)
    loss, estimate, target = L1(L1.Config()), torch.randn(2, 1, 50), torch.randn(2, 1, 50)
    torch.testing.assert_close(loss(0.01 * estimate, 0.01 * target), loss(estimate, target))
