"""The report of a search."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from fxkit.errors import FxkitError
from fxkit.report import study_charts, study_page
from fxkit.report.study_data import StudyData
from fxkit.search import Choice, Range
from fxkit.tasks.distort import Distort
from fxkit.tuning.records import TrialRecord

SPACE = {"train.lr": Range(1e-3, 1e-1, log=True), "model.hidden": Choice((8, 16, 32))}


def trial(number, hidden, lr, *values, state="complete", epochs=3, **rest):
    curve = tuple((n, 0.9 / n + 0.01 * number) for n in range(1, epochs + 1))
    params = {"train.lr": lr, "model.hidden": hidden}
    return TrialRecord(number, state, params, values, curve, 10.0 + number, **rest)


@pytest.fixture
def study() -> StudyData:
    return StudyData(
        title="A <search>",
        task=Distort(),
        model={"name": "gru"},
        description="clean.wav -> wet.wav",
        objectives=("loss",),
        space=SPACE,
        trials=[
            trial(0, 16, 0.016, 0.4, esr=0.41),
            trial(1, 8, 0.002, state="pruned", epochs=1, note="too slow & <odd>"),
            trial(2, 32, 0.03, 0.2, esr=0.21),
            trial(3, 8, 0.09, state="failed", epochs=0),
            trial(4, 16, 0.02, 0.3, esr=0.31),
        ],
        front=[2],
        recipes={2: "model: gru\n"},
        commands={2: "fxkit run recipe=here.yaml"},
        importances={"train.lr": 0.7, "model.hidden": 0.3},
        settings={"train": {"lr": 0.016}},
        environment={"torch": "2"},
        stopped="all 5 trials are done",
    )


def test_the_page_is_whole_and_escapes_what_it_is_given(study):
    html = study_page.page(study)
    assert "A &lt;search&gt;" in html
    assert "too slow &amp; &lt;odd&gt;" in html
    for part in (
        "fxkit run recipe=here.yaml",
        "tuned on",
        "How the search went",
        "What mattered",
        "All settings side by side",
        "Trials, pruned and finished",
        "Every trial",
    ):
        assert part in html
    assert "Accuracy against time" not in html
    assert "gave 0.400 as trial 0, the best trial 0.200" in html
    assert 'src="' not in html


def test_the_history_descends_in_steps(study):
    html = str(study_charts.history(study))
    assert "the best is trial 2, 0.200" in html
    assert html.count('class="dot pruned"') == 1
    assert study_charts.history(replace(study, trials=[study.trials[1]])) is None


def test_the_curves_say_what_pruning_saved(study):
    html = str(study_charts.curves(study))
    assert "1 trial of 4 ended early" in html
    assert "that saved 2 epochs" in html
    none = str(study_charts.curves(replace(study, trials=[study.trials[0]])))
    assert "No trial was ended early" in none
    assert study_charts.curves(replace(study, trials=[])) is None


def test_importances_and_parallel_need_something_to_show(study):
    assert "train.lr 70%, model.hidden 30%" in str(study_charts.importances(study))
    assert study_charts.importances(replace(study, importances={})) is None
    html = str(study_charts.parallel(study))
    assert "8, 16, 32" in html
    assert html.count('class="line top"') == 2  # one in the legend
    assert study_charts.parallel(replace(study, trials=study.trials[:2])) is None


def test_where_a_value_lies():
    assert study_charts._place(SPACE["train.lr"], 0.01) == pytest.approx(0.5)
    assert [study_charts._place(SPACE["model.hidden"], v) for v in (8, 16, 32)] == [0, 0.5, 1]
    assert math.isnan(study_charts._place(SPACE["model.hidden"], 64))


def test_a_front_shows_each_point_with_its_recipe(study):
    trials = [
        trial(0, 16, 0.016, 0.4, 100.0, esr=0.4),
        trial(1, 32, 0.016, 0.2, 300.0, esr=0.2),
        trial(2, 32, 0.016, 0.5, 300.0, esr=0.5),
    ]
    study = replace(
        study,
        objectives=("esr", "cost"),
        trials=trials,
        front=[1, 0],
        recipes={0: "model: small\n", 1: "model: large\n"},
        commands={0: "run 0", 1: "run 1"},
    )
    html = study_page.page(study)
    assert "Accuracy against time" in html
    assert "on the front: trial 1, trial 0" in html
    assert html.index("model: large") < html.index("model: small")
    assert "What was found" not in html


def test_a_full_disk_or_no_folder_is_one_line(study, tmp_path):
    with pytest.raises(FxkitError, match="the report cannot be written"):
        study_page.write(tmp_path / "no" / "report.html", study)
