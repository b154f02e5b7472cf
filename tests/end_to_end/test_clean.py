"""The clean task from recordings to report, and on to a set that only distorted ones go into."""

import json
import re

import numpy as np
import pytest
import soundfile
from fxkit.cli.main import main

RATE = 8000
TINY = [
    "model.channels=4",
    "model.time_depth=2",
    "model.freq_depth=1",
    "model.n_fft=128",
    "model.hop_length=32",
    "model.width=8",
    "model.gru_layers=1",
    "model.transformer_layers=1",
    "model.window=0.3",
    "train.crop=0.6",
    "train.epochs=2",
    "train.minutes=0",
]


def plucks(seconds, seed):
    """Return decaying tones, picked anew every 300 ms."""
    random = np.random.default_rng(seed)
    t = np.arange(round(0.3 * RATE)) / RATE
    notes = [
        sum(np.sin(2 * np.pi * f * h * t) / h for h in (1, 2, 3)) * np.exp(-6 * t)
        for f in random.choice([82.4, 110.0, 146.8, 196.0, 246.9], round(seconds / 0.3))
    ]
    return (0.3 * np.concatenate(notes)).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clean")
    dry = plucks(12, 0)
    soundfile.write(folder / "clean.wav", dry, RATE)
    soundfile.write(folder / "wet.wav", np.tanh(6 * dry) * 0.7, RATE)
    soundfile.write(folder / "riff.wav", np.tanh(6 * plucks(6, 1)) * 0.7, RATE)
    code = main(["run", "task=clean", "model=demucs", f"data={folder}", *TINY,
                 f"run.dir={folder / 'cleaner'}"])  # fmt: skip
    assert code == 0
    return folder


def test_demucs_trains_scores_and_reports(folder):
    scores = json.loads((folder / "cleaner" / "scores.json").read_text())
    assert np.isfinite(scores["scores"]["si_sdr"])
    page = (folder / "cleaner" / "report.html").read_text()
    for section in ("cleaned", "overtones", "listen", "realtime"):
        assert f'id="{section}"' in page
    settings = (folder / "cleaner" / "settings.yaml").read_text()
    # Its own defaults, written down.
    assert "train.ema: 0.995" in settings
    assert "train.batch: 2" in settings


def test_a_model_of_the_amplifier_makes_pairs_to_learn_from(folder, capsys):
    amplifier, cleaner = folder / "amplifier", folder / "amplified"
    short = ["train.epochs=1", "train.minutes=0", f"data={folder}"]
    code = main(["run", "task=distort", "model.hidden=4", "train.batch=8", *short,
                 f"run.dir={amplifier}"])  # fmt: skip
    assert code == 0
    again = [*TINY, *short, "task=clean", "model=demucs", f"task.amplifier={amplifier}"]
    assert main(["run", *again, f"run.dir={cleaner}"]) == 0
    assert f"task.amplifier: {amplifier}" in (cleaner / "settings.yaml").read_text()
    # One epoch of four units sounds like nothing yet.
    assert "task.amplifier does not sound like the recordings" in capsys.readouterr().err
    assert main(["info", str(cleaner), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    [found] = [line for line in told["training"]["findings"] if "new pairs" in line]
    assert re.search(r"\(gru\), SHA-256 [0-9a-f]{64}; its ESR on the training part: ", found)
    assert "new pairs are made by" in (cleaner / "report.html").read_text()
    assert main(["run", *again[:-1], f"task.amplifier={cleaner}"]) == 2
    assert "a model for task=clean; needed is one of task=distort" in capsys.readouterr().err


def test_the_file_says_why_it_has_no_graph(folder, capsys):
    assert main(["info", str(folder / "cleaner"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert "it works on windows of" in json.dumps(told)
    assert told["latency"] > 0


def test_it_renders_any_length_in_time_with_the_input(folder):
    for frames in (1, 700, 3 * RATE + 17):
        x = plucks(6, 2)[:frames]
        soundfile.write(folder / "in.wav", x, RATE)
        assert main(["render", str(folder / "in.wav"), str(folder / "out.wav"),
                     "--model", str(folder / "cleaner")]) == 0  # fmt: skip
        y, _ = soundfile.read(folder / "out.wav", dtype="float32")
        assert len(y) == frames
    # Two epochs leave it close to its input; what matters is that the two are in step.
    lags = np.correlate(y, x, "full")
    assert abs(int(np.abs(lags).argmax()) - (len(x) - 1)) <= 1


def test_bootstrapping_learns_the_amp_from_distorted_recordings(folder, capsys):
    (folder / "true").mkdir()
    for side in ("clean", "wet"):
        x, _ = soundfile.read(folder / f"{side}.wav", dtype="float32")
        soundfile.write(folder / "true" / f"{side}.wav", x, RATE)
    assert main(["bootstrap", str(folder / "riff.wav"), "--model", str(folder / "cleaner"),
                 "--out", str(folder / "set"), "--true", str(folder / "true")]) == 0  # fmt: skip
    small = ["task=distort", "model=gru", "model.hidden=2", "train.epochs=1", "train.minutes=0",
             "train.batch=4", "train.window=256"]  # fmt: skip
    assert main(["run", *small, f"data={folder / 'true'}", f"run.dir={folder / 'on-true'}"]) == 0
    assert main(["run", *small, f"data={folder / 'set'}", f"run.dir={folder / 'on-set'}",
                 f"run.reference={folder / 'on-true'}"]) == 0  # fmt: skip
    page = (folder / "on-set" / "report.html").read_text()
    assert "a side that another model had estimated" in page
    assert "Beside on-true (gru, trained on true)" in page
    capsys.readouterr()


def test_bootstrapping_with_the_wrong_model_is_one_line(folder, capsys):
    (folder / "set-2").mkdir()
    code = main(["bootstrap", str(folder / "riff.wav"), "--model", str(folder / "cleaner"),
                 "--out", str(folder / "set-2")])  # fmt: skip
    assert code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "set-2 exists already" in line
