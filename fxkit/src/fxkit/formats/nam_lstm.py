"""The LSTM of a .nam file.

Per layer: ``[W_ih | W_hh]`` row by row, gates i, f, g, o; the sum of the biases; hidden and cell
state at the start. Then the weights of the head, and its bias. There is no dry path.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fxkit.errors import FxkitError
from fxkit.formats.document import Section
from fxkit.formats.proof import settle
from fxkit.formats.recurrent_net import RecurrentLayer, RecurrentNet, play
from fxkit.graph import GraphModel

__all__ = ["read", "write"]

MAX_HIDDEN, MAX_LAYERS = 4096, 64


def read(config: Section, weights: NDArray[np.float64], sample_rate: int) -> GraphModel:
    """Make the model of a configuration and its flat weights, whose number must be right.

    Raises
    ------
    FxkitError
        The configuration is not one that can be played, or the number of weights is not its.
    """
    config.integer("input_size", 1, 1)
    hidden = config.integer("hidden_size", 1, MAX_HIDDEN)
    count = config.integer("num_layers", 1, MAX_LAYERS)
    inputs = [1] + [hidden] * (count - 1)
    rows = 4 * hidden
    needed = sum(rows * (n + hidden) + rows + 2 * hidden for n in inputs) + hidden + 1
    if len(weights) != needed:
        raise FxkitError(
            f"weights has {len(weights)} numbers, an LSTM of {count} x {hidden} has {needed}"
        )
    place = 0

    def take(*shape: int) -> NDArray[np.float64]:
        nonlocal place
        size = int(np.prod(shape))
        place += size
        return weights[place - size : place].reshape(shape)

    layers = []
    for n in inputs:
        both, bias, h, c = take(rows, n + hidden), take(rows), take(hidden), take(hidden)
        layers.append(RecurrentLayer(both[:, :n], both[:, n:], bias, np.zeros(rows), h, c))
    head = take(hidden)
    return play(RecurrentNet("lstm", tuple(layers), head, float(take(1)[0]), 0.0), sample_rate)


def write(net: RecurrentNet) -> tuple[dict[str, Any], list[float]]:
    """Return configuration and weights of an LSTM without dry path and knobs.

    Raises
    ------
    FxkitError
        The layers are not all of one size.
    """
    sizes = {layer.hidden for layer in net.layers}
    if len(sizes) != 1:
        raise FxkitError("a .nam file has LSTM layers of one size only: train model=lstm")
    parts: list[NDArray[Any]] = []
    for layer, (h, c) in zip(net.layers, _settled(net), strict=True):
        both = np.concatenate((layer.weight_ih, layer.weight_hh), axis=1)
        parts += [both.ravel(), layer.bias_ih + layer.bias_hh, h, c]
    parts += [net.head, np.array([net.bias])]
    config = {"input_size": 1, "hidden_size": net.hidden, "num_layers": len(net.layers)}
    return config, np.concatenate(parts).astype(np.float32).astype(float).tolist()


def _settled(net: RecurrentNet) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Return hidden and cell state of every layer after a second of silence."""
    model = play(net, 48_000)
    (state,) = settle([model], None)
    names = [layer.name for layer in model.spec.layers if layer.type == "lstm"]
    return [(state[f"{n}.h"][0].numpy(), state[f"{n}.c"][0].numpy()) for n in names]
