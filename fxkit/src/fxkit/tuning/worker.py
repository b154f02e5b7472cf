"""One process of a search: takes trial after trial until as many as wanted are finished.

Any number of processes, on any number of machines, work on one study; whichever dies is replaced by
the others. The storage is all that they share.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from fxkit.tuning.storage import requeue

if TYPE_CHECKING:
    from optuna.storages import RDBStorage
    from optuna.study import Study

    from fxkit.tuning.settings import Search

__all__ = ["OutOfTimeError", "Worker", "sampler"]

POLL = 1.0
"""Seconds between two looks at what the other processes do."""

_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
_REFUSED = (RuntimeError, ValueError, AssertionError)
"""What Optuna raises where a trial is told something after its end; the last one by mistake."""


class OutOfTimeError(Exception):
    """Raised within a trial when the time of the search is up."""


class Worker:
    """Works on a study until it is finished.

    Parameters
    ----------
    study, storage
        The study, and where it lives.
    search
        How many trials, and how long.
    run
        Runs one trial, as for `optuna.study.Study.optimize`. `OutOfTimeError` and
        `KeyboardInterrupt` end the work; the trial goes back into the queue.
    index
        The number of this process: two with the same one draw the same random values.
    on_change
        Told whenever a trial has ended, and from time to time while waiting.
    """

    def __init__(
        self,
        study: Study,
        storage: RDBStorage,
        search: Search,
        run: Callable[[Trial], Sequence[float]],
        *,
        index: int = 0,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.study = study
        self.storage = storage
        self.search = search
        self.run = run
        self.index = index
        self.on_change = on_change
        self.interrupted = False
        self._ends = time.monotonic() + 60.0 * (search.tune.minutes or float("inf"))
        self._silent: dict[int, float] = {}

    def out_of_time(self) -> bool:
        """Say whether the time of this sitting is up."""
        return time.monotonic() >= self._ends

    def work(self) -> str:
        """Take trials until the search is over; return why it is, in plain words."""
        try:
            return self._work()
        except KeyboardInterrupt:
            self.interrupted = True
            return "stopped by hand"

    def _work(self) -> str:
        while True:
            trials = self.study.get_trials(deepcopy=False)
            ended = sum(trial.state in _ENDED for trial in trials)
            taken = ended + sum(trial.state is TrialState.RUNNING for trial in trials)
            if ended >= self.search.tune.trials:
                return f"all {self.search.tune.trials} trials are done"
            if self.out_of_time():
                return f"the {self.search.tune.minutes:g} minutes are up"
            try:
                if taken < self.search.tune.trials:
                    self._take(len(trials))
                else:
                    self._wait(trials)
            except OutOfTimeError:
                continue
            finally:
                self.on_change()

    def _take(self, begun: int) -> None:
        """Run the next trial: one from the queue, or a new one."""
        self.study.sampler = sampler(
            self.search.settings.run.seed, self.index, begun, self.search.tune.trials
        )
        mine: list[Trial] = []
        defect = False

        def run(trial: Trial) -> Sequence[float]:
            nonlocal defect
            mine.append(trial)
            # The first sign of life: from here on, silence means that this process is dead.
            self.storage.record_heartbeat(trial._trial_id)
            trial.set_user_attr("begun", True)
            if self._too_many(trial):
                raise _SurplusError
            try:
                return self.run(trial)
            except _REFUSED:
                defect = not self._ended(trial)
                raise

        try:
            with warnings.catch_warnings():
                # Looking for abandoned trials is called experimental before Optuna 4.
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                self.study.optimize(run, n_trials=1, catch=(_SurplusError,))
        except (OutOfTimeError, KeyboardInterrupt):
            if mine:
                requeue(self.study, self._now(mine[0].number))
            raise
        except _REFUSED:
            # This machine slept, say, another process has taken the trial over meanwhile, and
            # Optuna takes nothing more for it.
            if not mine or defect or not self._ended(mine[0]):
                raise

    def _too_many(self, trial: Trial) -> bool:
        """Say whether enough others were begun before this one, by processes at the same time."""
        others = self.study.get_trials(deepcopy=False)
        before = [t for t in others if t.number < trial.number and t.state != TrialState.FAIL]
        return len(before) >= self.search.tune.trials

    def _now(self, number: int) -> FrozenTrial:
        return self.study.get_trials(deepcopy=False)[number]

    def _ended(self, trial: Trial) -> bool:
        return self._now(trial.number).state.is_finished()

    def _wait(self, trials: Sequence[FrozenTrial]) -> None:
        """Wait for what other processes run; put back into the queue what they abandoned."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            optuna.storages.fail_stale_trials(self.study)
        # A process that died before its first heartbeat is not among those.
        now = time.monotonic()
        silent = {
            t.number: self._silent.get(t.number, now)
            for t in trials
            if t.state is TrialState.RUNNING and not t.user_attrs.get("begun")
        }
        self._silent = silent
        for number, since in silent.items():
            if now - since > self.search.tune.heartbeat:
                try:
                    self.study.tell(number, state=TrialState.FAIL)
                except (RuntimeError, ValueError):
                    continue  # Somebody else was quicker.
                requeue(self.study, self._now(number))
        time.sleep(POLL)


class _SurplusError(Exception):
    """More trials were begun than wanted: this one is none of them."""


def sampler(seed: int, index: int, begun: int, trials: int) -> optuna.samplers.BaseSampler:
    """Return the tree-structured Parzen estimator for the next trial.

    Its random numbers follow from the seed, the process and how many trials have begun, so that a
    search that is resumed goes on as it would have, and two processes never draw the same.

    Source: Bergstra et al., "Algorithms for hyper-parameter optimization", NeurIPS 2011.
    """
    own = int(np.random.SeedSequence([seed, index, begun]).generate_state(1)[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.TPESampler(
            seed=own, n_startup_trials=max(2, min(10, trials // 3)), constant_liar=True
        )
