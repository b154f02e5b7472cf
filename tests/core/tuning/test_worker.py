"""One process of a search: as many trials as wanted, whatever happens to it or to the others."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections import Counter
from dataclasses import replace

import optuna
import pytest
from fxkit.tuning.objective import suggest
from fxkit.tuning.records import best, records_of
from fxkit.tuning.worker import OutOfTimeError, Worker
from optuna.trial import TrialState


def value_of(params):
    return abs(params["train.lr"] - 0.02) + 1 / params["model.hidden"]


@pytest.fixture
def a_trial(search):
    return lambda trial: (value_of(suggest(trial, search.space)),)


def ended(study):
    return [t for t in study.get_trials() if t.state in (TrialState.COMPLETE, TrialState.PRUNED)]


def test_runs_as_many_as_wanted_and_none_twice(opened, search, a_trial):
    study, storage = opened()
    worker = Worker(study, storage, search, a_trial)
    assert worker.work() == "all 5 trials are done"
    assert len(study.get_trials()) == len(ended(study)) == 5
    assert worker.work() == "all 5 trials are done"
    assert len(study.get_trials()) == 5
    records = records_of(study)
    assert best(records).values[0] == min(value_of(r.params) for r in records)
    assert records[0].params == {"train.lr": 0.016, "model.hidden": 16}


def test_the_same_seed_searches_the_same_and_a_resumed_search_goes_on_alike(
    search, a_trial, tmp_path
):
    from fxkit.tuning.storage import close_storage, open_storage, open_study

    def params(folder, *sittings):
        folder.mkdir()
        for trials in sittings:
            storage = open_storage("", folder, 2)
            study = open_study(search, storage, {})
            part = replace(search, tune=replace(search.tune, trials=trials))
            Worker(study, storage, part, a_trial).work()
            found = [t.params for t in study.get_trials()]
            close_storage(storage)
        return found

    whole = params(tmp_path / "a", 5)
    assert params(tmp_path / "b", 5) == whole
    # The number of random trials at the start follows from the number of all.
    assert params(tmp_path / "c", 2, 5)[:2] == whole[:2]
    other = replace(search.settings, run=replace(search.settings.run, seed=1))
    search = replace(search, settings=other)
    assert params(tmp_path / "d", 5)[1:] != whole[1:]


def test_ctrl_c_puts_the_trial_back_into_the_queue(opened, search, a_trial):
    study, storage = opened()
    calls = []

    def cut(trial):
        values = a_trial(trial)
        calls.append(dict(trial.params))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return values

    worker = Worker(study, storage, search, cut)
    assert worker.work() == "stopped by hand"
    assert worker.interrupted
    assert [t.state for t in study.get_trials()][-1] is TrialState.WAITING
    study, storage = opened()
    Worker(study, storage, search, cut).work()
    assert calls[3] == calls[2]
    assert Counter(t.state.name for t in study.get_trials()) == {"COMPLETE": 5, "FAIL": 1}


def test_when_the_time_is_up_nothing_is_lost(opened, search, a_trial):
    short = replace(search, tune=replace(search.tune, minutes=1e-9))
    study, storage = opened()
    worker = Worker(study, storage, short, a_trial)
    assert worker.work() == "the 1e-09 minutes are up"
    assert [t.state for t in study.get_trials()] == [TrialState.WAITING]
    late = replace(search, tune=replace(search.tune, minutes=10))
    running = Worker(study, storage, late, a_trial)

    def out_of_time(trial):
        suggest(trial, search.space)
        running._ends = 0.0
        raise OutOfTimeError

    running.run = out_of_time
    assert running.work() == "the 10 minutes are up"
    assert [t.state.name for t in study.get_trials()] == ["FAIL", "WAITING"]
    assert study.get_trials()[1].params == study.get_trials()[0].params


def test_a_defect_is_not_hidden(opened, search):
    study, storage = opened()

    def broken(trial):
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        Worker(study, storage, search, broken).work()
    assert [t.state for t in study.get_trials()] == [TrialState.FAIL]


def test_two_at_once_run_no_more_than_wanted(opened, search, a_trial):
    # A pause of this machine must not look like a death.
    search = replace(search, tune=replace(search.tune, heartbeat=60))
    opened(search)
    done = []

    def work(index):
        study, storage = opened(search)
        worker = Worker(study, storage, search, a_trial, index=index)
        done.append(worker.work())
        storage.remove_session()
        storage.engine.dispose()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    study, _ = opened()
    assert done == ["all 5 trials are done"] * 2
    assert len(ended(study)) == 5
    assert len({tuple(t.params.values()) for t in ended(study)}) == 5


def test_more_than_wanted_are_given_back(opened, search, a_trial):
    study, storage = opened()
    worker = Worker(study, storage, search, a_trial)
    worker.work()
    # As if another process had seen four trials a moment ago.
    worker._take(4)
    assert len(ended(study)) == 5
    assert study.get_trials()[-1].state is TrialState.FAIL


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from fxkit.tuning import load
    from fxkit.tuning.storage import open_storage, open_study
    from fxkit.tuning.worker import Worker
    folder = Path(sys.argv[1])
    search = load(folder)
    storage = open_storage("", folder, search.tune.heartbeat)
    if sys.argv[2] == "unborn":
        def die(trial_id):
            os.kill(os.getpid(), signal.SIGKILL)
        storage.record_heartbeat = die
    from fxkit.tuning.objective import suggest
    def trial(trial):
        suggest(trial, search.space)
        os.kill(os.getpid(), signal.SIGKILL)
    Worker(open_study(search, storage, {}), storage, search, trial).work()
"""


@pytest.mark.parametrize("when", ["in mid-trial", "unborn"])
def test_the_trial_of_a_killed_process_is_run_again(search, a_trial, tmp_path, when):
    from fxkit.tuning.storage import close_storage, open_storage, open_study

    (tmp_path / "study.yaml").write_text(search.to_yaml())
    script = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path), when]
    assert subprocess.run(script, check=False, timeout=120).returncode == -9
    storage = open_storage("", tmp_path, search.tune.heartbeat)
    study = open_study(search, storage, {})
    assert [t.state for t in study.get_trials()] == [TrialState.RUNNING]
    changes = []
    worker = Worker(study, storage, search, a_trial, on_change=lambda: changes.append(1))
    assert worker.work() == "all 5 trials are done"
    states = Counter(t.state.name for t in study.get_trials())
    assert states == {"COMPLETE": 5, "FAIL": 1}
    again = [t for t in study.get_trials() if t.user_attrs.get("repeats") == 0]
    assert len(again) == 1
    assert again[0].params == {"train.lr": 0.016, "model.hidden": 16}
    assert changes
    close_storage(storage)


@pytest.mark.parametrize("says", ["in mid-trial", "at its end"])
def test_a_trial_taken_over_meanwhile_is_left_to_the_other(opened, search, a_trial, says):
    """The machine sleeps; another process takes the trial over; then the machine wakes up."""
    from fxkit.tuning.storage import requeue

    study, storage = opened()
    slept = []

    def sleeps(trial):
        values = a_trial(trial)
        if not slept:
            slept.append(trial.number)
            study.tell(trial.number, state=TrialState.FAIL)
            requeue(study, study.get_trials()[trial.number])
        if says == "in mid-trial":
            trial.set_user_attr("awake", True)
        return values

    Worker(study, storage, search, sleeps).work()
    assert Counter(t.state.name for t in study.get_trials()) == {"COMPLETE": 5, "FAIL": 1}


def test_pruned_trials_count(opened, search):
    study, storage = opened()

    def trial(trial):
        suggest(trial, search.space)
        raise optuna.TrialPruned

    Worker(study, storage, search, trial).work()
    assert [t.state for t in study.get_trials()] == [TrialState.PRUNED] * 5
    assert best(records_of(study)) is None
