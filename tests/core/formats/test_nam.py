"""The .nam file as a container, and its LSTM, against a player of its own."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from fxkit.artifact import Artifact
from fxkit.errors import FxkitError
from fxkit.formats import proof
from fxkit.formats.nam import Nam
from fxkit.testing import FormatLaws
from fxkit_models.gru import GRU
from fxkit_models.lstm import LSTM


def sigmoid(v: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-v))


def lstm_player(file: dict[str, Any], x: np.ndarray) -> np.ndarray:
    """Play a .nam LSTM as its own player does, in 64 bits, sample by sample."""
    hidden, count = file["config"]["hidden_size"], file["config"]["num_layers"]
    weights, place, cells = np.array(file["weights"]), 0, []
    for i in range(count):
        n = 1 if i == 0 else hidden
        parts = []
        for size in (4 * hidden * (n + hidden), 4 * hidden, hidden, hidden):
            parts.append(weights[place : place + size])
            place += size
        cells.append([parts[0].reshape(4 * hidden, n + hidden), *parts[1:]])
    head, bias = weights[place : place + hidden], weights[place + hidden]
    assert place + hidden + 1 == len(weights)
    y = np.empty(len(x))
    for t, sample in enumerate(x):
        signal = np.array([sample], float)
        for cell in cells:
            matrix, offset, h, c = cell
            i, f, g, o = np.split(matrix @ np.concatenate((signal, h)) + offset, 4)
            cell[3] = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            cell[2] = signal = sigmoid(o) * np.tanh(cell[3])
        y[t] = head @ signal + bias
    return y


def capture(hidden: int = 3, layers: int = 2, seed: int = 1) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    count = sum(
        4 * hidden * (n + hidden) + 6 * hidden for n in [1] + [hidden] * (layers - 1)
    ) + hidden + 1  # fmt: skip
    return {
        "version": "0.5.4",
        "metadata": {"name": "Test", "gear_make": "Acme", "gear_model": "One", "modeled_by": "Ann",
                     "input_level_dbu": 18.3, "loudness": -20.5},
        "architecture": "LSTM",
        "config": {"input_size": 1, "hidden_size": hidden, "num_layers": layers},
        "weights": rng.normal(0, 0.8, count).astype(np.float32).astype(float).tolist(),
        "sample_rate": 44100,
    }  # fmt: skip


def saved(file: Any, folder: Path) -> Path:
    path = folder / "a.nam"
    path.write_text(file if isinstance(file, str) else json.dumps(file))
    return path


class TestLaws(FormatLaws):
    @pytest.fixture
    def format(self) -> Nam:
        return Nam()

    @pytest.fixture
    def artifact(self, trained: Callable[..., Artifact]) -> Artifact:
        return trained(LSTM, hidden=4, dry=False)


@pytest.mark.parametrize("name", ["BossLSTM-1x16", "core_lstm", "BossWN-feather"])
def test_real_files_sound_as_expected(name: str, peers: Path, played: Any, close: Any) -> None:
    x, _ = soundfile.read(peers / "input_48k.wav", dtype="float32")
    wanted, _ = soundfile.read(peers / "expected" / f"{name}.nam.wav", dtype="float32")
    artifact = Nam().read(peers / f"{name}.nam")
    assert artifact.manifest.sample_rate == 48_000
    close(played(artifact.model, x), wanted)


def test_lstm_plays_as_its_own_player(
    tmp_path: Path, noise: np.ndarray, played: Any, close: Any
) -> None:
    file = capture()
    artifact = Nam().read(saved(file, tmp_path))
    close(played(artifact.model, noise), lstm_player(file, noise))
    manifest = artifact.manifest
    assert (manifest.name, manifest.author, manifest.gear) == ("Test", "Ann", "Acme One")
    assert manifest.sample_rate == 44_100
    assert manifest.input is not None
    assert manifest.input.dbu == 18.3
    assert manifest.training["imported"]["metadata"]["loudness"] == -20.5


@pytest.mark.parametrize("layers", [1, 2])
def test_written_files_play_in_another_player(
    layers: int, tmp_path: Path, noise: np.ndarray, trained: Any, played: Any, close: Any
) -> None:
    artifact = trained(LSTM, hidden=5, layers=layers, dry=False)
    path = tmp_path / "out.nam"
    Nam().write(artifact, path)
    file = json.loads(path.read_text())
    assert file["version"] == "0.5.4"
    assert file["sample_rate"] == 8000
    assert file["metadata"]["name"] == "Bright"
    assert file["metadata"]["modeled_by"] == "Ann"
    assert file["metadata"]["gear_model"] == "JCM800"
    close(lstm_player(file, noise), played(artifact.model, noise, silence=3000))


def test_what_was_imported_is_written_again(tmp_path: Path) -> None:
    file = capture(layers=1)
    back = tmp_path / "back.nam"
    Nam().write(Nam().read(saved(file, tmp_path)), back)
    again = json.loads(back.read_text())
    assert again["metadata"]["loudness"] == -20.5
    assert again["metadata"]["input_level_dbu"] == 18.3
    # The state at the start is the settled one, the rest is the same number for number.
    state = slice(4 * 3 * 4 + 12, 4 * 3 * 4 + 12 + 6)
    for key in (slice(0, state.start), slice(state.stop, None)):
        np.testing.assert_array_equal(again["weights"][key], file["weights"][key])


@pytest.mark.parametrize(
    ("cls", "config", "controls", "why"),
    [
        (GRU, {"hidden": 4}, 0, "no GRU: train with model=lstm"),
        (LSTM, {"hidden": 4}, 0, "dry path.*0.84.*model.dry=false"),
        (LSTM, {"hidden": 4, "dry": False}, 1, "no knobs"),
    ],
)
def test_what_its_players_do_not_compute_is_refused(
    cls: Any, config: Any, controls: int, why: str, tmp_path: Path, trained: Any
) -> None:
    artifact = trained(cls, controls=controls, **config)
    with pytest.raises(FxkitError, match=why):
        Nam().write(artifact, tmp_path / "out.nam")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_the_model_is_not_handed_out(
    tmp_path: Path, trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fxkit.formats import nam_lstm

    right = nam_lstm.write

    def wrong(net: Any) -> Any:
        config, weights = right(net)
        return config, [weights[0] + 0.01, *weights[1:]]

    monkeypatch.setattr(nam_lstm, "write", wrong)
    with pytest.raises(FxkitError, match="is not written: as a"):
        Nam().write(trained(LSTM, hidden=4, dry=False), tmp_path / "out.nam")
    assert list(tmp_path.iterdir()) == []


def test_difference_sees_a_difference(trained: Any) -> None:
    a, b = trained(LSTM, hidden=4).model, trained(LSTM, hidden=4).model
    assert proof.difference(a, b) < 1e-6
    b.output_gain.mul_(1.001)
    assert 0.9e-3 < proof.difference(a, b) < 1.1e-3


def change(*keys: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def apply(file: dict[str, Any]) -> None:
        inside: Any = file
        for key in keys[:-1]:
            inside = inside[key]
        if value is KeyError:
            del inside[keys[-1]]
        else:
            inside[keys[-1]] = value

    return apply


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (change("version", value="0.4.0"), "version 0.4.0"),
        (change("version", value="0.8.0"), "version 0.8.0"),
        (change("version", value="abc"), "version is 'abc'"),
        (change("version", value=7), "version is 7"),
        (change("architecture", value="ConvNet"), "architecture 'ConvNet'"),
        (change("architecture", value=None), "architecture is missing"),
        (
            change("config", "hidden_size", value=4),
            "weights has 160 numbers, an LSTM of 2 x 4 has 261",
        ),
        (change("config", "hidden_size", value=10**9), "hidden_size"),
        (change("config", "hidden_size", value=True), "hidden_size"),
        (change("config", "num_layers", value=0), "num_layers"),
        (change("config", "num_layers", value=KeyError), "num_layers is missing"),
        (change("config", "input_size", value=2), "input_size"),
        (change("config", value=[]), "config is a list of 0"),
        (change("weights", value=[]), "weights"),
        (change("weights", 3, value="1"), "weights must be a list of finite numbers"),
        (change("weights", 3, value=[1]), "weights must be a list of finite numbers"),
        (change("weights", 3, value=True), "weights must be a list of finite numbers"),
        (change("weights", 3, value=1e39), "32 bits cannot hold"),
        (change("weights", 3, value=10**400), "finite numbers"),
        (change("sample_rate", value=0.5), "sample_rate"),
        (change("sample_rate", value=10**9), "sample_rate"),
        (change("metadata", value="x"), "metadata"),
    ],
)
def test_damage_is_one_line(
    damage: Callable[[dict[str, Any]], None], why: str, tmp_path: Path
) -> None:
    file = copy.deepcopy(capture())
    damage(file)
    path = saved(file, tmp_path)
    with pytest.raises(FxkitError, match=why) as caught:
        Nam().read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 400


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[" * 100_000, "nested"),
        ('{"a":' * 100_000, "nested"),
        ('{"version": NaN}', "NaN"),
        ('{"version": "0.5.4", "architecture": "LSTM", "config": {}, "weights": [1e999]}', "1e999"),
        ("[1, 2]", "one object"),
        ("\x00\x01", "not a JSON"),
        ('{"version": "0.5', "not a JSON"),
        ("1" * 10_000, "not a JSON"),
        ("{}", "version is missing"),
    ],
)
def test_hostile_text_is_one_line(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(FxkitError, match=why) as caught:
        Nam().read(saved(text, tmp_path))
    assert "\n" not in str(caught.value)


def test_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(FxkitError, match="ordinary"):
        Nam().read(tmp_path)
    (tmp_path / "b.nam").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FxkitError, match="not text"):
        Nam().read(tmp_path / "b.nam")


def test_a_metadata_that_cannot_be_text_does_no_harm(tmp_path: Path) -> None:
    file = capture()
    file["metadata"]["name"] = "\ud800 odd"
    file["metadata"]["input_level_dbu"] = "loud"
    manifest = Nam().read(saved(json.dumps(file), tmp_path)).manifest
    manifest.name.encode()
    assert manifest.input is None
