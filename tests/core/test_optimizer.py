import torch
from fxkit.optimizer import make_optimizer
from fxkit.train_config import TrainConfig
from torch import nn


def test_weight_decay_pulls_matrices_only():
    model = nn.Linear(3, 2)
    with torch.no_grad():
        model.weight.fill_(1.0)
        model.bias.fill_(1.0)
    optimizer = make_optimizer(model, TrainConfig(lr=0.1, weight_decay=0.5))
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    optimizer.step()
    # AdamW multiplies by 1 - lr * decay; a zero gradient moves nothing else.
    torch.testing.assert_close(model.weight, torch.full((2, 3), 0.95))
    torch.testing.assert_close(model.bias, torch.ones(2))


def test_frozen_parameters_are_left_out():
    model = nn.Linear(3, 2)
    model.bias.requires_grad_(False)
    optimizer = make_optimizer(model, TrainConfig())
    assert [p.shape for g in optimizer.param_groups for p in g["params"]] == [(2, 3)]
