"""What one sees of a search: a table that lives, or a line for each trial."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from fxkit.progress import Progress, TerminalProgress, clock_time
from fxkit.tuning.records import TrialRecord, best

if TYPE_CHECKING:
    from rich.console import Group

    from fxkit.tuning.settings import Search

__all__ = ["Display", "Lines", "Table", "display_for", "seconds_left", "shown"]

ROWS = 25
"""Trials in the live table: the last ones."""


class Display(Protocol):
    """Is told what the trials are whenever something has happened."""

    def update(self, records: Sequence[TrialRecord]) -> None:
        """Show the trials as they are now."""


def shown(value: Any) -> str:
    """Return a value of a setting in a few characters."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def seconds_left(records: Sequence[TrialRecord], trials: int, jobs: int) -> float | None:
    """Estimate how long the rest of the search takes; None before the first trial has ended."""
    times = [r.seconds for r in records if r.state in ("complete", "pruned")]
    if not times:
        return None
    return max(0, trials - len(times)) * sum(times) / len(times) / jobs


class Lines:
    """A plain line for each trial that has ended.

    Parameters
    ----------
    search
        What is searched.
    note
        Takes each line.
    """

    def __init__(self, search: Search, note: Callable[[str], None]) -> None:
        self.search = search
        self.note = note
        self._told: set[int] = set()
        self._first = True

    def update(self, records: Sequence[TrialRecord]) -> None:
        """Write a line for each trial that has ended since the last call."""
        ended = [r for r in records if r.state in ("complete", "pruned")]
        if self._first and ended:
            self.note(f"{len(ended)} trials were done before")
            self._told |= {record.number for record in ended}
        self._first = False
        for record in ended:
            if record.number not in self._told:
                self._told.add(record.number)
                self.note(self._line(record, records, len(self._told)))

    def _line(self, record: TrialRecord, records: Sequence[TrialRecord], count: int) -> str:
        tune = self.search.tune
        params = " ".join(f"{key}={shown(value)}" for key, value in record.params.items())
        if record.state == "complete":
            pairs = zip(tune.objectives, record.values, strict=True)
            outcome = ", ".join(f"{name} {value:.4g}" for name, value in pairs)
        else:
            outcome = f"pruned after {len(record.curve)} epochs: {record.note}"
        left = seconds_left(records, tune.trials, tune.jobs) or 0.0
        top = best(records)
        lead = f", best {top.values[0]:.4g} (trial {top.number})" if top else ""
        return (
            f"trial {record.number} ({count} of {tune.trials}): {outcome}; {params}; "
            f"{clock_time(record.seconds)}{lead}, {clock_time(left)} left"
        )


class Table:
    """A table on the terminal, redrawn as the trials go on.

    Parameters
    ----------
    search
        What is searched.
    draw
        Shows what `render` returns.
    """

    def __init__(self, search: Search, draw: Callable[[Group], None]) -> None:
        self.search = search
        self.draw = draw
        self._began = time.monotonic()

    def update(self, records: Sequence[TrialRecord]) -> None:
        """Redraw the table."""
        self.draw(self.render(records))

    def render(self, records: Sequence[TrialRecord]) -> Group:
        """Return the table and the line below it."""
        from rich.console import Group
        from rich.table import Table as RichTable
        from rich.text import Text

        tune = self.search.tune
        table = RichTable(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        table.add_column("trial", justify="right")
        table.add_column("state")
        for key in self.search.space:
            table.add_column(key.partition(".")[2], justify="right", overflow="fold")
        table.add_column("epoch", justify="right")
        for name in tune.objectives:
            table.add_column(name, justify="right")
        table.add_column("time", justify="right")
        top = best(records)
        kept = [r for r in records if r.state != "failed"][-ROWS:]
        for record in kept:
            style = {"running": "cyan", "pruned": "dim", "waiting": "dim"}.get(record.state, "")
            values = [f"{v:.4g}" for v in record.values]
            if not values and record.curve:
                values = [f"({min(v for _, v in record.curve):.4g})"]
            values += [""] * (len(tune.objectives) - len(values))
            table.add_row(
                str(record.number),
                record.state,
                *(shown(record.params.get(key, "")) for key in self.search.space),
                str(record.curve[-1][0]) if record.curve else "",
                *values,
                clock_time(record.seconds) if record.seconds else "",
                style="bold green" if top is not None and record is top else style,
            )
        ended = sum(r.state in ("complete", "pruned") for r in records)
        left = seconds_left(records, tune.trials, tune.jobs)
        line = f"{ended} of {tune.trials} trials, {clock_time(time.monotonic() - self._began)} gone"
        line += f", about {clock_time(left)} left" if left is not None else ""
        if top is not None:
            line += f"; best: trial {top.number}, {tune.objectives[0]} {top.values[0]:.4g}"
        return Group(table, Text(line))


@contextlib.contextmanager
def display_for(search: Search, progress: Progress) -> Iterator[Display]:
    """Show the search on whatever `progress` shows things on, until the block ends."""
    if not isinstance(progress, TerminalProgress):
        yield Lines(search, progress.note)
        return
    from rich.live import Live

    with Live(console=progress.console, refresh_per_second=2) as live:
        yield Table(search, live.update)
