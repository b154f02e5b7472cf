"""AIDA-X's files, against a player of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from fxkit.artifact import Artifact
from fxkit.errors import FxkitError
from fxkit.formats.aidax import AidaX
from fxkit.testing import FormatLaws
from fxkit_models.gru import GRU
from fxkit_models.lstm import LSTM


def sigmoid(v: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-v))


def player(file: dict[str, Any], x: np.ndarray, knobs: tuple[float, ...] = ()) -> np.ndarray:
    """Play a file as RTNeural does: rows are inputs, gates i, f, g, o or z, r, n; in 64 bits."""
    recurrent, dense = file["layers"]
    w, u, b = (np.array(part) for part in recurrent["weights"])
    head, bias = (np.array(part) for part in dense["weights"])
    before, after = (10 ** (file.get(key, 0.0) / 20) for key in ("in_gain", "out_gain"))
    h = c = np.zeros(recurrent["shape"][-1])
    y = np.empty(len(x))
    for t, sample in enumerate(x * before):
        inputs = np.array([sample, *knobs])
        if recurrent["type"] == "lstm":
            i, f, g, o = np.split(inputs @ w + h @ u + b, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        else:
            (wz, wr, wn), (uz, ur, un) = (np.split(v, 3) for v in (inputs @ w + b[0], h @ u + b[1]))
            z, r = sigmoid(wz + uz), sigmoid(wr + ur)
            h = (1 - z) * np.tanh(wn + r * un) + z * h
        y[t] = (h @ head[:, 0] + bias[0] + file.get("in_skip", 0) * sample) * after
    return y


def capture(kind: str = "gru", inputs: int = 1) -> dict[str, Any]:
    rng = np.random.default_rng(2)
    rows = 5 * (3 if kind == "gru" else 4)
    bias = (2, rows) if kind == "gru" else (rows,)
    return {
        "in_shape": [None, None, inputs],
        "in_skip": 1,
        "in_gain": 3.0,
        "out_gain": -2.5,
        "layers": [
            {"type": kind, "activation": "", "shape": [None, None, 5],
             "weights": [rng.normal(size=s).tolist() for s in ((inputs, rows), (5, rows), bias)]},
            {"type": "dense", "activation": "", "shape": [None, None, 1],
             "weights": [rng.normal(size=(5, 1)).tolist(), [0.1]]},
        ],
        "metadata": {"name": "Test", "author": "Ann", "based": "JCM800", "license": "CC0",
                     "samplerate": 44100},
    }  # fmt: skip


def saved(file: Any, folder: Path) -> Path:
    path = folder / "a.aidax"
    path.write_text(json.dumps(file))
    return path


class TestLaws(FormatLaws):
    @pytest.fixture
    def format(self) -> AidaX:
        return AidaX()

    @pytest.fixture
    def artifact(self, trained: Callable[..., Artifact]) -> Artifact:
        return trained(GRU, hidden=8, dry=False)


def test_a_real_file_sounds_as_expected(peers: Path, played: Any, close: Any) -> None:
    name = "tw40_blues_deluxe_deerinkstudios.json"
    x, _ = soundfile.read(peers / "input_48k.wav", dtype="float32")
    wanted, _ = soundfile.read(peers / "expected" / f"{name}.wav", dtype="float32")
    artifact = AidaX().read(peers / name)
    close(played(artifact.model, x), wanted)
    manifest = artifact.manifest
    assert manifest.sample_rate == 48_000  # its samplerate is a text, which no player reads
    assert manifest.author == "deer ink studios"
    assert manifest.licence == "CC BY-NC-ND 4.0"
    assert manifest.gear == "Egnater Tweaker 40"


@pytest.mark.parametrize("kind", ["gru", "lstm"])
@pytest.mark.parametrize("inputs", [1, 3])
def test_plays_as_its_own_player(
    kind: str, inputs: int, tmp_path: Path, noise: np.ndarray, played: Any, close: Any
) -> None:
    file = capture(kind, inputs)
    artifact = AidaX().read(saved(file, tmp_path))
    knobs = (0.2, 0.9)[: inputs - 1]
    close(played(artifact.model, noise, knobs), player(file, noise, knobs))
    assert [c.default for c in artifact.manifest.controls] == [0.5] * (inputs - 1)
    assert artifact.manifest.sample_rate == 44_100


@pytest.mark.parametrize("cls", [GRU, LSTM])
@pytest.mark.parametrize(
    ("config", "skip"), [({"dry": False}, 0), ({"dry_gain": "fixed"}, 1)], ids=["plain", "skip"]
)
@pytest.mark.parametrize("controls", [0, 2])
def test_written_files_play_in_another_player(
    cls: Any, config: Any, skip: int, controls: int, tmp_path: Path, noise: np.ndarray,
    trained: Any, played: Any, close: Any,
) -> None:  # fmt: skip
    artifact = trained(cls, hidden=12, controls=controls, **config)
    path = tmp_path / "out.json"
    AidaX().write(artifact, path)
    file = json.loads(path.read_text())
    assert file["in_skip"] == skip
    assert file["samplerate"] == file["metadata"]["samplerate"] == 8000
    assert file["metadata"]["author"] == "Ann"
    knobs = (0.3, 0.8)[:controls]
    close(player(file, noise, knobs), played(artifact.model, noise, knobs))
    assert AidaX().sniff(path)
    if not controls:
        x, y = np.array(file["input_batch"]), np.array(file["output_batch"])
        assert len(x) == len(y) == 2048
        close(player(file, x), y)


@pytest.mark.parametrize(
    ("cls", "config", "controls", "why"),
    [
        (GRU, {"hidden": 8}, 0, "0.84.*model.dry=false or with model.dry_gain=fixed"),
        (GRU, {"hidden": 9, "dry": False}, 0, "9 units.*8, 12, 16"),
        (LSTM, {"hidden": 8, "dry": False, "layers": 2}, 0, "model.layers=1"),
        (LSTM, {"hidden": 8, "dry": False}, 3, "knobs"),
    ],
)
def test_what_its_players_do_not_compute_is_refused(
    cls: Any, config: Any, controls: int, why: str, tmp_path: Path, trained: Any
) -> None:
    with pytest.raises(FxkitError, match=why):
        AidaX().write(trained(cls, controls=controls, **config), tmp_path / "out.json")
    assert list(tmp_path.iterdir()) == []


def test_a_rate_that_some_players_ignore_is_said(trained: Any) -> None:
    assert "prefer models of 48000 Hz" in AidaX().caution(trained(GRU, hidden=8))
    assert AidaX().caution(trained(GRU, hidden=8, sample_rate=48_000)) == ""


def test_the_self_check_is_done(tmp_path: Path, noise: np.ndarray) -> None:
    file = capture()
    file["input_batch"] = noise.astype(float).tolist()
    file["output_batch"] = player(file, noise).tolist()
    AidaX().read(saved(file, tmp_path))
    file["layers"][0]["weights"][0][0][2] += 0.5
    with pytest.raises(FxkitError, match="self-check fails"):
        AidaX().read(saved(file, tmp_path))


def first(file: dict[str, Any]) -> dict[str, Any]:
    layer: dict[str, Any] = file["layers"][0]
    return layer


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda f: first(f).update(type="conv1d"), "layer 'conv1d'|layer conv1d"),
        (lambda f: first(f).update(activation="relu"), "activation 'relu'|activation relu"),
        (lambda f: first(f).update(shape=[None, None, 6]), "rows|numbers"),
        (lambda f: first(f).update(shape=[None, None, 10**9]), "shape"),
        (lambda f: first(f)["weights"].pop(), "has 2 parts, it must have 3"),
        (lambda f: first(f)["weights"][0].append([1.0]), "2 rows, it must have 1"),
        (lambda f: first(f)["weights"][1][2].pop(), "14 numbers, it must have 15"),
        (lambda f: f["layers"].append(f["layers"][1]), "known are an lstm or a gru"),
        (lambda f: f["layers"].reverse(), "known are an lstm or a gru"),
        (lambda f: f.update(layers={}), "layers"),
        (lambda f: f.update(in_shape=[None, None, 4]), "in_shape"),
        (lambda f: f.update(in_skip=2), "in_skip"),
        (lambda f: f.update(out_gain=1e6), "out_gain"),
        (lambda f: f["metadata"].update(samplerate=1), "samplerate"),
        (lambda f: f.update(input_batch=[1.0], output_batch=[]), "output_batch"),
    ],
)
def test_damage_is_one_line(
    damage: Callable[[dict[str, Any]], None], why: str, tmp_path: Path
) -> None:
    file = capture()
    damage(file)
    with pytest.raises(FxkitError, match=why) as caught:
        AidaX().read(saved(file, tmp_path))
    assert "\n" not in str(caught.value)
