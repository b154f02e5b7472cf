"""A recipe says what was found, and is a recipe."""

from __future__ import annotations

from fxkit.config import resolve as resolve_run
from fxkit.tuning import resolve
from fxkit.tuning.recipe import recipe_text, write_recipe
from fxkit.tuning.records import TrialRecord

from fxkit import recipes

PARAMS = {"model.hidden": 24, "train.lr": 0.0085304688, "train.weight_decay": 1.7e-06}
RECORD = TrialRecord(7, "complete", PARAMS, (0.25, 81.5), (), 1.0, esr=0.25, block_us=81.5)


def test_it_makes_the_settings_of_the_final_training(tmp_path):
    search = resolve(
        {
            "task": "clean",
            "model": "gru",
            "loss": "esr+0.1*dc",
            "loss.esr.pre_emphasis": 0.85,
            "data.level": "heavy",
            "train.batch": 8,
            "run.gear": "An amp: with 'quotes' #1",
            "run.dir": "here",
            "objectives": "esr,cost",
        }
    )
    write_recipe(tmp_path / "found.yaml", search, RECORD, 20)
    made = resolve_run(recipes.load(tmp_path / "found.yaml")).to_plain()
    expected = search.with_values(PARAMS, final=True).to_plain()
    assert {k: v for k, v in made.items() if k != "run.dir"} == {
        k: v for k, v in expected.items() if k != "run.dir"
    }
    assert made["run.dir"] == ""
    assert list(tmp_path.iterdir()) == [tmp_path / "found.yaml"]


def test_it_has_the_form_of_the_slides(tmp_path):
    search = resolve({"model": "gru", "objectives": "esr,cost"})
    lines = recipe_text(search, RECORD, 20).splitlines()
    assert lines[:2] == [
        "# gru, distort: trial 7 of a search of 20.",
        "# fxkit run recipe=THIS_FILE trains it.",
    ]
    assert {"# search_esr 0.25", "# search_cost 81.5", "# n_trials 20"} <= set(lines)
    assert "model.hidden: 24  # searched" in lines
    assert "model.layers: 1" in lines
    assert not any(line.startswith(("train.clip", "run.", "data.")) for line in lines)


def test_a_paths_meaning_does_not_depend_on_where_one_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    search = resolve({"data.clean": "a.wav", "data.wet": "b.wav"})
    text = recipe_text(search, TrialRecord(0, "complete", {}, (0.5,), (), 1.0), 1)
    assert f"data.clean: {tmp_path / 'a.wav'}" in text
