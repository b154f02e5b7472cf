import json

import numpy as np
import pytest
import soundfile
from fxkit.errors import FxkitError

import fxkit
from fxkit import engine, pipeline

RATE = 8000
TINY = {
    "model": "gru",
    "model.hidden": 4,
    "train.epochs": 2,
    "train.minutes": 0,
    "train.batch": 4,
    "train.window": 500,
    "data.guard": 0.1,
    "device": "cpu",
}


@pytest.fixture
def recordings(tmp_path):
    x = np.random.default_rng(0).normal(0, 0.1, 6 * RATE) * np.repeat(np.tile([1, 0.05], 12), 2000)
    soundfile.write(tmp_path / "clean.wav", x, RATE)
    soundfile.write(tmp_path / "wet.wav", np.tanh(4 * x), RATE)
    return tmp_path


def test_a_run_leaves_all_that_it_made(recordings):
    directory = recordings / "deep" / "run"
    result = fxkit.run(**TINY, data=str(recordings), **{"run.dir": str(directory)})
    assert sorted(p.name for p in directory.iterdir()) == [
        "checkpoints",
        "history.json",
        "model.fxkit",
        "report.html",
        "scores.json",
        "settings.yaml",
    ]
    plain = json.loads((directory / "scores.json").read_text())
    assert plain["scores"]["esr"] == result.evaluation.scores.esr
    assert len(json.loads((directory / "history.json").read_text())) == 2
    assert json.dumps(result.to_plain(), allow_nan=False)
    manifest = fxkit.info(directory)
    assert manifest.task == "distort"
    assert manifest.metrics["scores"]["esr"] == result.evaluation.scores.esr
    assert manifest.training["best_epoch"] == result.best_epoch


def test_variety_that_a_model_cannot_hear_is_said(recordings, capsys):
    settings = {**TINY, "data": str(recordings), "task": "clean", "task.gain": 3}
    fxkit.run(**settings, **{"run.dir": str(recordings / "loud")})
    assert "crops are varied for models that learn from crops" in capsys.readouterr().err
    del settings["task.gain"]
    fxkit.run(**settings, **{"run.dir": str(recordings / "plain")})
    assert "crops are varied" not in capsys.readouterr().err


def test_an_engine_that_refuses_the_model_costs_nothing_but_its_own_speed(
    recordings, monkeypatch, capsys
):
    def refuse(*_):
        raise FxkitError("the engine does not play this model: no")

    monkeypatch.setattr(engine, "for_model", refuse)
    result = fxkit.run(**TINY, data=str(recordings), **{"run.dir": str(recordings / "run")})
    assert result.realtime.backend == "PyTorch, 1 thread"
    assert (recordings / "run" / "report.html").is_file()
    said = capsys.readouterr().err
    assert "does not play this model: no; its speed was measured with PyTorch" in said


def test_the_settings_it_wrote_give_the_same_run(recordings):
    first = fxkit.run(**TINY, data=str(recordings), **{"run.dir": str(recordings / "a")})
    again = fxkit.run(
        config=first.directory / "settings.yaml", **{"run.dir": str(recordings / "b")}
    )
    assert [e.loss for e in again.history] == [e.loss for e in first.history]
    assert again.evaluation.scores == first.evaluation.scores


def test_clean_turns_the_pair_round(recordings):
    run = fxkit.run(
        **TINY, task="clean", data=str(recordings), **{"run.dir": str(recordings / "c")}
    )
    assert run.evaluation.baseline_gain < 1  # the wet side is louder than the dry one


def test_an_amplifier_is_for_models_that_learn_from_crops(recordings):
    fxkit.run(**TINY, data=str(recordings), **{"run.dir": str(recordings / "amplifier")})
    with pytest.raises(fxkit.FxkitError, match=r"task\.amplifier is for models.*crops") as caught:
        fxkit.run(
            **TINY,
            task="clean",
            data=str(recordings),
            **{
                "run.dir": str(recordings / "d"),
                "task.amplifier": str(recordings / "amplifier"),
            },
        )
    assert "\n" not in str(caught.value)
    assert not (recordings / "d").exists()


def test_an_amplifier_that_is_not_there_is_told_before_anything_is_read(recordings):
    with pytest.raises(fxkit.FxkitError, match=r"task\.amplifier=nowhere: no such file or folder"):
        fxkit.run(**TINY, task="clean", data="no-data", **{"task.amplifier": "nowhere"})


def test_what_fails_before_training_leaves_nothing(recordings, monkeypatch):
    def fails(*_args, **_kwargs):
        raise fxkit.FxkitError("no")

    monkeypatch.setattr(pipeline, "train", fails)
    with pytest.raises(fxkit.FxkitError, match="no"):
        fxkit.run(**TINY, data=str(recordings), **{"run.dir": str(recordings / "deep" / "run")})
    assert not (recordings / "deep").exists()


def test_a_folder_that_exists_is_refused_before_anything_is_read(recordings):
    (recordings / "mine").mkdir()
    with pytest.raises(fxkit.FxkitError, match=r"exists already.*--resume"):
        fxkit.run(**TINY, data="nowhere", **{"run.dir": str(recordings / "mine")})


def test_without_a_name_runs_are_numbered(recordings, monkeypatch):
    monkeypatch.chdir(recordings)
    for number in (1, 2):
        run = fxkit.run(**TINY | {"train.epochs": 1}, data=str(recordings))
        assert str(run.directory) == f"runs/distort-gru-{number}"
