"""ONNX: every layer of a graph, played in onnxruntime with the state carried between blocks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fxkit.artifact import Artifact
from fxkit.errors import FxkitError
from fxkit.formats.nam import Nam
from fxkit.formats.onnx import Onnx
from fxkit.testing import FormatLaws
from fxkit_models.gru import GRU
from fxkit_models.lstm import LSTM
from fxkit_models.nn_gru import NNGRU

pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")


def player(
    path: Path, x: np.ndarray, knobs: tuple[float, ...], blocks: tuple[int, ...]
) -> np.ndarray:
    """Play a file in onnxruntime as its docs say, with nothing of fxkit."""
    import json

    session = runtime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    start = json.loads(metadata["initial"])
    feeds: dict[str, np.ndarray] = {}
    for value in session.get_inputs():
        if value.name not in ("x", "controls"):
            one = np.array(start.get(value.name, np.zeros(value.shape[1:])), np.float32)
            feeds[value.name] = one[None]
    if knobs:
        feeds["controls"] = np.array([knobs], np.float32)
    names = [value.name for value in session.get_outputs()]
    place, parts, i = 0, [], 0
    while place < len(x):
        stop = place + blocks[i % len(blocks)]
        made = dict(zip(names, session.run(names, {**feeds, "x": x[None, None, place:stop]}),
                        strict=True))  # fmt: skip
        parts.append(made.pop("y")[0, 0])
        feeds |= {name.removesuffix(".next"): value for name, value in made.items()}
        place, i = stop, i + 1
    return np.concatenate(parts)


class TestLaws(FormatLaws):
    @pytest.fixture
    def format(self) -> Onnx:
        return Onnx()

    @pytest.fixture
    def artifact(self, trained: Callable[..., Artifact]) -> Artifact:
        return trained(NNGRU, hidden=4, taps=5, channels=3)


@pytest.mark.parametrize("cls", [GRU, LSTM, NNGRU])
@pytest.mark.parametrize("knobs", [(), (0.25, 0.5)])
def test_models_play_the_same_in_blocks_of_any_size(
    cls: Any, knobs: tuple[float, ...], tmp_path: Path, noise: np.ndarray, trained: Any,
    played: Any, close: Any,
) -> None:  # fmt: skip
    artifact = trained(cls, hidden=6, layers=2, controls=len(knobs))
    path = tmp_path / "model.onnx"
    Onnx().write(artifact, path)
    wanted = played(artifact.model, noise, knobs)
    close(player(path, noise, knobs, (1, 7, 64, 512, 333)), wanted)


def test_every_layer(every_layer: Artifact, tmp_path: Path, noise: np.ndarray, played: Any,
                     close: Any) -> None:  # fmt: skip
    path = tmp_path / "all.onnx"
    Onnx().write(every_layer, path)
    session = runtime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    assert metadata["block_multiple"] == "40"  # a frame in 4, started afresh every 10 frames
    assert metadata["sample_rate"] == "44100"
    wanted = played(every_layer.model, noise[:1480], (0.2, 0.7))
    close(player(path, noise[:1480], (0.2, 0.7), (40, 120, 400)), wanted)


def test_a_real_wavenet_and_its_state_at_the_start(
    peers: Path, tmp_path: Path, noise: np.ndarray, played: Any, close: Any
) -> None:
    x = 0.2 * noise
    for name in ("BossLSTM-1x16", "BossWN-feather"):
        artifact = Nam().read(peers / f"{name}.nam")
        path = tmp_path / f"{name}.onnx"
        Onnx().write(artifact, path)
        wanted = played(artifact.model, x)
        # A high-gain LSTM makes more of onnxruntime's approximate tanh than the others do.
        assert np.abs(player(path, x, (), (100, 9)) - wanted).max() < 1e-4 * np.abs(wanted).max()


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_a_missing_package_is_one_line(
    package: str, tmp_path: Path, trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(FxkitError, match=rf"package {package}: pip install 'fxkit\[onnx\]'"):
        Onnx().write(trained(LSTM, hidden=3), tmp_path / "a.onnx")
