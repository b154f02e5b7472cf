import pytest
import torch
from fxkit.device import float32_products, pick_device, pick_precision, set_threads
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


def test_fewer_digits_by_itself_only_where_it_pays(monkeypatch):
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_tf32_supported", lambda: False)
    assert pick_precision("auto", cuda, crops=True) == "fp32"
    monkeypatch.setattr(torch.cuda, "is_tf32_supported", lambda: True)
    assert pick_precision("auto", cuda, crops=True) == "tf32"
    assert pick_precision("auto", cuda, crops=False) == "fp32"
    assert pick_precision("auto", cpu, crops=True) == "fp32"
    assert pick_precision("bf16", cpu, crops=False) == "bf16"
    assert pick_precision("fp32", cuda, crops=True) == "fp32"


@pytest.fixture
def switches():
    """Return torch's own switches, and put them back."""
    found = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [switch.allow_tf32 for switch in found]
    yield found
    torch.backends.cudnn.rnn.fp32_precision = torch.backends.cudnn.conv.fp32_precision
    for switch, allowed in zip(found, before, strict=True):
        switch.allow_tf32 = allowed


@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_products_of_float32_are_all_alike_for_a_while(switches, precision):
    before = [switch.allow_tf32 for switch in switches]
    with float32_products(precision):
        assert [switch.allow_tf32 for switch in switches] == [precision == "tf32"] * 2
        with float32_products("fp32"):
            assert not any(switch.allow_tf32 for switch in switches)
        assert [switch.allow_tf32 for switch in switches] == [precision == "tf32"] * 2
    assert [switch.allow_tf32 for switch in switches] == before


def test_what_somebody_has_set_for_one_kind_of_layer_stays(switches):
    torch.backends.cudnn.rnn.fp32_precision = "ieee"
    with float32_products("tf32"):
        assert torch.backends.cudnn.rnn.fp32_precision == "ieee"
        assert not torch.backends.cuda.matmul.allow_tf32
