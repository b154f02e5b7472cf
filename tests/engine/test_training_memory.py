"""What the fused kernels keep for the backward pass, against what PyTorch keeps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

engine = pytest.importorskip("fxkit_engine.recurrent", reason="fxkit-engine is not installed")

from fxkit_engine import available_isas  # noqa: E402

from fxkit import recurrent  # noqa: E402

ALLOWED = 1.5  # times PyTorch's


@pytest.fixture(autouse=True, params=available_isas())
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    yield request.param
    engine.set_isa(available_isas()[-1])


def kept(module: nn.GRU | nn.LSTM, batch: int, isa: str | None) -> int:
    """Return the bytes that a forward pass keeps until the backward pass, weights left out."""
    engine.set_isa(isa)
    h = torch.zeros(1, batch, module.hidden_size)
    x = torch.randn(batch, 128, 1)
    found: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        if isinstance(module, nn.LSTM):
            y = recurrent.lstm(x, h, h.clone(), module)[0]
        else:
            y = recurrent.gru(x, h, module)[0]
    assert ("fxkit" in type(y.grad_fn).__name__) == (isa is not None)
    for parameter in module.parameters():
        found.pop(parameter.untyped_storage().data_ptr(), None)
    return sum(found.values())


# Streams fill whole vectors of at most 16. Fewer are padded: small steps, with a small memory.
@pytest.mark.parametrize("batch", [16, 32, 128])
@pytest.mark.parametrize("hidden", [16, 48, 96])
@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM])
def test_a_window_takes_at_most_half_as_much_again(
    kind: type[nn.GRU | nn.LSTM], hidden: int, batch: int, isa: str
) -> None:
    module = kind(1, hidden, batch_first=True)
    fused, plain = kept(module, batch, isa), kept(module, batch, None)
    assert 0 < fused <= ALLOWED * plain
