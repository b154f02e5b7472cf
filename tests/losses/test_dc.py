"""dc: the laws, and values solvable by hand."""

import pytest
import torch
from fxkit.testing import LossLaws
from fxkit_losses.dc import DC


class TestLaws(LossLaws):
    @pytest.fixture
    def loss(self) -> DC:
        return DC(DC.Config())


def test_value_by_hand() -> None:
    target = torch.tensor([[[1.0, -1.0, 1.0, -1.0]], [[2.0, -2.0, 2.0, -2.0]]])
    offset = torch.tensor([0.5, 0.0]).view(2, 1, 1)
    # mean square of the batch: (1 + 4) / 2
    value = DC(DC.Config())(target + offset, target)
    torch.testing.assert_close(value, torch.tensor([0.25 / 2.5, 0.0]))


def test_an_error_without_offset_costs_nothing() -> None:
    target = torch.tensor([[[1.0, -1.0]]])
    assert DC(DC.Config())(-target, target).item() == 0.0
