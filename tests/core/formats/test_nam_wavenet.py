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


def saved(file: dict[str, Any], folder: Path) -> Path:
    path = folder / "a.nam"
    path.write_text(json.dumps(file))
    return path


@pytest.mark.parametrize("gated", [False, True])
def test_plays_as_its_own_player(
    gated: bool, tmp_path: Path, noise: np.ndarray, played: Any, close: Any, wavenet: Any
) -> None:
    file = wavenet.capture(gated)
    artifact = Nam().read(saved(file, tmp_path))
    assert artifact.manifest.sample_rate == 48_000
    close(played(artifact.model, noise), wavenet.play(file, noise))


@pytest.mark.parametrize(("size", "index"), [(1.0, 1), (0.5, 1), (0.49, 0), (0.0, 0)])
def test_a_slimmable_file_gives_the_model_of_its_size(
    size: float, index: int, peers: Path, played: Any, close: Any, wavenet: Any
) -> None:
    path = peers / "core_A2.nam"
    x, _ = soundfile.read(peers / "input_48k.wav", dtype="float32", start=20_000, frames=3000)
    artifact = Nam(Nam.Config(size=size)).read(path)
    file = json.loads(path.read_text())["config"]["submodels"][index]["model"]
    close(played(artifact.model, x), wavenet.play(file, x))
    assert artifact.manifest.training["imported"]["version"] == "0.7.0"
    if size == 1.0:
        full = Nam().read(path)
        np.testing.assert_array_equal(played(full.model, x), played(artifact.model, x))


def test_settings_of_the_newer_schema_are_heard(tmp_path: Path, noise: np.ndarray, played: Any,
                                                close: Any, wavenet: Any) -> None:  # fmt: skip
    old = wavenet.capture()
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
    damage: Callable[[dict[str, Any]], None], why: str, tmp_path: Path, wavenet: Any
) -> None:
    file = wavenet.capture()
    damage(file)
    with pytest.raises(FxkitError, match=why) as caught:
        Nam().read(saved(file, tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("limits", "why"),
    [([0.5, 0.5], "must rise"), ([1.0, 0.5], "must rise"), ([0.2, 0.9], "must rise"), ([], "list")],
)
def test_a_container_must_cover_all_sizes(
    limits: list[float], why: str, tmp_path: Path, wavenet: Any
) -> None:
    models = [{"max_value": top, "model": wavenet.capture()} for top in limits]
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
