"""One small run through every command, as a script would call them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
from fxkit.cli import main

import fxkit

RATE = 8000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write a pair and train a tiny model on it; return the folder, with the run in ``run``."""
    path = tmp_path_factory.mktemp("commands")
    seconds = np.arange(12 * RATE) / RATE
    noise = np.random.default_rng(0).standard_normal(len(seconds))
    clean = (0.1 * noise * np.exp(-4.0 * (seconds % 0.5))).astype(np.float32)
    soundfile.write(path / "clean.wav", clean, RATE, subtype="FLOAT")
    soundfile.write(path / "wet.wav", np.tanh(3 * clean), RATE, subtype="FLOAT")
    settings = path / "settings.yaml"
    settings.write_text(
        "model: gru\nmodel.hidden: 2\ntrain: {minutes: 0, epochs: 2, window: 256, batch: 4}\n"
        "train.warm_up: 64\ndata.align: off\nrun.device: cpu\ntrain.lr: 1e-2\n"
    )
    code = main(
        [
            *("run", "task=distort", "--config", str(settings), "--json"),
            *(f"data.clean={path / 'clean.wav'}", f"data.wet={path / 'wet.wav'}"),
            *(f"run.dir={path / 'run'}", "run.name=Tiny"),
        ]
    )
    assert code == 0
    return path


def document(capsys, *argv: object):
    """Run a command with --json and return its one document."""
    capsys.readouterr()
    assert main([*map(str, argv), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_run_left_what_it_promises(folder):
    names = {path.name for path in (folder / "run").iterdir()}
    kept = {"settings.yaml", "model.fxkit", "report.html", "scores.json", "history.json"}
    assert kept <= names
    assert not [name for name in names if name.endswith(".part")]
    assert len(json.loads((folder / "run" / "history.json").read_text())) == 2


def test_info_tells_the_name_and_the_settings(folder, capsys):
    manifest = document(capsys, "info", folder / "run")
    assert (manifest["name"], manifest["model"], manifest["task"]) == ("Tiny", "gru", "distort")
    assert manifest["config"]["hidden"] == 2
    assert main(["info", str(folder / "run")]) == 0
    assert "Tiny" in capsys.readouterr().out


def test_evaluate_finds_the_same_scores_again(folder, capsys):
    kept = json.loads((folder / "run" / "scores.json").read_text())
    again = document(capsys, "evaluate", folder / "run" / "model.fxkit")
    assert again["scores"]["esr"] == pytest.approx(kept["scores"]["esr"], rel=1e-4)
    assert again["baseline"]["esr"] == pytest.approx(kept["baseline"]["esr"], rel=1e-6)
    assert again["seconds"] == kept["seconds"]


def test_evaluate_all_scores_the_whole(folder, capsys):
    sides = (f"data.clean={folder / 'clean.wav'}", f"data.wet={folder / 'wet.wav'}")
    whole = document(capsys, "evaluate", folder / "run", *sides, "data.align=off", "--all")
    assert whole["seconds"] == pytest.approx(12.0)


def test_render_keeps_length_and_rate(folder, capsys):
    shown = document(
        capsys, "render", folder / "clean.wav", folder / "out.wav", "--model", folder / "run"
    )
    assert shown == {"output": str(folder / "out.wav")}
    out, rate = soundfile.read(folder / "out.wav", dtype="float32")
    clean, _ = soundfile.read(folder / "clean.wav", dtype="float32")
    assert (len(out), rate) == (len(clean), RATE)
    expected = fxkit.open(folder / "run").render(clean, RATE)
    np.testing.assert_allclose(out, expected, atol=1e-6)


def test_bench_measures_the_trained_model(folder, capsys):
    [measured] = document(capsys, "bench", folder / "run", "--blocks", "32", "--seconds", "0.05")
    assert (measured["block"], measured["sample_rate"]) == (32, RATE)


def test_resume_goes_on_with_more_epochs(folder, capsys):
    before = json.loads((folder / "run" / "history.json").read_text())
    result = document(capsys, "run", "--resume", folder / "run", "train.epochs=3")
    assert result["epochs"] == 3
    after = json.loads((folder / "run" / "history.json").read_text())
    assert [row["loss"] for row in after[:2]] == [row["loss"] for row in before]


def test_a_runs_settings_start_the_same_run_again(folder, capsys):
    """The same settings, in another folder, give the same numbers."""
    history = json.loads((folder / "run" / "history.json").read_text())
    result = document(
        capsys,
        *("run", "--config", folder / "run" / "settings.yaml", "train.epochs=2"),
        f"run.dir={folder / 'again'}",
    )
    again = json.loads((folder / "again" / "history.json").read_text())
    assert result["epochs"] == 2
    assert [row["loss"] for row in again] == [row["loss"] for row in history[:2]]


def test_check_passes_for_what_ships(capsys):
    shown = document(capsys, "check", "dc")
    assert shown["passed"]
    assert len(shown["laws"]) > 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_ctrl_c_keeps_the_best_model(folder):
    command = [sys.executable, "-m", "fxkit", "run", "--json"]
    command += ["--config", str(folder / "run" / "settings.yaml"), "train.epochs=100000"]
    command += [f"run.dir={folder / 'stopped'}"]
    best = folder / "stopped" / "checkpoints" / "best.safetensors"
    # What is started in the background of a shell ignores Ctrl-C, and so would its children.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        deadline = time.monotonic() + 120
        while not best.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=120)
        finally:
            process.kill()
    assert process.returncode == 130, err.decode()
    assert json.loads(out)["interrupted"] is True
    assert fxkit.info(folder / "stopped").name == "Tiny"
