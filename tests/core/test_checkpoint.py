import errno
import json
import pickletools

import pytest
import torch
from fxkit.errors import FxkitError
from fxkit.optimizer import make_optimizer
from fxkit.train_config import TrainConfig
from safetensors import safe_open
from torch import nn

from fxkit import checkpoint


def trained(steps=3, seed=0):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    optimizer = make_optimizer(model, TrainConfig(weight_decay=0.01))
    for _ in range(steps):
        step(model, optimizer)
    return model, optimizer


def step(model, optimizer):
    loss = model(torch.randn(8, 3)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def test_going_on_from_a_checkpoint_equals_never_stopping(tmp_path):
    model, optimizer = trained()
    at = checkpoint.Progress(epoch=2, step=3, seconds=1.5, best_loss=0.25, best_epoch=1)
    checkpoint.save(tmp_path / "last.safetensors", model, optimizer, at)
    for _ in range(3):
        step(model, optimizer)

    again, fresh_optimizer = trained(steps=0, seed=99)
    assert checkpoint.load_into(tmp_path / "last.safetensors", again, fresh_optimizer) == at
    for _ in range(3):
        step(again, fresh_optimizer)
    for a, b in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


def test_holds_tensors_and_json_and_nothing_pickled(tmp_path):
    model, optimizer = trained()
    path = tmp_path / "last.safetensors"
    checkpoint.save(path, model, optimizer, checkpoint.Progress())
    with safe_open(path, framework="pt") as file:
        assert json.loads(file.metadata()["progress"])["epoch"] == 0
        assert "model.0.weight" in file.keys()  # noqa: SIM118
    with pytest.raises(ValueError, match=r".*"):
        list(pickletools.genops(path.read_bytes()))


@pytest.mark.parametrize(
    "damage",
    [lambda b: b[: len(b) // 2], lambda b: b"\x00" * len(b), lambda b: b"", lambda b: b[:8]],
    ids=["cut", "zeros", "empty", "header only"],
)
def test_a_damaged_file_is_one_line(tmp_path, damage):
    model, optimizer = trained()
    path = tmp_path / "last.safetensors"
    checkpoint.save(path, model, optimizer, checkpoint.Progress())
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(FxkitError, match=r"last\.safetensors"):
        checkpoint.load_into(path, model, optimizer)


def test_a_missing_file_and_another_model_are_one_line(tmp_path):
    model, _ = trained()
    with pytest.raises(FxkitError, match="no such checkpoint"):
        checkpoint.load_into(tmp_path / "none", model)
    checkpoint.save(tmp_path / "c", model, None, checkpoint.Progress())
    with pytest.raises(FxkitError, match="other settings"):
        checkpoint.load_into(tmp_path / "c", nn.Linear(2, 2))


def test_a_write_that_fails_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    model, optimizer = trained()
    path = tmp_path / "last.safetensors"
    checkpoint.save(path, model, optimizer, checkpoint.Progress(epoch=1))
    before = path.read_bytes()

    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(path, model, optimizer, checkpoint.Progress(epoch=2))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["last.safetensors"]
