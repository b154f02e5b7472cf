"""Further processes of a search on the same machine."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from fxkit.progress import Progress
from fxkit.tuning.settings import Search

__all__ = ["Jobs", "helpers", "threads_each"]


def threads_each(search: Search) -> int:
    """Return the processor threads for each process: the cores are shared out evenly."""
    asked = search.settings.train.threads
    return asked or (
        max(1, (os.cpu_count() or 1) // search.tune.jobs) if search.tune.jobs > 1 else 0
    )


class Jobs:
    """The processes that have been started."""

    def __init__(self, processes: dict[int, subprocess.Popen[bytes]], folder: Path) -> None:
        self.processes = processes
        self.folder = folder
        self._told: set[int] = set()

    def watch(self, progress: Progress) -> None:
        """Warn of each process that has died; the others take its trial over."""
        for index, process in self.processes.items():
            code = process.poll()
            if code not in (None, 0, 130) and index not in self._told:
                self._told.add(index)
                lines = log_of(self.folder, index).read_text(errors="replace").splitlines()
                last = lines[-1].strip() if lines else f"exit code {code}"
                progress.warn(f"job {index} has ended, the others go on: {last}")

    def wait(self) -> None:
        """Wait until all have ended."""
        for process in self.processes.values():
            process.wait()


def log_of(folder: Path, index: int) -> Path:
    """Return the file that a process writes its messages into."""
    return folder / f"job-{index}.log"


@contextlib.contextmanager
def helpers(search: Search, folder: Path, count: int) -> Iterator[Jobs]:
    """Start `count` more processes on the search in `folder`, and end them with the block."""
    import sqlalchemy

    environment = dict(os.environ)
    if search.tune.storage:
        # Neither the file nor the list of processes shows a password.
        password = sqlalchemy.make_url(search.tune.storage).password
        if password:
            environment["PGPASSWORD"] = str(password)
    processes: dict[int, subprocess.Popen[bytes]] = {}
    try:
        for index in range(1, count + 1):
            with log_of(folder, index).open("wb") as log:
                processes[index] = subprocess.Popen(
                    [
                        *(sys.executable, "-m", "fxkit", "tune", "--worker"),
                        *("--index", str(index), "--resume", str(folder)),
                        f"train.threads={threads_each(search)}",
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    env=environment,
                )
        yield Jobs(processes, folder)
    finally:
        for process in processes.values():
            if process.poll() is None:
                process.terminate()
        for process in processes.values():
            process.wait()
