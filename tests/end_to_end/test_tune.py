"""`fxkit tune` from the command line: search, recipe, final training, report."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from fxkit.cli import main

import fxkit


def test_searches_writes_a_recipe_and_trains_it(pair, quick, capsys):
    assert (
        main(["tune", "--json", *quick, "--trials", "3", "tune.final_epochs=2", "run.dir=study"])
        == 0
    )
    made = json.loads(capsys.readouterr().out)
    assert [t["state"] for t in made["trials"]].count("complete") >= 2
    assert made["best"]["values"][0] == min(t["values"][0] for t in made["trials"] if t["values"])
    recipe = (pair / "study" / "recipe.yaml").read_text()
    for line in (
        "task: distort",
        "model: gru",
        "model.layers: 1",
        "train.epochs: 2",
        "# n_trials 3",
    ):
        assert line in recipe
    assert "  # searched" in recipe
    page = (pair / "study" / "report.html").read_text()
    for heading in ("How the search went", "All settings side by side", "Every trial"):
        assert heading in page
    assert "<script src" not in page
    assert "https://" not in page
    # The recipe gives the numbers of the final training again.
    run = fxkit.run(recipe="study/recipe.yaml", **{"run.dir": "again"})
    final = json.loads((pair / "study" / "final" / "history.json").read_text())
    assert [e.validation_loss for e in run.history] == [e["validation_loss"] for e in final]
    # Going on with a finished search changes nothing, and trains nothing again.
    last = pair / "study" / "final" / "checkpoints" / "last.safetensors"
    before = last.stat().st_mtime_ns
    assert main(["tune", "--json", "--resume", "study"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["trials"] == made["trials"]
    assert last.stat().st_mtime_ns == before


def test_two_objectives_give_a_front_with_a_recipe_each(pair, quick, capsys):
    assert (
        main(
            ["tune", "--json", *quick, "--trials", "3", "--objectives", "esr,cost", "run.dir=study"]
        )
        == 0
    )
    made = json.loads(capsys.readouterr().out)
    assert made["run"] is None
    assert made["objectives"] == ["esr", "cost"]
    # One model, one measurement: those with the same settings cost the same.
    costs = {t["params"]["model.hidden"]: set() for t in made["trials"]}
    for t in made["trials"]:
        costs[t["params"]["model.hidden"]].add(t["values"][1])
        assert t["block_us"] == t["values"][1] > 0
        assert len(t["curve"]) == 2
    assert all(len(found) == 1 for found in costs.values())
    assert set(made["recipes"]) == {str(number) for number in made["front"]}
    for number, path in made["recipes"].items():
        assert f"trial {number} of a search of 3" in (pair / path).read_text()
    assert "Accuracy against time" in (pair / "study" / "report.html").read_text()


def test_a_killed_search_goes_on_where_it_was(pair, quick, capsys):
    script = [sys.executable, "-m", "fxkit", "tune", "--json", *quick, "--trials", "3"]
    process = subprocess.Popen(
        [*script, "tune.final_epochs=0", "tune.heartbeat=4", "run.dir=study"],
        cwd=pair,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        ends = time.monotonic() + 120
        while not list(pair.glob("study/trial-*")):
            assert process.poll() is None
            assert time.monotonic() < ends
            time.sleep(0.01)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert main(["tune", "--json", "--resume", "study"]) == 0
    made = json.loads(capsys.readouterr().out)
    states = Counter(t["state"] for t in made["trials"])
    assert states["complete"] + states["pruned"] == 3
    [cut] = [t for t in made["trials"] if t["state"] == "failed"]
    repeated = [t for t in made["trials"] if t["params"] == cut["params"] and t is not cut]
    assert len(repeated) == 1
    # What the killed process had left lying about is gone.
    assert not list(pair.glob("study/trial-*"))


def test_several_processes_share_a_search(pair, quick, capsys):
    assert (
        main(
            [
                "tune",
                "--json",
                *quick,
                "--trials",
                "3",
                "--jobs",
                "2",
                "tune.final_epochs=0",
                "run.dir=study",
            ]
        )
        == 0
    )
    made = json.loads(capsys.readouterr().out)
    assert len([t for t in made["trials"] if t["state"] in ("complete", "pruned")]) == 3
    assert (pair / "study" / "job-1.log").read_text().count("Traceback") == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [
                "search.train.lr=none",
                "search.train.weight_decay=none",
                "search.model.hidden=none",
                "search.train.window=none",
            ],
            "nothing to search",
        ),
        (["storage=postgresql://localhost:1/db"], "storage=postgresql://localhost:1/db: "),
        (["storage=what"], "storage=what: not the address of a database"),
        (["--trials", "x"], "tune.trials=x: needs a whole number"),
        (["--minutes", "0.000001"], "no trial was finished (the 1e-06 minutes are up): allow more"),
        (["search.train.window=1000000,2000000"], "no trial was finished (all 2 trials are done)"),
        (["--worker"], "--worker needs storage="),
        (["--resume", "nowhere"], "nowhere: not the folder of a search"),
        (["--index", "3"], "--index is for --worker"),
    ],
)
def test_bad_input_is_one_line(pair, quick, capsys, arguments, message):
    if message.startswith("storage=postgresql"):
        pytest.importorskip("psycopg")
    given = [] if "--resume" in arguments else quick
    keys = {a.partition("=")[0] for a in arguments}
    given = [a for a in given if a.partition("=")[0] not in keys]
    trials = [] if "--trials" in arguments else ["--trials", "2"]
    assert main(["tune", *given, *trials, *arguments]) == 2
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if line.startswith("fxkit: ")]
    assert len(lines) == 1
    assert message in lines[0]
    assert "Traceback" not in captured.err


def test_an_amplifier_for_a_model_of_streams_is_refused_before_the_first_trial(pair, quick, capsys):
    given = [argument for argument in quick if not argument.startswith(("search.", "tune."))]
    assert main(["run", *given, "train.epochs=1", "run.dir=amplifier"]) == 0
    searching = ["task=clean", "task.amplifier=amplifier", "run.dir=study"]
    assert main(["tune", *quick, "--trials", "2", *searching]) == 2
    assert "task.amplifier is for models that learn from crops" in capsys.readouterr().err
    assert not (pair / "study").exists()


def test_help_lists_what_is_searched(capsys):
    assert main(["tune", "--help", "model=nn-gru", "model.hidden=8"]) == 0
    out = capsys.readouterr().out
    assert "tune.trials" in out
    assert "search.model.taps" in out
    assert "search.model.hidden" not in out
