"""A player of .nam WaveNets in 64 bits, written for the tests alone."""

from __future__ import annotations

from typing import Any

import numpy as np

PREWARM = 9000


def leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.01 * x)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


FUNCTIONS = {
    "Tanh": np.tanh,
    "Sigmoid": sigmoid,
    "LeakyReLU": leaky,
    "ReLU": lambda x: np.maximum(x, 0),
}


class Weights:
    def __init__(self, values: list[float]) -> None:
        self.values, self.place = np.array(values), 0

    def __call__(self, *shape: int) -> np.ndarray:
        size = int(np.prod(shape))
        self.place += size
        return self.values[self.place - size : self.place].reshape(shape)


def convolve(x: np.ndarray, weight: np.ndarray, dilation: int = 1) -> np.ndarray:
    """``y[o, t] = sum w[o, i, k] x[i, t - (K - 1 - k) d]``, with zeros before the start."""
    taps, frames = weight.shape[2], x.shape[1]
    padded = np.pad(x, ((0, 0), ((taps - 1) * dilation, 0)))
    return sum(
        weight[:, :, k] @ padded[:, k * dilation : k * dilation + frames] for k in range(taps)
    )


def play(file: dict[str, Any], x: np.ndarray) -> np.ndarray:
    """Play a .nam WaveNet in 64 bits, after the silence that its own player begins with."""
    take = Weights(file["weights"])
    audio = np.concatenate((np.zeros(PREWARM), x))[None].astype(float)
    h, head = audio, 0.0
    for array in file["config"]["layers"]:
        channels, dilations = array["channels"], array["dilations"]
        kernels = array.get("kernel_sizes") or [array["kernel_size"]] * len(dilations)
        names = array["activation"]
        names = names if isinstance(names, list) else [names] * len(dilations)
        gated = array.get("gated", False)
        h = convolve(h, take(channels, h.shape[0], 1))
        for name, taps, dilation in zip(names, kernels, dilations, strict=True):
            function = FUNCTIONS[name["type"] if isinstance(name, dict) else name]
            rows = channels * (2 if gated else 1)
            z = convolve(h, take(rows, channels, taps), dilation) + take(rows)[:, None]
            z = z + convolve(audio, take(rows, 1, 1))
            z = function(z[:channels]) * (sigmoid(z[channels:]) if gated else 1.0)
            head = head + z
            h = h + convolve(z, take(channels, channels, 1)) + take(channels)[:, None]
        spec = array.get("head") or {
            "out_channels": array["head_size"], "kernel_size": 1, "bias": array["head_bias"],
        }  # fmt: skip
        head = convolve(head, take(spec["out_channels"], channels, spec["kernel_size"]))
        if spec["bias"]:
            head = head + take(spec["out_channels"])[:, None]
    y = take(1)[0] * head
    assert take.place == len(take.values)
    return y[0, PREWARM:]


def capture(gated: bool = False) -> dict[str, Any]:
    layers = [
        {"input_size": 1, "condition_size": 1, "head_size": 2, "channels": 3, "kernel_size": 3,
         "dilations": [1, 2, 40], "activation": "Tanh", "gated": gated, "head_bias": False},
        {"input_size": 3, "condition_size": 1, "head_size": 1, "channels": 2, "kernel_size": 2,
         "dilations": [8, 1], "activation": "ReLU", "gated": gated, "head_bias": True},
    ]  # fmt: skip
    count = 1
    for a in layers:
        c, rows = a["channels"], a["channels"] * (2 if gated else 1)
        each = rows * c * a["kernel_size"] + rows + rows + c * c + c
        count += c * a["input_size"] + len(a["dilations"]) * each
        count += a["head_size"] * (c + a["head_bias"])
    rng = np.random.default_rng(4)
    return {
        "version": "0.5.1",
        "architecture": "WaveNet",
        "config": {"layers": layers, "head": None, "head_scale": 0.02},
        "weights": rng.normal(0, 0.5, count).astype(np.float32).astype(float).tolist(),
    }
