"""Several processes train one model: the numbers of one process, one message when one fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest

import fxkit

TRAIN = {
    "data.clean": "clean.wav",
    "data.wet": "wet.wav",
    "data.align": "off",
    "run.device": "cpu",
    "run.seed": "3",
    "model.hidden": "3",
    "loss": "esr+0.1*mrstft+0.1*dc",
    "loss.esr.pre_emphasis": "0.85",
    "train.minutes": "0",
    "train.epochs": "2",
    "train.batch": "6",
    "train.window": "512",
    "train.warm_up": "64",
    "train.threads": "1",
}


def torchrun(folder, *command, timeout=240):
    """Run a command in two processes, as a user would."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        # Not by its own name, which a machine without a network cannot look up.
        [
            *launch,
            "--local-addr=127.0.0.1",
            "--rdzv-backend=c10d",
            "--rdzv-endpoint=localhost:0",
            *command,
        ],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def arguments(**changes):
    settings = {**TRAIN, **{key.replace("_", ".", 1): value for key, value in changes.items()}}
    return [f"{key}={value}" for key, value in settings.items()]


def test_two_processes_give_the_numbers_of_one(pair):
    alone = fxkit.run(**TRAIN, **{"run.dir": "alone"})
    done = torchrun(pair, "-m", "fxkit", "run", "--json", *arguments(run_dir="both"))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)  # one document: only the first process writes
    both = json.loads((pair / "both" / "history.json").read_text())
    assert [e["loss"] for e in both] == pytest.approx([e.loss for e in alone.history], rel=1e-4)
    assert [e["validation_loss"] for e in both] == pytest.approx(
        [e.validation_loss for e in alone.history], rel=1e-4
    )
    assert told["evaluation"]["scores"]["esr"] == pytest.approx(
        alone.evaluation.scores.esr, rel=1e-3
    )
    weights = fxkit.open(pair / "both").model.state_dict()
    for name, tensor in fxkit.open(pair / "alone").model.state_dict().items():
        assert weights[name].numpy() == pytest.approx(tensor.numpy(), rel=1e-3, abs=1e-4), name
    # Going on with it in two processes, to where one process that was never stopped comes.
    longer = fxkit.run(resume="alone", train={"epochs": 3})
    done = torchrun(pair, "-m", "fxkit", "run", "--json", "--resume", "both", "train.epochs=3")
    assert done.returncode == 0, done.stderr
    both = json.loads((pair / "both" / "history.json").read_text())
    assert both[2]["loss"] == pytest.approx(longer.history[2].loss, rel=1e-3)


def test_crops_too_with_accumulation_and_a_mean_of_weights(pair):
    """A window model, whose crops do not go through its `forward`, half of them made anew."""
    short = {"train.epochs": "1", "train.batch": "4", "model.hidden": "4"}
    fxkit.run(**{**TRAIN, **short, "run.dir": "amplifier"})
    settings = {
        **{key: value for key, value in TRAIN.items() if key != "model.hidden"},
        "task": "clean",
        "task.amplifier": "amplifier",
        "model": "demucs",
        "model.channels": "4",
        "model.time_depth": "2",
        "model.freq_depth": "1",
        "model.n_fft": "128",
        "model.hop_length": "32",
        "model.width": "8",
        "model.gru_layers": "1",
        "model.transformer_layers": "1",
        "model.window": "0.1",
        "train.crop": "0.2",
        "train.batch": "2",
        "train.accumulate": "2",
        "train.epochs": "1",
    }
    alone = fxkit.run(**settings, **{"run.dir": "alone"})
    done = torchrun(
        pair, "-m", "fxkit", "run", *(f"{k}={v}" for k, v in settings.items()), "run.dir=both"
    )
    assert done.returncode == 0, done.stderr
    [both] = json.loads((pair / "both" / "history.json").read_text())
    assert both["loss"] == pytest.approx(alone.history[0].loss, rel=1e-3)
    assert both["validation_loss"] == pytest.approx(alone.history[0].validation_loss, rel=1e-3)


FAILS = """
    import os, sys
    import fxkit.train
    from fxkit.cli import main
    from fxkit.errors import FxkitError

    class Fails(fxkit.train._Trainer):
        def step(self, window, state):
            if os.environ["RANK"] == "1" and self.epoch_steps == 3:
                raise FxkitError("the disk of this machine is on fire: fetch water")
            return super().step(window, state)

    fxkit.train._Trainer = Fails
    raise SystemExit(main(sys.argv[1:]))
"""


def test_a_failure_of_one_ends_all_with_its_message(pair):
    (pair / "fails.py").write_text(textwrap.dedent(FAILS))
    done = torchrun(pair, "fails.py", "run", *arguments(run_dir="failed", train_epochs="1000"))
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if line.startswith("fxkit: ")]
    assert len(lines) == 1
    assert "rank 1 of 2" in lines[0]
    assert lines[0].endswith("the disk of this machine is on fire: fetch water")
    assert not (pair / "failed").exists()


def test_bad_input_is_said_once(pair):
    done = torchrun(pair, "-m", "fxkit", "run", *arguments(train_batch="5", run_dir="bad"))
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if line.startswith("fxkit: ")]
    assert len(lines) == 1
    assert "train.batch=5 cannot be shared out evenly among 2 processes" in lines[0]
    assert not (pair / "bad").exists()
