import pytest
import torch
from fxkit.recurrent import gru, kernels, lstm, threads_for_kernels
from torch import nn


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("layers", [1, 2])
def test_gru_and_lstm_compute_what_pytorch_computes(layers):
    torch.manual_seed(0)
    x, h, c = torch.randn(3, 20, 2), torch.randn(layers, 3, 5), torch.randn(layers, 3, 5)
    g = nn.GRU(2, 5, layers, batch_first=True)
    y, after = gru(x, h, g)
    expected, expected_h = g(x, h)
    torch.testing.assert_close((y, after), (expected, expected_h))
    m = nn.LSTM(2, 5, layers, batch_first=True)
    y, after, cell = lstm(x, h, c, m)
    expected, (expected_h, expected_c) = m(x, (h, c))
    torch.testing.assert_close((y, after, cell), (expected, expected_h, expected_c))


def test_a_readout_is_a_linear_layer_on_top():
    torch.manual_seed(0)
    x, h, c = torch.randn(3, 20, 2), torch.randn(1, 3, 5), torch.randn(1, 3, 5)
    linear = nn.Linear(5, 2)
    readout = linear.weight, linear.bias
    g, m = nn.GRU(2, 5, batch_first=True), nn.LSTM(2, 5, batch_first=True)
    torch.testing.assert_close(gru(x, h, g, readout)[0], linear(g(x, h)[0]))
    torch.testing.assert_close(lstm(x, h, c, m, readout)[0], linear(m(x, (h, c))[0]))
    for dtype in (torch.float32, torch.float64):
        module, read = nn.GRU(2, 5, batch_first=True).to(dtype), nn.Linear(5, 1).to(dtype)
        y, _ = gru(x.to(dtype), h.to(dtype), module, (read.weight, read.bias))
        torch.testing.assert_close(y, read(module(x.to(dtype), h.to(dtype))[0]))


def test_the_threads_are_the_kernels_while_they_train_and_pytorchs_again_after(two_threads):
    if kernels() is None:
        pytest.skip("fxkit-engine is not installed")
    with threads_for_kernels(nn.Sequential(nn.GRU(1, 4))):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_a_model_without_recurrent_layers_keeps_its_threads(two_threads):
    with threads_for_kernels(nn.Conv1d(1, 1, 3)):
        assert torch.get_num_threads() == 2


def test_without_kernels_nothing_changes(two_threads, monkeypatch):
    monkeypatch.setattr("fxkit.recurrent.kernels", lambda: None)
    with threads_for_kernels(nn.GRU(1, 4)):
        assert torch.get_num_threads() == 2
