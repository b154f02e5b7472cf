"""The optimiser: AdamW, with weight decay on matrices only."""

from __future__ import annotations

import torch
from torch import nn

from fxkit.train_config import TrainConfig

__all__ = ["make_optimizer"]


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """Return AdamW over the trainable parameters of `model`.

    Gains and biases are left out of the weight decay: pulling a dry path's gain or a bias towards
    zero has nothing to do with over-fitting. The second moment is averaged over about 100 steps
    (beta2 0.99), because the loudness of guitar, and with it the gradient's scale, changes faster
    than over the usual 1,000.

    Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.
    """
    trainable = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
    ]
    on_cpu_or_cuda = all(p.device.type in ("cpu", "cuda") for p in trainable)
    return torch.optim.AdamW(
        [g for g in groups if g["params"]],
        lr=config.lr,
        betas=(0.9, 0.99),
        fused=on_cpu_or_cuda,
    )
