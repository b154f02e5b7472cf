"""The WaveNet of a .nam file, in both schemas, against a player of its own."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from fxkit.errors import FxkitError
from fxkit.formats.nam import Nam

PREWARM = 9000


def leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.01 * x)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


FUNCTIONS = {"Tanh": np.tanh, "LeakyReLU": leaky, "ReLU": lambda x: np.maximum(x, 0)}


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


def wavenet_player(file: dict[str, Any], x: np.ndarray) -> np.ndarray:
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


def saved(file: dict[str, Any], folder: Path) -> Path:
    path = folder / "a.nam"
    path.write_text(json.dumps(file))
    return path


@pytest.mark.parametrize("gated", [False, True])
def test_plays_as_its_own_player(
    gated: bool, tmp_path: Path, noise: np.ndarray, played: Any, close: Any
) -> None:
    file = capture(gated)
    artifact = Nam().read(saved(file, tmp_path))
    assert artifact.manifest.sample_rate == 48_000
    close(played(artifact.model, noise), wavenet_player(file, noise))


@pytest.mark.parametrize(("size", "index"), [(1.0, 1), (0.5, 1), (0.49, 0), (0.0, 0)])
def test_a_slimmable_file_gives_the_model_of_its_size(
    size: float, index: int, peers: Path, played: Any, close: Any
) -> None:
    path = peers / "core_A2.nam"
    x, _ = soundfile.read(peers / "input_48k.wav", dtype="float32", start=20_000, frames=3000)
    artifact = Nam(Nam.Config(size=size)).read(path)
    file = json.loads(path.read_text())["config"]["submodels"][index]["model"]
    close(played(artifact.model, x), wavenet_player(file, x))
    assert artifact.manifest.training["imported"]["version"] == "0.7.0"
    if size == 1.0:
        full = Nam().read(path)
        np.testing.assert_array_equal(played(full.model, x), played(artifact.model, x))


def test_settings_of_the_newer_schema_are_heard(tmp_path: Path, noise: np.ndarray, played: Any,
                                                close: Any) -> None:  # fmt: skip
    old = capture()
    new = copy.deepcopy(old) | {"version": "0.7.0", "sample_rate": 44100}
    for array in new["config"]["layers"]:
        count = len(array["dilations"])
        array["kernel_sizes"] = [array.pop("kernel_size")] * count
        array["activation"] = [{"type": array["activation"]}] * count
        array["head"] = {
            "out_channels": array.pop("head_size"), "kernel_size": 1,
            "bias": array.pop("head_bias"),
        }  # fmt: skip
        array["gating_mode"] = ["none"] * count
        del array["gated"]
    a = Nam().read(saved(old, tmp_path)).model
    b = Nam().read(saved(new, tmp_path)).model
    assert b.sample_rate == 44_100
    close(played(a, noise), played(b, noise))


def set_layer(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def apply(file: dict[str, Any]) -> None:
        file["config"]["layers"][1][key] = value

    return apply


def set_weights(change: Callable[[list[float]], list[float]]) -> Callable[[dict[str, Any]], None]:
    def apply(file: dict[str, Any]) -> None:
        file["weights"] = change(file["weights"])

    return apply


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (set_weights(lambda w: w[:-1]), "weights has .* numbers, the layers need"),
        (set_weights(lambda w: [*w, 0.0]), "weights has .* numbers, the layers need"),
        (set_weights(lambda w: w[:1]), "the layers need at least"),
        (set_layer("channels", 4096), "the layers need at least"),
        (set_layer("channels", 10**12), "channels"),
        (set_layer("kernel_size", 65_536), "the layers need at least"),
        (set_layer("dilations", [10**9]), "dilations"),
        (set_layer("dilations", []), "dilations"),
        (set_layer("dilations", [1 << 17, 1]), "dilations"),
        (set_layer("input_size", 2), "input_size is 2, but 3 channels"),
        (set_layer("condition_size", 2), "condition_size"),
        (set_layer("activation", "Softmax"), "activation 'Softmax' is not known"),
        (set_layer("activation", "Fasttanh"), "activation 'Fasttanh' is not known"),
        (set_layer("activation", ["Tanh"]), "1 entries for 2 dilations"),
        (set_layer("gating_mode", "blended"), "'blended' is not known"),
        (set_layer("conv_pre_film", {"active": True}), "conv_pre_film is active"),
        (set_layer("slimmable", {"method": "slice_channels_uniform"}), "slimmable"),
        (set_layer("head", {"out_channels": 1}), "head.kernel_size is missing"),
        (set_layer("head_size", 2), "2 outputs|weights"),
        (set_layer("gated", 1), "gated"),
        (lambda f: f["config"].update(layers=[]), "layers"),
        (lambda f: f["config"].update(layers=[3]), "layers"),
        (lambda f: f["config"].update(condition_dsp={}), "condition_dsp"),
    ],
)
def test_damage_is_one_line(
    damage: Callable[[dict[str, Any]], None], why: str, tmp_path: Path
) -> None:
    file = capture()
    damage(file)
    with pytest.raises(FxkitError, match=why) as caught:
        Nam().read(saved(file, tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("limits", "why"),
    [([0.5, 0.5], "must rise"), ([1.0, 0.5], "must rise"), ([0.2, 0.9], "must rise"), ([], "list")],
)
def test_a_container_must_cover_all_sizes(limits: list[float], why: str, tmp_path: Path) -> None:
    models = [{"max_value": top, "model": capture()} for top in limits]
    file = {
        "version": "0.7.0",
        "architecture": "SlimmableContainer",
        "config": {"submodels": models},
    }
    with pytest.raises(FxkitError, match=why):
        Nam().read(saved(file, tmp_path))
    file["config"]["submodels"] = [{"max_value": 1.0, "model": copy.deepcopy(file)}]
    with pytest.raises(FxkitError, match="in another"):
        Nam().read(saved(file, tmp_path))
