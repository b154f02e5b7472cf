"""A study on a real PostgreSQL: several workers, one of them killed in mid-trial."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections import Counter
from pathlib import Path

import pytest
from fxkit.cli import main
from fxkit.tuning import resolve
from fxkit.tuning.storage import close_storage, open_storage, open_study
from optuna.trial import TrialState

pytest.importorskip("psycopg", reason="the driver is not installed: pip install 'fxkit[postgres]'")


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


BINARIES = _binaries()


@pytest.fixture(scope="module")
def address():
    """Start a PostgreSQL of our own, reached through a socket, and return its address."""
    if BINARIES is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    # Not below pytest's folder: the server has another user, who cannot look into that.
    # The name of a socket has no room for a long one.
    folder = Path(tempfile.mkdtemp(prefix="fxkit-pg-", dir="/tmp"))
    user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        user = ["runuser", "-u", "postgres", "--"]
        shutil.chown(folder, "postgres")

    def server(*command: str) -> None:
        subprocess.run(
            [*user, *command],
            check=True,
            timeout=120,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    data = folder / "data"
    try:
        server(
            str(BINARIES / "initdb"),
            "-D",
            str(data),
            "-U",
            "fxkit",
            "--auth=trust",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C",
        )
        options = f"-c listen_addresses='' -c fsync=off -k {folder}"
        server(
            str(BINARIES / "pg_ctl"),
            "-D",
            str(data),
            "-w",
            "-t",
            "100",
            "-l",
            str(folder / "log"),
            "-o",
            options,
            "start",
        )
        try:
            yield f"postgresql://fxkit@/postgres?host={folder}"
        finally:
            server(str(BINARIES / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


WORKER = """
    import os, sys, time
    from pathlib import Path
    from fxkit.tuning import resolve
    from fxkit.tuning.objective import suggest
    from fxkit.tuning.storage import open_storage, open_study
    from fxkit.tuning.worker import Worker

    address, trials, index, log = sys.argv[1:]
    search = resolve({"storage": address, "trials": trials, "tune.heartbeat": 6,
                      "tune.name": "killed"})
    storage = open_storage(address, Path("."), search.tune.heartbeat)
    study = open_study(search, storage, {"task": "distort"})

    def trial(trial):
        suggest(trial, search.space)
        with open(log, "a") as file:
            print(trial.number, file=file)
        for epoch in range(5):
            # The first one is in mid-trial until it is killed.
            time.sleep(60 if index == "1" else 0.1)
            trial.report(trial.params["train.lr"], epoch)
        return (trial.params["train.lr"],)

    print(Worker(study, storage, search, trial, index=int(index)).work())
"""


def start(address: str, trials: int, index: int, log: Path) -> subprocess.Popen[str]:
    script = [sys.executable, "-c", textwrap.dedent(WORKER), address, str(trials), str(index)]
    return subprocess.Popen([*script, str(log)], stdout=subprocess.PIPE, text=True)


def test_two_workers_one_killed_in_mid_trial_nothing_lost_nothing_twice(address, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    # Enough trials that the first one gets one of them, however late it starts.
    killed, other = start(address, 20, 1, first), start(address, 20, 2, second)
    try:
        ends = time.monotonic() + 120
        while not (first.exists() and first.read_text().strip()):
            assert killed.poll() is None
            assert time.monotonic() < ends
            time.sleep(0.02)
        os.kill(killed.pid, signal.SIGKILL)
        out, _ = other.communicate(timeout=200)
    finally:
        for process in (killed, other):
            process.kill()
            process.communicate()
    assert out.strip() == "all 20 trials are done"
    search = resolve({"storage": address, "tune.name": "killed"})
    storage = open_storage(address, tmp_path, 6)
    trials = open_study(search, storage, {"task": "distort"}).get_trials()
    close_storage(storage)
    states = Counter(t.state for t in trials)
    assert states[TrialState.COMPLETE] == 20
    assert states[TrialState.RUNNING] == states[TrialState.WAITING] == 0
    done = [tuple(sorted(t.params.items())) for t in trials if t.state is TrialState.COMPLETE]
    assert len(set(done)) == 20
    # The trial that was cut short has been run to its end under another number, once.
    cut = int(first.read_text().split()[-1])
    assert trials[cut].state is TrialState.FAIL
    again = [t for t in trials if t.user_attrs.get("repeats") == cut]
    assert [t.state for t in again] == [TrialState.COMPLETE]
    assert again[0].params == trials[cut].params
    begun = [int(n) for log in (first, second) if log.exists() for n in log.read_text().split()]
    assert max(Counter(begun).values()) == 1


def test_a_whole_search_on_it(address, pair, quick, capsys):
    code = main(
        [
            "tune",
            "--json",
            *quick,
            "--trials",
            "2",
            "tune.final_epochs=0",
            f"storage={address}",
            "tune.name=whole",
            "run.dir=study",
        ]
    )
    captured = capsys.readouterr()
    assert code == 0, captured.err
    assert len(json.loads(captured.out)["trials"]) == 2
    assert not (pair / "study" / "study.db").exists()
    # A worker that comes late finds nothing to do; one with another model is refused.
    worker = ["tune", "--worker", *quick, "--trials", "2", f"storage={address}", "tune.name=whole"]
    assert main(worker) == 0
    assert capsys.readouterr().out.strip() == "all 2 trials are done"
    assert main([*worker, "model=lstm"]) == 2
    assert "has model=gru, not lstm" in capsys.readouterr().err


def test_the_study_opens_in_optuna_dashboard(address, tmp_path):
    dashboard = pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is not installed")
    storage = open_storage(address, tmp_path, 60)
    open_study(resolve({"tune.name": "shown"}), storage, {"task": "distort"})
    assert dashboard.wsgi(storage) is not None
    close_storage(storage)


def test_a_wrong_database_is_one_line(address, pair, quick, capsys):
    wrong = address.replace("/postgres?", "/nothing-here?")
    assert main(["tune", *quick, "--trials", "1", f"storage={wrong}", "run.dir=x"]) == 2
    err = [line for line in capsys.readouterr().err.splitlines() if line.startswith("fxkit: ")]
    assert len(err) == 1
    assert 'database "nothing-here" does not exist' in err[0]
    assert not (pair / "x").exists()
