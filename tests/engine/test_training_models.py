"""The models that ship train through the fused kernels by themselves."""

from __future__ import annotations

import pytest
import torch
from fxkit.config import resolve
from fxkit.registry import MODELS

engine = pytest.importorskip("fxkit_engine.recurrent", reason="fxkit-engine is not installed")


def operators(gradient: object) -> set[str]:
    """Return the names of all operators that a result came from."""
    seen: set[object] = set()
    waiting = [gradient]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        waiting += [before for before, _ in node.next_functions]  # type: ignore[attr-defined]
    return {type(node).__name__ for node in seen}


@pytest.mark.parametrize("name", ["gru", "lstm", "nn-gru"])
def test_a_model_trains_through_the_kernels(name: str) -> None:
    assert engine.enabled()
    cls = MODELS.get(name)
    model = cls(resolve({"model": name}).model_config, sample_rate=44_100, controls=0).train()
    y, _ = model(torch.randn(2, 1, 20), model.initial_state(2))
    assert any("fxkit" in operator for operator in operators(y.grad_fn))
