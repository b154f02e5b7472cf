"""Where studies live, and the lines that say what is wrong with it."""

from __future__ import annotations

import contextlib
import threading

import pytest
from fxkit.errors import FxkitError
from fxkit.tuning.storage import close_storage, open_storage, open_study, without_password
from optuna.trial import TrialState


def test_the_first_trial_is_what_the_search_began_from(opened, search):
    study, _ = opened()
    [trial] = study.get_trials()
    assert trial.state.name == "WAITING"
    assert trial.system_attrs["fixed_params"] == {"train.lr": 0.016, "model.hidden": 16}
    assert search.settings.model_config.hidden == 48


def test_a_study_is_joined_if_it_is_about_the_same(opened):
    opened()
    again, _ = opened()
    assert len(again.get_trials(deepcopy=False)) == 1


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"model": "lstm"}, "has model=gru, not lstm"),
        ({"objectives": ["esr", "cost"]}, "has objectives=loss, not esr,cost"),
        ({"data": "other.wav"}, "has data=None, not other.wav"),
    ],
)
def test_a_study_of_something_else_is_refused(opened, about, message):
    opened()
    with pytest.raises(FxkitError, match=f"study 'distort-gru' .* {message}: choose another"):
        opened(about={"task": "distort", "model": "gru", "objectives": ["loss"], **about})


def test_two_at_once_never_take_the_same_trial(opened, monkeypatch):
    """Both are let in between reading that it is free and writing that it is taken."""
    opened()
    both = threading.Barrier(2)
    taken = []

    def take():
        study, storage = opened()
        check = storage.check_trial_is_updatable

        def slowly(trial_id, state):
            with contextlib.suppress(threading.BrokenBarrierError):
                both.wait(0.5)
            check(trial_id, state)

        monkeypatch.setattr(storage, "check_trial_is_updatable", slowly)
        [waiting] = study.get_trials(deepcopy=False)
        taken.append(storage.set_trial_state_values(waiting._trial_id, TrialState.RUNNING))
        storage.remove_session()

    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False, True]


def test_a_study_of_somebody_else_is_refused(search, tmp_path):
    import optuna

    storage = open_storage("", tmp_path, 10)
    theirs = optuna.create_study(storage=storage, study_name=search.name)
    theirs.add_trial(optuna.create_trial(value=1.0))
    with pytest.raises(FxkitError, match=r"was not made by fxkit: choose another tune\.name"):
        open_study(search, storage, {})
    close_storage(storage)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("nonsense", "not the address of a database; write postgresql://"),
        ("postgresql://me:secret@localhost:1/db", r"storage=postgresql://me@localhost:1/db: .*"),
        ("mongodb://host/db", "storage=mongodb://host/db: .*mongodb"),
        ("sqlite:////nowhere/at/all.db", "unable to open database file"),
    ],
)
def test_a_storage_that_cannot_be_used_is_one_line(address, message, tmp_path):
    if address.startswith("postgresql"):
        pytest.importorskip("psycopg")
    with pytest.raises(FxkitError, match=message) as caught:
        open_storage(address, tmp_path, 10)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_one_line(tmp_path):
    (tmp_path / "study.db").write_text("not a database, but long enough to be taken for one " * 40)
    with pytest.raises(FxkitError, match=r"study\.db: file is not a database"):
        open_storage("", tmp_path, 10)


def test_a_folder_may_have_any_name(tmp_path):
    folder = tmp_path / "a {b} % c"
    folder.mkdir()
    close_storage(open_storage("", folder, 10))
    assert (folder / "study.db").is_file()


def test_without_password():
    assert without_password("postgresql://a:b@c/d") == "postgresql://a@c/d"
    assert without_password("") == ""
    assert without_password("nonsense") == "nonsense"
