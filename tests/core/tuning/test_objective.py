"""One trial: trained, watched, measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest
from fxkit.data import Dataset, Recording, Segment, Split, Take
from fxkit.search import Choice, Range
from fxkit.tuning import resolve
from fxkit.tuning.objective import Objective, identity, suggest
from fxkit.tuning.records import records_of
from fxkit.tuning.worker import OutOfTimeError, Worker

RATE = 8000


@pytest.fixture
def material():
    clean = np.random.default_rng(0).normal(0, 0.1, 12_000).astype(np.float32)
    take = Take("t", Recording.from_array(clean, RATE), Recording.from_array(clean * 2, RATE))
    split = Split(
        (Segment(take, 0, 8000),), (Segment(take, 8500, 10_000),), (Segment(take, 10_500, 12_000),)
    )
    return Dataset((take,), RATE, (), "noise"), split


def made(**values):
    settings = {
        "model": "gru",
        "model.layers": 1,
        "train.batch": 4,
        "train.warm_up": 0,
        "run.device": "cpu",
        "tune.epochs": 3,
        "trials": 2,
        "tune.heartbeat": 30,
        "search.model.hidden": "1,2",
        "search.train.window": "100,200",
        **values,
    }
    return resolve(settings)


def ran(search, material, folder: Path, opened, **hooks):
    study, storage = opened(search)
    objective = Objective(search, *material, folder, **hooks)
    worker = Worker(study, storage, search, objective)
    return study, worker, worker.work()


def test_suggests_a_value_of_everything():
    space = {
        "a": Choice((True, None, "x")),
        "b": Range(1, 9, step=2),
        "c": Range(0.5, 2.0, log=True),
        "d": Range(0.0, 1.0, step=0.25),
        "e": Range(1, 100, log=True),
    }
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(20):
        values = suggest(study.ask(), space)
        assert all(space[key].holds(value) for key, value in values.items())
        assert type(values["b"]) is type(values["e"]) is int


def test_a_trial_reports_each_epoch_and_leaves_nothing_behind(material, tmp_path, opened):
    seen = []
    study, _, _ = ran(
        made(),
        material,
        tmp_path,
        opened,
        on_epoch=lambda number, e: seen.append((number, e.number)),
    )
    first, second = records_of(study)
    assert [n for n, _ in first.curve] == [1, 2, 3]
    assert first.values == (min(v for _, v in first.curve),)
    # The loss is the ESR here, so the two ways to compute it agree.
    assert first.esr == pytest.approx(first.values[0], rel=1e-4)
    assert seen[:3] == [(0, 1), (0, 2), (0, 3)]
    assert second.number == 1
    assert [path.name for path in tmp_path.iterdir()] == ["study.db"]


def test_several_objectives_share_one_measurement_of_a_model(material, tmp_path, opened):
    search = made(**{"objectives": "esr,cost", "search.model.hidden": "none", "model.hidden": 2})
    study, _, _ = ran(search, material, tmp_path, opened)
    first, second = records_of(study)
    assert first.values == (first.esr, first.block_us)
    assert first.block_us == second.block_us > 0
    assert len(first.curve) == 3


def test_what_cannot_be_trained_is_pruned_with_the_reason(material, tmp_path, opened):
    search = made(**{"search.train.window": "5000,6000"})
    study, _, _ = ran(search, material, tmp_path, opened)
    assert {r.state for r in records_of(study)} == {"pruned"}
    assert "lower train.batch or train.window" in records_of(study)[0].note


def test_a_loss_that_explodes_is_pruned(material, tmp_path, opened, monkeypatch):
    from fxkit.train import DivergedError

    def diverge(*args, **kwargs):
        raise DivergedError("training diverged")

    monkeypatch.setattr("fxkit.tuning.objective.train", diverge)
    study, _, _ = ran(made(), material, tmp_path, opened)
    assert records_of(study)[0].state == "pruned"
    assert records_of(study)[0].note == "the loss was no longer a finite number"


def test_the_worse_half_is_pruned(material, tmp_path, opened, monkeypatch):
    monkeypatch.setattr("optuna.trial.Trial.should_prune", lambda trial: trial.number == 1)
    study, _, _ = ran(made(), material, tmp_path, opened)
    first, second = records_of(study)
    assert (first.state, second.state) == ("complete", "pruned")
    assert len(second.curve) == 1
    assert second.note == "the median of the others was better"


def test_the_end_of_the_time_and_ctrl_c_end_a_trial(material, tmp_path, opened, monkeypatch):
    study, _ = opened(made())
    objective = Objective(made(), *material, tmp_path, out_of_time=lambda: True)
    plain = optuna.create_study()
    with pytest.raises(OutOfTimeError):
        objective(plain.ask())

    def stop(number, epoch):
        raise KeyboardInterrupt

    objective = Objective(made(), *material, tmp_path, on_epoch=stop)
    with pytest.raises(KeyboardInterrupt):
        objective(plain.ask())
    assert study.get_trials()


def test_a_study_is_about_all_that_trials_share(material):
    search = made()
    about = identity(search, *material)
    assert about["model"] == "gru"
    assert about["data"] == "noise, 9500 samples at 8000 Hz"
    assert about["model.layers"] == 1
    assert "model.hidden" not in about
    # What differs from machine to machine does not make another study.
    moved = replace(search.settings, run=replace(search.settings.run, dir="x", device="auto"))
    assert identity(replace(search, settings=moved), *material) == about
    for other in ({"model.layers": 2}, {"run.seed": 1}, {"search.train.window": "100,300"}):
        assert identity(made(**other), *material) != about
