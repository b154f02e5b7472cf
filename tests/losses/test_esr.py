"""esr: the laws, values solvable by hand, and the two ways to write its filter."""

import pytest
import torch
from fxkit.testing import LossLaws
from fxkit_losses.esr import ESR, pre_emphasis


class TestLaws(LossLaws):
    @pytest.fixture(params=[0.0, 0.85])
    def loss(self, request: pytest.FixtureRequest) -> ESR:
        return ESR(ESR.Config(pre_emphasis=request.param))


def test_both_ways_to_write_the_filter_are_the_same() -> None:
    s, a = torch.randn(2, 1, 1000, dtype=torch.float64), 0.85
    mixture = (1 - a) * s[..., 1:] + a * (s[..., 1:] - s[..., :-1])
    torch.testing.assert_close(pre_emphasis(s, a), mixture)


def test_values_by_hand() -> None:
    target = torch.tensor([[[3.0, 4.0]], [[0.0, 0.0]]])
    estimate = torch.tensor([[[3.0, 3.0]], [[0.0, 2.0]]])
    value = ESR(ESR.Config())(estimate, target)
    torch.testing.assert_close(value, torch.tensor([2 * 1 / 25, 2 * 4 / 25]))
    torch.testing.assert_close(value.mean(), torch.tensor(5 / 25))  # the ratio of the sums


def test_pre_emphasis_by_hand() -> None:
    value = ESR(ESR.Config(pre_emphasis=0.5))(
        torch.tensor([[[1.0, 1.0, 0.0]]]), torch.tensor([[[1.0, 2.0, 1.0]]])
    )
    # error 0 -1 -1 -> -1, -0.5; target 1 2 1 -> 1.5, 0
    torch.testing.assert_close(value, torch.tensor([1.25 / 2.25]))


def test_a_single_sample_counts_as_a_constant() -> None:
    torch.testing.assert_close(pre_emphasis(torch.tensor([2.0]), 0.85), torch.tensor([0.3]))


def test_the_ratio_is_exact_down_to_80_db_below_full_scale() -> None:
    target = torch.full((1, 1, 100), 1.1e-4)
    torch.testing.assert_close(ESR(ESR.Config())(0.5 * target, target), torch.tensor([0.25]))
