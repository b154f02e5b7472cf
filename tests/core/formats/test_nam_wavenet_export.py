"""A WaveNet is written as a .nam file whose players compute the same, or is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from fxkit.artifact import Artifact
from fxkit.errors import FxkitError
from fxkit.formats.nam import Nam
from fxkit.graph import Graph, GraphModel, Node
from fxkit.manifest import Control, Manifest
from torch import nn


def rand(*shape: int) -> torch.Tensor:
    return torch.randn(shape) * 0.4


def artifact(model: Any, controls: int = 0) -> Artifact:
    knobs = tuple(Control(f"k{i}") for i in range(controls))
    manifest = Manifest("Bright", "graph", sample_rate=model.sample_rate, controls=knobs)
    return Artifact(manifest, model)


def built(
    *,
    width: int = 3,
    gated: bool = False,
    function: str = "tanh",
    taps: tuple[int, ...] = (3, 3, 3),
    own_heads: bool = False,
    biased: bool = False,
    dry: bool = False,
    no_residual: bool = False,
    mixed: bool = False,
    head_function: str = "",
    delay: int = 0,
    late_input: bool = False,
    gain: float = 1.0,
    controls: int = 0,
) -> GraphModel:
    """A WaveNet as somebody else could write it, with one thing or another done differently."""
    torch.manual_seed(1)
    g = Graph(nn.Module(), controls=controls)
    x = g.x if gain == 1 else g.gain(g.x, torch.tensor(gain))
    h = g.conv(x, rand(width, 1, 1), rand(width) if biased else None)
    heard: list[Node] = []
    for i, count in enumerate(taps):
        rows = width * (2 if gated else 1)
        bias = rand(rows)
        z = g.conv(h, rand(rows, width, count), bias, dilation=2**i)
        z = g.add(z, g.dense(g.delay(x, 1) if late_input else x, rand(rows, 1)))
        if gated:
            gate = g.activation(g.slice(z, width, 2 * width), "sigmoid")
            z = g.multiply(gate, g.activation(g.slice(z, 0, width), function))
        else:
            z = g.activation(z, "relu" if mixed and i == 1 else function)
        heard.append(g.dense(z, rand(2, width), rand(2)) if own_heads else z)
        step = g.gain(g.dense(z, rand(width, width), rand(width)), torch.tensor(1.5))
        h = step if no_residual else g.add(h, step)
        if mixed and i == 1:  # a second array, of another width
            width = 2
            h = g.dense(h, rand(width, h.channels), rand(width))
            heard = [g.dense(g.add(*heard), rand(2, heard[0].channels))]
    if mixed:
        heard[1:] = [g.dense(one, rand(2, width)) for one in heard[1:]]
    total = g.add(*heard) if len(heard) > 1 else heard[0]
    if head_function:
        total = g.activation(total, head_function)
    y = g.dense(total, rand(1, total.channels), rand(1))
    if gain != 1:
        y = g.gain(y, torch.tensor(1 / gain))
    if dry:
        y = g.add(y, g.x)
    if delay:
        y = g.delay(y, delay)
    model = GraphModel(g.finish(y), g.tensors, sample_rate=44_100)
    return model.eval().requires_grad_(False)


def exported(model: Artifact, folder: Path) -> dict[str, Any]:
    path = folder / "out.nam"
    Nam().write(model, path)
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.mark.parametrize("gated", [False, True])
def test_an_imported_file_goes_back(
    gated: bool, tmp_path: Path, noise: np.ndarray, close: Any, wavenet: Any
) -> None:
    before = wavenet.capture(gated)
    path = tmp_path / "in.nam"
    path.write_text(json.dumps(before))
    after = exported(Nam().read(path), tmp_path)
    assert after["version"] == "0.5.4"
    for old, new in zip(before["config"]["layers"], after["config"]["layers"], strict=True):
        assert {k: v for k, v in new.items() if k != "head_bias"} == {
            k: v for k, v in old.items() if k != "head_bias"
        }
    assert len(after["weights"]) == len(before["weights"])
    close(wavenet.play(after, noise), wavenet.play(before, noise))


def test_a_real_file_goes_back(
    peers: Path, tmp_path: Path, played: Any, close: Any, wavenet: Any
) -> None:
    model = Nam().read(peers / "BossWN-feather.nam")
    file = exported(model, tmp_path)
    x, _ = soundfile.read(peers / "input_48k.wav", dtype="float32", start=20_000, frames=3000)
    close(wavenet.play(file, x), played(model.model, x))
    close(played(Nam().read(tmp_path / "out.nam").model, x), played(model.model, x))


def test_a_real_file_that_the_older_form_cannot_hold(peers: Path, tmp_path: Path) -> None:
    with pytest.raises(FxkitError, match=r"its head, layer 'conv_.*', has 16 taps"):
        exported(Nam().read(peers / "core_A2.nam"), tmp_path)
    assert not (tmp_path / "out.nam").exists()


@pytest.mark.parametrize(
    ("differently", "arrays"),
    [
        ({}, 1),
        ({"gated": True}, 1),
        ({"function": "relu"}, 1),
        ({"function": "sigmoid"}, 1),
        ({"biased": True}, 1),
        ({"gain": 3.0, "gated": True}, 1),
        ({"taps": (3, 3, 5, 5, 2)}, 3),
        ({"own_heads": True}, 3),
        ({"own_heads": True, "gated": True, "biased": True}, 3),
        ({"mixed": True, "biased": True}, 3),
        ({"width": 1, "taps": (2,)}, 1),
    ],
)
def test_what_others_build_is_written(
    differently: dict[str, Any], arrays: int, tmp_path: Path, noise: np.ndarray, played: Any,
    close: Any, wavenet: Any,
) -> None:  # fmt: skip
    model = built(**differently)
    file = exported(artifact(model), tmp_path)
    assert file["sample_rate"] == 44_100
    assert len(file["config"]["layers"]) == arrays
    close(wavenet.play(file, noise), played(model, noise, silence=wavenet.PREWARM))


@pytest.mark.parametrize(
    ("differently", "why"),
    [
        ({"controls": 1}, "no knobs"),
        ({"dry": True}, "no dry path, this model has one at a gain of 1"),
        ({"function": "gelu"}, "'activation_0', gelu, is not an activation"),
        ({"no_residual": True}, "is not the sum of what the one before it heard"),
        ({"head_function": "tanh"}, "'activation_3' does not hear one dilated convolution"),
        ({"delay": 5}, "a layer 'delay_0'"),
        ({"late_input": True}, "a layer 'delay_0'"),
    ],
)
def test_what_the_file_cannot_hold_is_refused(
    differently: dict[str, Any], why: str, tmp_path: Path
) -> None:
    controls = differently.get("controls", 0)
    with pytest.raises(FxkitError, match=why) as caught:
        exported(artifact(built(**differently), controls), tmp_path)
    assert "\n" not in str(caught.value)
    assert "train" in str(caught.value)
    assert not (tmp_path / "out.nam").exists()
