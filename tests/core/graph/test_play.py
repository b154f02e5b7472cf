"""Every layer against PyTorch written out by hand, in one pass and in blocks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from fxkit.graph import Graph, GraphError, GraphModel, Node
from fxkit.graph.activations import ACTIVATIONS
from fxkit.model import run_blocks
from torch import Tensor, nn
from torch.nn import functional

T = 101


def player(build: Callable[[Graph], Node], controls: int = 0) -> GraphModel:
    g = Graph(nn.Module(), controls=controls)
    return GraphModel(g.finish(build(g)), g.tensors)


def play(model: GraphModel, x: Tensor, controls: Tensor | None = None) -> Tensor:
    """Return the output of one pass, after checking that blocks of any size give the same."""
    whole, end = model(x, model.initial_state(len(x)), controls)
    for block in (1, 2, 7, 64):
        parts, after = run_blocks(model, x, model.initial_state(len(x)), controls, block)
        torch.testing.assert_close(parts, whole, atol=1e-6, rtol=0)
        assert after.keys() == end.keys() == model.initial_state(1).keys()
    alone, _ = model(x[:1], model.initial_state(1), None if controls is None else controls[:1])
    torch.testing.assert_close(alone, whole[:1], atol=1e-6, rtol=0)
    return whole.detach()


@pytest.fixture
def x() -> Tensor:
    return 2 * torch.randn(2, 1, T, generator=torch.Generator().manual_seed(1))


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def same(got: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(got, wanted.detach(), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layers", [1, 3])
def test_gru(x: Tensor, layers: int, bias: bool) -> None:
    gru, out = nn.GRU(1, 5, layers, batch_first=True, bias=bias), nn.Linear(5, 1)
    got = play(player(lambda g: g.dense(g.gru(g.x, gru), out)), x)
    same(got, out(gru(x.transpose(1, 2))[0]).transpose(1, 2))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layers", [1, 2])
def test_lstm(x: Tensor, layers: int, bias: bool) -> None:
    lstm, out = nn.LSTM(1, 5, layers, batch_first=True, bias=bias), nn.Linear(5, 1)
    got = play(player(lambda g: g.dense(g.lstm(g.x, lstm), out)), x)
    same(got, out(lstm(x.transpose(1, 2))[0]).transpose(1, 2))


def test_recurrent_layers_begin_where_they_are_told(x: Tensor) -> None:
    lstm, gru, out = nn.LSTM(1, 3, 2), nn.GRU(1, 3), nn.Linear(6, 1)
    h, c, h2 = torch.randn(2, 3), torch.randn(2, 3), torch.randn(1, 3)
    model = player(
        lambda g: g.dense(
            g.concat(g.lstm(g.x, lstm, initial_h=h, initial_c=c), g.gru(g.x, gru, initial=h2)),
            out,
        )
    )
    series = x.permute(2, 0, 1)
    first = lstm(
        series,
        (h[:, None].expand(-1, 2, -1).contiguous(),) * 1
        + (c[:, None].expand(-1, 2, -1).contiguous(),),
    )[0]
    second = gru(series, h2[:, None].expand(-1, 2, -1).contiguous())[0]
    same(play(model, x), out(torch.cat((first, second), dim=-1)).permute(1, 2, 0))


def test_reset_every_starts_afresh(x: Tensor) -> None:
    gru, out = nn.GRU(1, 3, batch_first=True), nn.Linear(3, 1)
    got = play(player(lambda g: g.dense(g.gru(g.x, gru, reset_every=10), out)), x)
    parts = [out(gru(part.transpose(1, 2))[0]).transpose(1, 2) for part in x.split(10, dim=-1)]
    same(got, torch.cat(parts, dim=-1))


@pytest.mark.parametrize(("dilation", "groups"), [(1, 1), (3, 1), (2, 2)])
def test_causal_convolution(x: Tensor, dilation: int, groups: int) -> None:
    first = nn.Conv1d(1, 4, 3, dilation=dilation)
    second = nn.Conv1d(4, 2, 2, groups=groups)
    out = nn.Conv1d(2, 1, 1, bias=False)
    got = play(player(lambda g: g.conv(g.conv(g.conv(g.x, first), second), out)), x)
    middle = first(functional.pad(x, (2 * dilation, 0)))
    same(got, out(second(functional.pad(middle, (1, 0)))))


@pytest.mark.parametrize("mode", ["hold", "zeros"])
def test_strides_down_and_up_again(x: Tensor, mode: str) -> None:
    down, gru, smooth = nn.Conv1d(1, 3, 7, stride=4), nn.GRU(3, 3), nn.Conv1d(3, 1, 4)

    def build(g: Graph) -> Node:
        slow = g.gru(g.conv(g.x, down), gru)
        return g.conv(g.upsample(slow, 4, mode), smooth)  # type: ignore[arg-type]

    frames = gru(down(functional.pad(x, (6, 0))).permute(2, 0, 1))[0].permute(1, 2, 0)
    fast = frames.repeat_interleave(4, dim=-1)[..., :T].clone()
    if mode == "zeros":
        fast = torch.where(torch.arange(T) % 4 == 0, fast, 0.0)
    same(play(player(build), x), smooth(functional.pad(fast, (3, 0))))


def test_rates_that_do_not_divide_the_block(x: Tensor) -> None:
    def build(g: Graph) -> Node:
        slow = g.delay(g.downsample(g.downsample(g.x, 3), 5), 1)
        return g.upsample(slow, 15)

    wanted = functional.pad(x[..., ::15], (1, 0)).repeat_interleave(15, dim=-1)[..., :T]
    same(play(player(build), x), wanted)


def test_zeros_then_convolution_is_a_transposed_convolution(x: Tensor) -> None:
    transposed = nn.ConvTranspose1d(1, 1, 6, stride=3, bias=False)

    def build(g: Graph) -> Node:
        slow = g.upsample(g.downsample(g.x, 3), 3, "zeros")
        return g.conv(slow, transposed.weight.flip(2))

    same(play(player(build), x), transposed(x[..., ::3])[..., :T])


def test_gates_residuals_slices(x: Tensor) -> None:
    conv, out = nn.Conv1d(1, 6, 2), nn.Conv1d(3, 1, 1)

    def build(g: Graph) -> Node:
        both = g.conv(g.x, conv)
        gated = g.multiply(
            g.activation(g.slice(both, 0, 3), "tanh"), g.activation(g.slice(both, 3, 6), "sigmoid")
        )
        return g.add(g.conv(gated, out), g.delay(g.x, 5), g.gain(g.x, torch.tensor(0.3)))

    both = conv(functional.pad(x, (1, 0)))
    gated = both[:, :3].tanh() * both[:, 3:].sigmoid()
    wanted = out(gated) + functional.pad(x, (5, 0))[..., :T] + 0.3 * x
    same(play(player(build), x), wanted)


def test_knobs_condition_features(x: Tensor) -> None:
    conv, film, out = nn.Conv1d(1, 3, 1), nn.Linear(2, 6), nn.Linear(5, 1)
    knobs = torch.rand(2, 2)

    def build(g: Graph) -> Node:
        assert g.controls is not None
        return g.dense(g.concat(g.film(g.conv(g.x, conv), g.controls, film), g.controls), out)

    scale, shift = film(knobs)[..., None].chunk(2, dim=1)
    features = torch.cat((scale * conv(x) + shift, knobs[..., None].expand(-1, -1, T)), dim=1)
    model = player(build, controls=2)
    same(play(model, x, knobs), out(features.transpose(1, 2)).transpose(1, 2))
    with pytest.raises(GraphError, match="2 controls"):
        model(x, model.initial_state(2))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(x: Tensor, name: str) -> None:
    modules = {
        "tanh": nn.Tanh(),
        "sigmoid": nn.Sigmoid(),
        "relu": nn.ReLU(),
        "leaky_relu": nn.LeakyReLU(0.01),
        "elu": nn.ELU(),
        "softplus": nn.Softplus(),
        "hardtanh": nn.Hardtanh(),
        "leaky_hardtanh": lambda v: v.clamp(-1, 1) + 0.01 * (v - v.clamp(-1, 1)),
        "hardsigmoid": nn.Hardsigmoid(),
        "hardswish": nn.Hardswish(),
        "softsign": nn.Softsign(),
        "silu": nn.SiLU(),
        "gelu": nn.GELU(),
        "gelu_tanh": nn.GELU(approximate="tanh"),
        "sin": torch.sin,
    }
    same(play(player(lambda g: g.activation(g.x, name)), 2 * x), modules[name](2 * x))


def test_activation_settings(x: Tensor) -> None:
    y = play(player(lambda g: g.activation(g.x, "leaky_relu", slope=0.5)), x)
    same(y, functional.leaky_relu(x, 0.5))
    y = play(player(lambda g: g.activation(g.x, "hardtanh", low=-0.1, high=0.7)), x)
    same(y, x.clamp(-0.1, 0.7))


def test_prelu_and_gain_per_channel(x: Tensor) -> None:
    split, slopes = torch.tensor([[1.0], [-1.0]]), torch.tensor([0.1, -0.4])
    gain, bias, out = torch.tensor([2.0, 3.0]), torch.tensor([0.5, -0.5]), torch.ones(1, 2)

    def build(g: Graph) -> Node:
        return g.dense(g.gain(g.prelu(g.dense(g.x, split), slopes), gain, bias), out)

    wanted = 2 * torch.where(x > 0, x, 0.1 * x) + 3 * torch.where(x < 0, -x, 0.4 * x)
    same(play(player(build), x), wanted)
    same(play(player(lambda g: g.prelu(g.x, nn.PReLU(init=0.2))), x), functional.leaky_relu(x, 0.2))


def test_identity_graph(x: Tensor) -> None:
    assert torch.equal(play(player(lambda g: g.x), x), x)


def test_weights_follow_the_module(x: Tensor) -> None:
    model = player(lambda g: g.gain(g.x, torch.tensor([0.5]))).double()
    y, _ = model(x.double(), model.initial_state(2))
    assert y.dtype == torch.float64
    assert model.tensors()["graph.0"].dtype == torch.float64
    assert not list(model.parameters())
