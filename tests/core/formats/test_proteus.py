"""GuitarML's files, against a player of its own."""

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
from fxkit.formats.proteus import Proteus
from fxkit.testing import FormatLaws
from fxkit_models.gru import GRU
from fxkit_models.lstm import LSTM

RIGHT = {"hidden": 40, "dry_gain": "fixed"}


def sigmoid(v: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-v))


def player(file: dict[str, Any], x: np.ndarray, knobs: tuple[float, ...] = ()) -> np.ndarray:
    """Play an LSTM in PyTorch's layout and add the input, as Proteus always does; in 64 bits."""
    state = {name: np.array(value) for name, value in file["state_dict"].items()}
    h = c = np.zeros(file["model_data"]["hidden_size"])
    y = np.empty(len(x))
    for t, sample in enumerate(x):
        gates = state["rec.weight_ih_l0"] @ np.array([sample, *knobs]) + state["rec.bias_ih_l0"]
        gates = gates + state["rec.weight_hh_l0"] @ h + state["rec.bias_hh_l0"]
        i, f, g, o = np.split(gates, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        y[t] = state["lin.weight"][0] @ h + state["lin.bias"][0] + sample
    return y


def capture() -> dict[str, Any]:
    rng = np.random.default_rng(2)
    shapes = {"rec.weight_ih_l0": (12, 2), "rec.weight_hh_l0": (12, 3), "rec.bias_ih_l0": (12,),
              "rec.bias_hh_l0": (12,), "lin.weight": (1, 3), "lin.bias": (1,)}  # fmt: skip
    return {
        "model_data": {"model": "SimpleRNN", "input_size": 2, "skip": 1, "output_size": 1,
                       "unit_type": "LSTM", "num_layers": 1, "hidden_size": 3, "bias_fl": True},
        "state_dict": {name: rng.normal(size=shape).tolist() for name, shape in shapes.items()},
    }  # fmt: skip


def saved(file: Any, folder: Path) -> Path:
    path = folder / "a.json"
    path.write_text(json.dumps(file))
    return path


class TestLaws(FormatLaws):
    @pytest.fixture
    def format(self) -> Proteus:
        return Proteus()

    @pytest.fixture
    def artifact(self, trained: Callable[..., Artifact]) -> Artifact:
        return trained(LSTM, sample_rate=44_100, **RIGHT)


@pytest.mark.parametrize(("name", "knobs"), [("neuralpi_TS9", (0.5,)), ("wright_ht1", ())])
def test_real_files_sound_as_expected(
    name: str, knobs: tuple[float, ...], peers: Path, played: Any, close: Any
) -> None:
    x, _ = soundfile.read(peers / "input_48k.wav", dtype="float32")
    wanted, _ = soundfile.read(peers / "expected" / f"{name}.json.wav", dtype="float32")
    artifact = Proteus().read(peers / f"{name}.json")
    assert tuple(c.default for c in artifact.manifest.controls) == knobs
    assert artifact.manifest.name == name
    close(played(artifact.model, x, knobs), wanted)


def test_plays_as_its_own_player(
    tmp_path: Path, noise: np.ndarray, played: Any, close: Any
) -> None:
    file = capture()
    artifact = Proteus().read(saved(file, tmp_path))
    close(played(artifact.model, noise, (0.8,)), player(file, noise, (0.8,)))
    assert artifact.model.sample_rate == 44_100
    other = Proteus(Proteus.Config(sample_rate=48_000)).read(tmp_path / "a.json")
    assert other.manifest.sample_rate == 48_000


@pytest.mark.parametrize("controls", [0, 1])
def test_written_files_play_in_another_player(
    controls: int, tmp_path: Path, noise: np.ndarray, trained: Any, played: Any, close: Any
) -> None:
    artifact = trained(LSTM, sample_rate=44_100, controls=controls, **RIGHT)
    path = tmp_path / "out.json"
    Proteus().write(artifact, path)
    file = json.loads(path.read_text())
    knobs = (0.3,)[:controls]
    close(player(file, noise, knobs), played(artifact.model, noise, knobs))


@pytest.mark.parametrize(
    ("cls", "config", "rate", "settings"),
    [
        (LSTM, {"hidden": 40}, 44_100, "with model.dry=true model.dry_gain=fixed$"),
        (LSTM, RIGHT, 48_000, "with data.sample_rate=44100$"),
        (LSTM, {**RIGHT, "hidden": 20}, 44_100, "with model.hidden=40$"),
        (LSTM, {**RIGHT, "layers": 2}, 44_100, "with model.layers=1$"),
        (
            GRU,
            {"hidden": 8},
            44_100,
            "with model=lstm model.hidden=40 model.dry=true model.dry_gai",
        ),
    ],
)
def test_what_proteus_does_not_compute_is_refused(
    cls: Any, config: Any, rate: int, settings: str, tmp_path: Path, trained: Any
) -> None:
    with pytest.raises(FxkitError, match=settings):
        Proteus().write(trained(cls, sample_rate=rate, **config), tmp_path / "out.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda f: f["model_data"].update(unit_type="RNN"), "unit_type 'RNN'|unit_type RNN"),
        (lambda f: f["model_data"].update(model="WaveNet"), "WaveNet"),
        (lambda f: f["model_data"].update(hidden_size=4), "rows"),
        (lambda f: f["model_data"].update(hidden_size=10**12), "hidden_size"),
        (lambda f: f["model_data"].update(num_layers=2), "rec.bias_hh_l1 is missing"),
        (lambda f: f["model_data"].update(skip=2), "skip"),
        (lambda f: f["model_data"].update(bias_fl=False), "lin.bias has no place"),
        (lambda f: f["state_dict"].update(extra=[1]), "extra has no place"),
        (lambda f: f["state_dict"].pop("lin.weight"), "lin.weight is missing"),
        (lambda f: f["state_dict"]["rec.bias_ih_l0"].append(1.0), "13 numbers, it must have 12"),
        (lambda f: f["state_dict"].update({"lin.weight": None}), "lin.weight"),
        (lambda f: f.update(state_dict=[]), "state_dict"),
    ],
)
def test_damage_is_one_line(
    damage: Callable[[dict[str, Any]], None], why: str, tmp_path: Path
) -> None:
    file = capture()
    damage(file)
    with pytest.raises(FxkitError, match=why) as caught:
        Proteus().read(saved(file, tmp_path))
    assert "\n" not in str(caught.value)
