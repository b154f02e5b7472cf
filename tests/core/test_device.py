import pytest
import torch
from fxkit.device import pick_device, set_threads
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
