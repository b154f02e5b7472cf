"""Everything that a GPU takes part in; skipped where there is none."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from fxkit.cli.main import main
from fxkit.config import build_loss, resolve
from fxkit.device import float32_products
from fxkit.model import run_blocks
from fxkit.registry import LOSSES, MODELS

from fxkit import artifact

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU")

DEVICE = "cuda"
QUICK = [
    *("data.clean=clean.wav", "data.wet=wet.wav", "data.align=off", "run.seed=3"),
    *("train.minutes=0", "train.epochs=3", "train.warm_up=64"),
]
TINY = {
    "gru": ["model.hidden=4", "train.batch=4", "train.window=512"],
    "lstm": ["model.hidden=4", "train.batch=4", "train.window=512"],
    "nn-gru": ["model.hidden=4", "train.batch=4", "train.window=512"],
    "demucs": [
        *("model.channels=8", "model.time_depth=2", "model.freq_depth=1", "model.n_fft=128"),
        *("model.hop_length=32", "model.width=16", "model.gru_layers=1", "model.window=0.3"),
        *("model.transformer_layers=1", "train.crop=0.6"),
    ],
}
LOSS = "esr+0.1*mrstft+0.1*dc+0.1*l1"


def train(*words: str) -> int:
    return main(["run", f"run.device={DEVICE}", *words])


@pytest.mark.parametrize("name", TINY)
def test_a_model_trained_there_plays_anywhere(pair, name):
    task = "clean" if name == "demucs" else "distort"
    assert train(f"model={name}", f"task={task}", *QUICK, *TINY[name], "run.dir=run") == 0
    history = json.loads((pair / "run" / "history.json").read_text())
    losses = [epoch["validation_loss"] for epoch in history]
    assert losses[-1] < losses[0]
    # The probe inside is what the CPU makes of it.
    assert main(["info", "run"]) == 0
    assert main(["render", "clean.wav", "out.wav", "--model", "run/model.fxkit"]) == 0


@pytest.mark.parametrize("name", TINY)
def test_it_computes_what_a_cpu_does(name):
    settings = resolve({"model": name, **dict(word.split("=") for word in TINY[name])})
    torch.manual_seed(0)
    model = MODELS.get(name)(settings.model_config, sample_rate=8000, controls=2).eval()
    x, knobs = torch.randn(3, 1, 6000), torch.rand(3, 2)
    made = []
    for device in ("cpu", DEVICE):
        model = model.to(device)
        with torch.inference_mode(), float32_products("fp32"):
            state = model.initial_state(3)
            y, _ = run_blocks(model, x.to(device), state, knobs.to(device), 700)
        made.append(y.cpu())
    assert (made[1] - made[0]).abs().max() < 1e-5 * made[0].abs().max()


@pytest.mark.parametrize("name", sorted(LOSSES.names()))
def test_a_loss_and_its_gradient_are_those_of_a_cpu(name):
    settings = resolve({"loss": name})
    target = torch.randn(2, 1, 8192)
    found = []
    for device in ("cpu", DEVICE):
        estimate = (target + 0.1 * target.roll(1, -1)).to(device).requires_grad_()
        loss = build_loss(settings, 8000).to(device)
        value = loss(estimate, target.to(device)).mean()
        value.backward()
        found.append((value.detach().cpu(), estimate.grad.cpu()))
    assert found[1][0] == pytest.approx(float(found[0][0]), rel=1e-4)
    assert (found[1][1] - found[0][1]).abs().max() < 1e-3 * found[0][1].abs().max()


@pytest.mark.parametrize("name", ["gru", "demucs"])
def test_a_run_goes_on_there_and_on_the_cpu(pair, name):
    # At one learning rate, so that a short training is the beginning of a long one.
    words = [f"model={name}", f"loss={LOSS}", *QUICK, *TINY[name], "train.ramp=0", "train.floor=1"]
    words.append("train.precision=fp32")
    assert train(*words, "run.dir=whole") == 0
    assert train(*words, "train.epochs=1", "run.dir=cut") == 0
    assert main(["run", "--resume", "cut", "train.epochs=3"]) == 0
    whole, cut = (
        json.loads((pair / folder / "history.json").read_text()) for folder in ("whole", "cut")
    )
    # The GPU adds up in an order of its own each time.
    for one, other in zip(whole, cut, strict=True):
        assert other["validation_loss"] == pytest.approx(one["validation_loss"], rel=0.05)
    assert main(["run", "--resume", "cut", "train.epochs=4", "run.device=cpu"]) == 0


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_crops_are_learned_from_with_fewer_digits(pair, precision):
    words = ["model=demucs", "task=clean", *QUICK, *TINY["demucs"]]
    assert train(*words, f"train.precision={precision}", "run.dir=run") == 0
    losses = [e["validation_loss"] for e in json.loads((pair / "run/history.json").read_text())]
    assert losses[-1] < losses[0]
    model = artifact.open(pair / "run" / "model.fxkit").model
    assert all(p.dtype == torch.float32 for p in model.parameters())


def test_a_search_runs_there(pair):
    words = [
        *("data.clean=clean.wav", "data.wet=wet.wav", "data.align=off", "train.batch=4"),
        *("train.warm_up=64", "train.window=512", "search.model.hidden=1,2"),
        *("tune.trials=2", "tune.epochs=2", "tune.final_epochs=2", f"run.device={DEVICE}"),
    ]
    assert main(["tune", *words]) == 0


def test_more_ranks_than_gpus_is_one_line(pair):
    count = torch.cuda.device_count() + 1
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={count}"),
            *("--local-addr=127.0.0.1", "--rdzv-backend=c10d", "--rdzv-endpoint=localhost:0"),
            *("-m", "fxkit", "run", f"run.device={DEVICE}", f"train.batch={4 * count}", *QUICK),
        ],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "fewer than ranks" in done.stderr


def test_scores_are_those_of_a_cpu(pair):
    from fxkit.pipeline import make_model
    from fxkit.progress import SilentProgress
    from fxkit.registry import TASKS

    from fxkit import data, evaluation

    settings = resolve(dict(word.split("=") for word in [*QUICK, *TINY["gru"]]))
    progress = SilentProgress()
    dataset = data.load(settings.data, progress)
    split = data.split(dataset, settings.data)
    task = TASKS.get("distort")(settings.task_config)
    model = make_model(settings, task, dataset, split)
    esr = [
        evaluation.evaluate(model, split.test, task=task, device=device).scores.esr
        for device in ("cpu", DEVICE)
    ]
    assert np.isclose(esr[0], esr[1], rtol=1e-3)
