"""A search as the user describes it, and as it is kept in its folder."""

from __future__ import annotations

import pytest
from fxkit.errors import FxkitError
from fxkit.search import Choice
from fxkit.tuning import load, resolve


def test_what_is_given_is_not_searched():
    search = resolve({"model": "gru", "model.hidden": 8, "train": {"lr": "0.01"}})
    assert "model.hidden" not in search.space
    assert "train.lr" not in search.space
    assert "model.layers" in search.space
    assert search.settings.train.lr == 0.01


def test_a_recipe_is_only_where_the_search_starts():
    search = resolve({"recipe": "gru-distort-heavy"})
    assert {"train.lr", "model.hidden"} <= set(search.space)
    assert search.settings.train.lr == pytest.approx(0.00853, abs=1e-5)
    assert search.settings.loss_options["esr"]["pre_emphasis"] == 0.85


def test_short_keys_and_lists():
    search = resolve({"trials": "7", "objectives": "esr,cost", "storage": "sqlite:///x.db"})
    assert (search.tune.trials, search.tune.objectives) == (7, ("esr", "cost"))
    assert search.tune.storage == "sqlite:///x.db"
    assert search.name == "distort-gru"


def test_trials_are_bound_by_epochs_and_the_final_training_by_patience():
    search = resolve({"tune.epochs": 3, "tune.final_epochs": 50, "tune.patience": 4})
    trial = search.with_values({"model.hidden": 16, "train.lr": 0.02})
    assert (trial.model_config.hidden, trial.train.lr) == (16, 0.02)
    assert (trial.train.epochs, trial.train.minutes, trial.train.patience) == (3, 0.0, 0)
    final = search.with_values({}, final=True)
    assert (final.train.epochs, final.train.patience) == (50, 4)
    assert resolve({"train.minutes": 2}).settings.train.minutes == 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"train.epochs": 5}, "train.epochs: the search sets it; use tune.epochs"),
        ({"train.patience": 5}, "train.patience: the search sets it"),
        ({"model.hidden": 8, "search.model.hidden": "8,16"}, "model.hidden is given and searched"),
        ({"tune.trails": 3}, "no setting 'tune.trails'; did you mean tune.trials"),
        ({"trials": 0}, "tune.trials=0: needs a whole number, at least 1"),
        ({"objectives": "speed"}, "tune.objectives=.*one of loss, esr, cost"),
        ({"objectives": "cost"}, "the smallest model would win"),
        ({"objectives": "esr,esr"}, "name one, or several once"),
        ({"search.model.hiden": "1,2"}, "did you mean model.hidden"),
        (
            {f"search.{key}": "none" for key in ("train.lr", "train.window", "train.weight_decay")}
            | {"model.hidden": 8, "model.layers": 1},
            "nothing to search: .* search.train.lr=0.001..0.05:log",
        ),
    ],
)
def test_bad_input_is_one_line(values, message):
    with pytest.raises(FxkitError, match=message) as caught:
        resolve({"model": "gru", **values})
    assert "\n" not in str(caught.value)


def test_a_search_comes_back_from_its_folder(tmp_path):
    search = resolve(
        {"model": "nn-gru", "model.taps": 9, "search.model.hidden": "2,4", "tune.epochs": 3}
    )
    (tmp_path / "study.yaml").write_text(search.to_yaml())
    again = load(tmp_path)
    assert again == search
    assert again.space["model.hidden"] == Choice((2, 4))
    more = load(tmp_path, {"trials": 40, "train.threads": 2})
    assert (more.tune.trials, more.settings.train.threads) == (40, 2)
    assert more.space == search.space


@pytest.mark.parametrize(
    "key", ["tune.epochs", "tune.objectives", "model.hidden", "search.train.lr"]
)
def test_what_would_make_trials_differ_cannot_be_changed(tmp_path, key):
    (tmp_path / "study.yaml").write_text(resolve({}).to_yaml())
    with pytest.raises(FxkitError, match=rf"{key} cannot be changed when a search is resumed"):
        load(tmp_path, {key: "4"})


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(FxkitError, match=r"not the folder of a search: it has no study\.yaml"):
        load(tmp_path)


def test_no_password_is_kept(tmp_path):
    search = resolve({"storage": "postgresql://me:secret@host/db"})
    assert "secret" not in search.to_yaml()
    assert "postgresql://me@host/db" in search.to_yaml()
