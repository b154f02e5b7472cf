"""Trials as plain data; the best, and the front."""

from __future__ import annotations

from fxkit.tuning.records import TrialRecord, best, front, records_of


def trial(number, *values, state="complete"):
    return TrialRecord(number, state, {}, values, (), 1.0)


def test_the_front_holds_what_nobody_beats():
    trials = [
        trial(0, 0.5, 10.0),
        trial(1, 0.1, 30.0),
        trial(2, 0.3, 20.0),
        trial(3, 0.3, 25.0),  # as good as 2, but slower
        trial(4, 0.6, 40.0),
        trial(5, 0.1, 30.0),  # equal to 1, later
        trial(6, state="pruned"),
    ]
    assert [t.number for t in front(trials)] == [1, 2, 0]
    assert best(trials).number == 1
    assert front([]) == []
    assert best([trial(0, state="running")]) is None


def test_records_say_what_the_study_knows(opened, search):
    from fxkit.tuning.objective import suggest
    from fxkit.tuning.worker import Worker
    from optuna import TrialPruned

    study, storage = opened()

    def run(trial):
        suggest(trial, search.space)
        trial.report(0.5, 1)
        trial.report(0.25, 2)
        if trial.number == 1:
            trial.set_user_attr("note", "no good")
            raise TrialPruned
        trial.set_user_attr("esr", 0.2)
        return (0.25,)

    Worker(study, storage, search, run).work()
    first, second = records_of(study)[:2]
    assert (first.state, first.values, first.esr) == ("complete", (0.25,), 0.2)
    assert first.curve == ((1, 0.5), (2, 0.25))
    assert first.seconds > 0
    assert (second.state, second.values, second.note) == ("pruned", (), "no good")
    assert first.to_plain()["params"] == first.params
