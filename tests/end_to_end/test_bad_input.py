"""Bad input through the command line: one clear line, exit code 2, no traceback, nothing left."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import fxkit.pipeline
import numpy as np
import pytest
import soundfile
from fxkit.cli import main

RATE = 8000
SECONDS = 12


def guitar(seconds: float = SECONDS, seed: int = 0) -> np.ndarray:
    """Return decaying noise bursts, which no check mistakes for a fault."""
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).standard_normal(len(time))
    return (0.1 * noise * np.exp(-4.0 * (time % 0.5))).astype(np.float32)


def write(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    soundfile.write(path, samples, rate, subtype="FLOAT")
    return path


@pytest.fixture
def pair(tmp_path, monkeypatch):
    """Write a good pair, clean.wav and wet.wav, into an empty working directory."""
    monkeypatch.chdir(tmp_path)
    clean = guitar()
    write(tmp_path / "clean.wav", clean)
    write(tmp_path / "wet.wav", np.tanh(3 * clean))
    return tmp_path


QUICK = (
    *("model.hidden=2", "train.minutes=0", "train.epochs=1", "train.window=256"),
    *("train.warm_up=64", "train.batch=4", "data.align=off", "run.device=cpu", "train.threads=1"),
)


def run(*arguments: str, data: bool = True) -> int:
    files = ("data.clean=clean.wav", "data.wet=wet.wav") if data else ()
    return main(["run", "--json", *QUICK, *files, *arguments])


def refused(capsys, folder: Path, code: int, *parts: str, before: set[str]) -> None:
    """Check the exit code, the one line, and that the folder is as it was."""
    captured = capsys.readouterr()
    assert code == 2, captured.err
    assert captured.out == ""
    lines = [line for line in captured.err.splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1, captured.err
    assert lines[0].startswith("fxkit: ")
    for part in parts:
        assert part in lines[0], lines[0]
    assert "Traceback" not in captured.err
    assert names(folder) == before


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def spoil_missing(folder):
    (folder / "wet.wav").unlink()


def spoil_folder(folder):
    (folder / "wet.wav").unlink()
    (folder / "wet.wav").mkdir()


def spoil_not_audio(folder):
    (folder / "wet.wav").write_text("a letter to a friend\n" * 50)


def spoil_empty(folder):
    (folder / "wet.wav").write_bytes(b"")


def spoil_no_samples(folder):
    write(folder / "wet.wav", np.zeros(0, np.float32))


def spoil_truncated(folder):
    whole = (folder / "wet.wav").read_bytes()
    (folder / "wet.wav").write_bytes(whole[: len(whole) // 2])


def spoil_silent(folder):
    write(folder / "wet.wav", np.zeros(SECONDS * RATE, np.float32))


def spoil_nan(folder):
    samples = guitar()
    samples[5 * RATE] = np.nan
    write(folder / "wet.wav", samples)


def spoil_inf(folder):
    samples = guitar()
    samples[7 * RATE] = -np.inf
    write(folder / "clean.wav", samples)


def spoil_length(folder):
    write(folder / "wet.wav", guitar(SECONDS + 2.5))


def spoil_rate(folder):
    # The same samples said to be at another rate: half as long.
    write(folder / "wet.wav", guitar(), 2 * RATE)


def spoil_short(folder):
    for name in ("clean.wav", "wet.wav"):
        write(folder / name, guitar(0.3))


def spoil_stereo(folder):
    write(folder / "wet.wav", np.stack([guitar(), guitar(seed=1)], axis=1))


@pytest.mark.parametrize(
    ("spoil", "parts"),
    [
        (spoil_missing, ["no such file", "wet.wav"]),
        (spoil_folder, ["wet.wav", "is a folder"]),
        (spoil_not_audio, ["wet.wav", "not an audio file"]),
        (spoil_empty, ["wet.wav", "empty"]),
        (spoil_no_samples, ["wet.wav", "no samples"]),
        (spoil_silent, ["wet.wav", "silent"]),
        (spoil_nan, ["wet.wav", "NaN", "second 5.000"]),
        (spoil_inf, ["clean.wav", "inf", "second 7.000"]),
        (spoil_length, ["wet.wav", "2.5", "longer"]),
        (spoil_rate, ["clean.wav", "6", "longer"]),
        (spoil_short, ["short"]),
        (spoil_stereo, ["wet.wav", "2 channels", "data.channel="]),
    ],
)
@pytest.mark.parametrize("task", ["distort", "clean"])
def test_bad_recordings(pair, capsys, spoil, parts, task):
    spoil(pair)
    before = names(pair)
    code = run(f"task={task}")
    refused(capsys, pair, code, *parts, before=before)


def test_a_truncated_recording_is_refused_or_said_to_be_shorter(pair, capsys):
    spoil_truncated(pair)
    before = names(pair)
    refused(capsys, pair, run(), "wav", before=before)


@pytest.mark.parametrize(
    ("argument", "parts"),
    [
        ("model=gruu", ["no model 'gruu'", "did you mean gru"]),
        ("loss=esrr", ["no loss 'esrr'", "did you mean esr"]),
        ("task=distrot", ["no task 'distrot'", "did you mean distort"]),
        ("model.hiddn=3", ["no setting 'model.hiddn'", "did you mean model.hidden"]),
        ("train.lr=quick", ["train.lr=quick", "needs a number"]),
        ("run.device=gpu9", ["run.device=gpu9"]),
        ("data.path=here", ["not both"]),
        ("recipe=nowhere", ["no recipe 'nowhere'"]),
    ],
)
def test_bad_settings(pair, capsys, argument, parts):
    before = names(pair)
    refused(capsys, pair, run(argument), *parts, before=before)


def test_a_channel_that_is_not_there(pair, capsys):
    spoil_stereo(pair)
    before = names(pair)
    refused(capsys, pair, run("data.channel=4"), "wet.wav", "has no channel 4", before=before)


def test_a_run_directory_that_exists(pair, capsys):
    (pair / "mine").mkdir()
    (pair / "mine" / "keep.txt").write_text("precious")
    before = names(pair)
    refused(capsys, pair, run("run.dir=mine"), "run.dir=mine", "exists already", before=before)


def test_a_run_directory_below_a_file(pair, capsys):
    before = names(pair)
    refused(capsys, pair, run("run.dir=wet.wav/run"), "wet.wav", before=before)


as_user = pytest.mark.skipif(
    not hasattr(os, "geteuid") or (os.geteuid() == 0 and not Path("/usr/bin/setpriv").exists()),
    reason="root may do everything, and there is no setpriv to become somebody else",
)


def as_nobody(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run fxkit without root's right to ignore permissions."""
    command = [sys.executable, "-m", "fxkit", *arguments]
    if os.geteuid() == 0:
        capabilities = "-dac_override,-dac_read_search"
        command = ["/usr/bin/setpriv", f"--bounding-set={capabilities}", *command]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=200, check=False
    )


@as_user
@pytest.mark.parametrize("what", ["read", "write"])
def test_no_permission(pair, what):
    locked = pair / "locked"
    locked.mkdir()
    arguments = [*QUICK, "data.clean=clean.wav", "data.wet=wet.wav"]
    if what == "read":
        (pair / "wet.wav").chmod(0)
    else:
        locked.chmod(0o555)
        arguments.append("run.dir=locked/run")
    before = names(pair)
    try:
        done = as_nobody(pair, "run", "--json", *arguments)
    finally:
        locked.chmod(0o755)
        (pair / "wet.wav").chmod(0o644)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1, done.stderr
    assert "ermission" in lines[0]
    assert ("wet.wav" if what == "read" else "locked") in lines[0]
    assert names(pair) == before


@pytest.mark.parametrize("name", ["settings.yaml", "last.safetensors", "best.safetensors"])
def test_a_disk_that_fills_up_at_the_start_leaves_nothing(pair, capsys, monkeypatch, name):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    replace = os.replace

    def failing(source, destination, **options):
        if Path(destination).name == name:
            raise full
        replace(source, destination, **options)

    monkeypatch.setattr(os, "replace", failing)
    before = names(pair)
    code = run("run.dir=full")
    monkeypatch.undo()
    captured = capsys.readouterr()
    assert code == 2, captured.err
    assert captured.out == ""
    lines = [line for line in captured.err.splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1, captured.err
    assert "No space left" in lines[0]
    left = names(pair) - before
    assert not [item for item in left if item.endswith((".part", ".tmp"))]
    # A checkpoint that is complete may stay, to go on from; a folder without one may not.
    assert not left or any(item.endswith(".safetensors") for item in left)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_standard_output_on_a_full_disk(pair, unbuffered):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "fxkit", "version"],
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_loss_that_is_not_finite_is_one_line_and_exit_code_1(pair, capsys, monkeypatch):
    from fxkit.train import DivergedError

    def diverge(*args, **kwargs):
        raise DivergedError("the loss is no longer finite; lower train.lr")

    monkeypatch.setattr(fxkit.pipeline, "train", diverge)
    before = names(pair)
    assert run("run.dir=gone") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "fxkit: the loss is no longer finite; lower train.lr" in captured.err.splitlines()
    assert names(pair) == before


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08" + b"\0" * 7 + b'{"a": 1}', None])
@pytest.mark.parametrize("command", ["info", "render", "evaluate", "bench"])
def test_bad_model_files(pair, capsys, command, content):
    model = pair / "model.fxkit"
    if content is not None:
        model.write_bytes(content)
    before = names(pair)
    arguments = {
        "info": ["info", "model.fxkit"],
        "render": ["render", "clean.wav", "out.wav", "--model", "model.fxkit"],
        "evaluate": ["evaluate", "model.fxkit"],
        "bench": ["bench", "model.fxkit"],
    }
    refused(capsys, pair, main(arguments[command]), "model.fxkit", before=before)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Save an untrained model: what is tested here is the way of bad input, not of good."""
    from fxkit.config import resolve
    from fxkit.manifest import Manifest
    from fxkit.registry import MODELS

    from fxkit import artifact

    config = resolve({"model.hidden": 2}).model_config
    path = tmp_path_factory.mktemp("model") / "model.fxkit"
    model = MODELS.get("gru")(config, sample_rate=RATE)
    artifact.save(path, model, Manifest(name="small", model="gru", task="distort"))
    return path


@pytest.mark.parametrize(
    ("source", "target", "parts"),
    [
        ("none.wav", "out.wav", ["no such file", "none.wav"]),
        (".", "out.wav", ["folder"]),
        ("text.wav", "out.wav", ["text.wav", "not an audio file"]),
        ("nan.wav", "out.wav", ["nan.wav", "NaN"]),
        ("clean.wav", "out.xyz", ["out.xyz", "must end in"]),
        ("clean.wav", "nowhere/out.wav", ["nowhere"]),
    ],
)
def test_bad_rendering(pair, capsys, trained, source, target, parts):
    (pair / "text.wav").write_text("a letter to a friend\n" * 50)
    write(pair / "nan.wav", np.full(9000, np.nan, np.float32))
    before = names(pair)
    code = main(["render", source, target, "--model", str(trained)])
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if line.startswith("fxkit: ")]
    assert code == 2, captured.err
    assert len(lines) == 1
    assert all(part in lines[0] for part in parts), lines[0]
    assert "Traceback" not in captured.err
    assert names(pair) == before


def test_an_unknown_knob(pair, capsys, trained):
    before = names(pair)
    code = main(["render", "clean.wav", "o.wav", "--model", str(trained), "--knob", "gain=0.5"])
    refused(capsys, pair, code, "no knob 'gain'", before=before)


def test_evaluating_at_another_setting_than_data(pair, capsys, trained):
    before = names(pair)
    code = main(["evaluate", str(trained), "train.lr=1"])
    refused(capsys, pair, code, "train.lr", "data.* only", before=before)


def test_a_wet_side_that_is_clipped_is_a_warning_with_its_share(pair, capsys):
    clean = np.repeat(guitar(SECONDS / 8), 8)[: SECONDS * RATE]
    write(pair / "clean.wav", clean)
    write(pair / "wet.wav", np.clip(20 * clean, -1.0, 1.0))
    code = run("run.dir=run")
    captured = capsys.readouterr()
    assert code == 0, captured.err
    [line] = [x for x in captured.err.splitlines() if "wet.wav" in x and "clip" in x]
    assert line.startswith("warning: ")
    assert "%" in line


def test_a_pair_that_differs_by_less_than_a_second_is_trimmed_with_a_warning(pair, capsys):
    write(pair / "wet.wav", guitar(SECONDS + 0.5))
    code = run("run.dir=run")
    captured = capsys.readouterr()
    assert code == 0, captured.err
    assert any("0.5" in line and "longer" in line for line in captured.err.splitlines())
