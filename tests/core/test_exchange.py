"""Import and export: which format a file is of, the commands, and what is said when it fails."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from fxkit.artifact import save
from fxkit.cli import main
from fxkit.errors import FxkitError
from fxkit.manifest import Manifest
from fxkit_models.lstm import LSTM

import fxkit
from fxkit import exchange


@pytest.fixture
def model(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    lstm = LSTM(LSTM.Config(hidden=8, dry=False), sample_rate=8000)
    path = tmp_path / "model.fxkit"
    save(path, lstm, Manifest("Mine", "lstm", author="Ann"), probe_seconds=0.05)
    return path


def test_there_and_back_by_the_commands(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.random.default_rng(0).uniform(-0.5, 0.5, 9000).astype(np.float32)
    x[:8000] = 0  # the players start settled
    wanted = fxkit.open(model).render(x, 8000)[8000:]
    for name, file in (("nam", "model.nam"), ("aida-x", "model.json")):
        assert main(["export", str(model), "--to", name]) == 0
        out, err = capsys.readouterr()
        assert out == f"{tmp_path / file}\n"
        assert ("8000 Hz" in err) == (name == "aida-x")
        back = tmp_path / "back.fxkit"
        assert main(["import", str(tmp_path / file), "--out", str(back), "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["manifest"]["name"] == "Mine"
        assert document["manifest"]["author"] == "Ann"
        assert document["manifest"]["model"] == "graph"
        got = fxkit.open(back).render(x, 8000)[8000:]
        assert np.abs(got - wanted).max() < 1e-5 * np.abs(wanted).max()


def test_a_run_folder_is_exported_beside_its_model(model: Path, tmp_path: Path) -> None:
    made = fxkit.export(tmp_path, "nam")
    assert made.path == tmp_path / "model.nam"
    assert made.format == "nam"
    with pytest.raises(FxkitError, match="is the model itself"):
        fxkit.export(model, "fxkit")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["export", "{model}", "--to", "name"], "no format 'name'; did you mean nam"),
        (["export", "{model}", "--to", "proteus"], "model.hidden=40"),
        (["export", "{model}", "--to", "nam", "format.size=2"], "format.size"),
        (["export", "{model}", "--to", "nam", "hidden=2"], "hidden"),
        (["import", "none.nam", "--out", "a.fxkit"], "no such file"),
        (["import", "{text}", "--out", "a.fxkit"], "none of the files that can be read"),
        (["import", "{text}", "--out", "a.fxkit", "--format", "nam"], "not a JSON"),
        (["import", "{text}", "--out", "a.fxkit", "--format", "onnx"], "written but not read"),
    ],
)
def test_what_fails_is_one_line(
    arguments: list[str], why: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    text = tmp_path / "text.txt"
    text.write_text("hello")
    names = {"model": model, "text": text}
    assert main([argument.format(**names) for argument in arguments]) == 2
    error = capsys.readouterr().err
    assert why in error
    assert error.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.fxkit", "text.txt"]


def test_a_file_of_two_formats_needs_a_name(tmp_path: Path) -> None:
    path = tmp_path / "both.json"
    keys = ("in_shape", "layers", "model_data", "state_dict")
    path.write_text(json.dumps(dict.fromkeys(keys, 1)))
    with pytest.raises(FxkitError, match="aida-x or proteus: say which with --format"):
        exchange.recognise(path)
