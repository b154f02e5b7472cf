import pytest
import torch
from fxkit.device import pick_device, pick_precision, set_threads
from fxkit.errors import FxkitError


def test_auto_takes_the_best_there_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert pick_device("auto").type == "cpu"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert pick_device("auto").type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device("auto").type == "cuda"


def test_a_device_that_is_not_there_is_one_line(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(FxkitError, match="this machine has none"):
        pick_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(FxkitError, match="this machine has none"):
        pick_device("cuda:3")


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x"])
def test_a_word_that_is_no_device_is_one_line(name):
    with pytest.raises(FxkitError, match="no such kind"):
        pick_device(name)


def test_threads():
    before = torch.get_num_threads()
    try:
        assert set_threads(1) == 1
        assert set_threads(0) == 1
    finally:
        torch.set_num_threads(before)


def test_half_precision_by_itself_only_where_it_pays(monkeypatch):
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    # Like an older GPU, then a newer one: the former computes it, but not in its own circuits.
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda emulated=True: emulated)
    assert pick_precision("auto", cuda, crops=True) == torch.float32
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda emulated=True: True)
    assert pick_precision("auto", cuda, crops=True) == torch.bfloat16
    assert pick_precision("auto", cuda, crops=False) == torch.float32
    assert pick_precision("auto", cpu, crops=True) == torch.float32
    assert pick_precision("bf16", cpu, crops=False) == torch.bfloat16
    assert pick_precision("fp32", cuda, crops=True) == torch.float32
