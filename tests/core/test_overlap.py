"""Overlapping frames, added up: as torch's fold does it, forwards and backwards."""

import pytest
import torch
from fxkit.overlap import overlap_add
from torch.nn import functional


@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize(("length", "hop"), [(8, 8), (8, 6), (8, 3), (8, 1), (9, 4), (3, 5)])
def test_it_is_what_fold_makes(count, length, hop):
    frames = torch.randn(2, count, length, requires_grad=True)
    total = (count - 1) * hop + length
    wanted = functional.fold(frames.transpose(1, 2), (1, total), (1, length), stride=(1, hop)).view(
        2, total
    )
    made = overlap_add(frames, hop)
    torch.testing.assert_close(made, wanted)
    listener = torch.randn(2, total)
    gradients = [torch.autograd.grad(y, frames, listener)[0] for y in (made, wanted)]
    torch.testing.assert_close(*gradients)


def test_of_any_number_of_axes():
    frames = torch.randn(2, 3, 4, 6)
    assert overlap_add(frames, 4).shape == (2, 3, 18)
    assert overlap_add(frames[0, 0], 4).shape == (18,)
    torch.testing.assert_close(overlap_add(frames, 4)[1, 2], overlap_add(frames[1, 2], 4))
