"""Progress: bars on a terminal, plain lines without one, silence for libraries and scripts.

No module of fxkit prints. What takes long is given a `Progress` and tells it how far it is; who
calls decides what is seen. Everything goes to standard error: standard output is for results.
"""

from __future__ import annotations

import atexit
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichBars
    from rich.progress import TaskID

__all__ = [
    "PlainProgress",
    "Progress",
    "SilentProgress",
    "Step",
    "TerminalProgress",
    "clock_time",
    "for_stream",
]


class Step(Protocol):
    """One long piece of work. A context manager: leaving it ends the step."""

    def advance(self, amount: float = 1) -> None:
        """Count `amount` more as done."""

    def update(
        self,
        *,
        completed: float | None = None,
        total: float | None = None,
        loss: float | None = None,
        validation: float | None = None,
        description: str | None = None,
    ) -> None:
        """Set what has changed; what is None stays.

        Parameters
        ----------
        completed, total
            How much is done, and how much there is to do.
        loss, validation
            Training and validation loss to show.
        description
            What is going on, in a word or two.
        """

    def finish(self) -> None:
        """End the step; harmless when it has ended already."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Progress(Protocol):
    """Where long steps, warnings and notes go. A context manager: leaving it restores all."""

    def task(self, description: str, total: float | None = None) -> Step:
        """Begin a step of `total` units; None where nobody knows how many."""

    def warn(self, line: str) -> None:
        """Tell the user of something that needs attention but does not stop the work."""

    def note(self, line: str) -> None:
        """Tell the user of something worth knowing."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class _Closing:
    """What the context managers here share: leaving them calls `_close`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close(failed=error is not None)

    def _close(self, *, failed: bool) -> None:
        """End what has begun."""


class SilentProgress(_Closing):
    """Shows no steps and no notes; warnings still reach standard error.

    Parameters
    ----------
    stream
        Where warnings go; standard error by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def task(self, description: str, total: float | None = None) -> Step:
        """Begin a step that nobody sees."""
        return _SilentStep()

    def warn(self, line: str) -> None:
        """Write the warning to the stream."""
        _write(self._stream, f"warning: {line}")

    def note(self, line: str) -> None:
        """Say nothing."""


class _SilentStep(_Closing):
    def advance(self, amount: float = 1) -> None:
        pass

    def update(
        self,
        *,
        completed: float | None = None,
        total: float | None = None,
        loss: float | None = None,
        validation: float | None = None,
        description: str | None = None,
    ) -> None:
        pass

    def finish(self) -> None:
        pass


class PlainProgress(_Closing):
    """Plain lines, for logs and pipes: at most one per step and `interval`, and one at its end.

    Parameters
    ----------
    stream
        Where the lines go; standard error by default.
    interval
        Seconds between two lines of the same step.
    clock
        Returns the time in seconds; for tests.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        interval: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self.interval = interval
        self.clock = clock

    def task(self, description: str, total: float | None = None) -> Step:
        """Begin a step."""
        return _PlainStep(self, description, total)

    def warn(self, line: str) -> None:
        """Write the warning."""
        _write(self._stream, f"warning: {line}")

    def note(self, line: str) -> None:
        """Write the note."""
        _write(self._stream, line)


class _PlainStep(_Closing):
    def __init__(self, owner: PlainProgress, description: str, total: float | None) -> None:
        self._owner = owner
        self._description = description
        self._total = total
        self._done = 0.0
        self._loss: float | None = None
        self._validation: float | None = None
        self._began = self._last = owner.clock()
        self._ended = False

    def advance(self, amount: float = 1) -> None:
        self._done += amount
        self._show()

    def update(
        self,
        *,
        completed: float | None = None,
        total: float | None = None,
        loss: float | None = None,
        validation: float | None = None,
        description: str | None = None,
    ) -> None:
        self._done = self._done if completed is None else completed
        self._total = self._total if total is None else total
        self._loss = self._loss if loss is None else loss
        self._validation = self._validation if validation is None else validation
        self._description = self._description if description is None else description
        self._show()

    def finish(self) -> None:
        self._close(failed=False)

    def _close(self, *, failed: bool) -> None:
        if not self._ended:
            self._ended = True
            if failed and self._last == self._began:
                return  # Nobody was told that it began; the error says all there is to say.
            how = "stopped after" if failed else "done in"
            seconds = clock_time(self._owner.clock() - self._began)
            self._owner.note(self._line(f"{how} {seconds}"))

    def _show(self) -> None:
        now = self._owner.clock()
        if self._ended or now - self._last < self._owner.interval:
            return
        self._last = now
        elapsed = now - self._began
        if self._total and self._done > 0:
            share = min(self._done / self._total, 1.0)
            left = clock_time(elapsed * (1.0 / share - 1.0))
            self._owner.note(self._line(f"{share:.0%}, {clock_time(elapsed)} gone, {left} left"))
        else:
            self._owner.note(self._line(f"{clock_time(elapsed)} gone"))

    def _line(self, state: str) -> str:
        losses = _losses(self._loss, self._validation)
        return f"{self._description}: {state}" + (f", {losses}" if losses else "")


class TerminalProgress(_Closing):
    """Bars with the time left, the loss and the validation loss, drawn by rich.

    Parameters
    ----------
    stream
        The terminal; standard error by default.

    Attributes
    ----------
    console
        Where it draws, for other live displays that take turns with it.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.table import Column

        self.console = Console(file=stream, stderr=stream is None, highlight=False)
        # Only the bar may shrink; a narrow terminal shows the time left and not the time gone.
        elapsed = (
            TimeElapsedColumn(table_column=Column(no_wrap=True)),
            TextColumn("gone,", style="dim"),
        )
        self._bars: RichBars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TaskProgressColumn(table_column=Column(no_wrap=True)),
            *(elapsed if self.console.width >= 100 else ()),
            TimeRemainingColumn(table_column=Column(no_wrap=True)),
            TextColumn("left", style="dim"),
            TextColumn("{task.fields[losses]}", markup=False, style="cyan"),
            console=self.console,
        )
        self._running = False

    def task(self, description: str, total: float | None = None) -> Step:
        """Begin a step with a bar of its own."""
        if not self._running:
            self._running = True
            self._bars.start()
            # For whoever forgets the context manager: the cursor comes back in any case.
            atexit.register(self._stop)
        return _TerminalStep(self._bars, self._bars.add_task(description, total=total, losses=""))

    def warn(self, line: str) -> None:
        """Write the warning above the bars."""
        from rich.text import Text

        self.console.print(Text.assemble(("warning: ", "yellow"), line), soft_wrap=True)

    def note(self, line: str) -> None:
        """Write the note above the bars."""
        self.console.print(line, markup=False, soft_wrap=True)

    def _close(self, *, failed: bool) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._running:
            self._running = False
            self._bars.stop()
            for task in list(self._bars.task_ids):
                self._bars.remove_task(task)
            atexit.unregister(self._stop)


class _TerminalStep(_Closing):
    def __init__(self, bars: RichBars, task: TaskID) -> None:
        self._bars = bars
        self._task = task
        self._loss: float | None = None
        self._validation: float | None = None

    def advance(self, amount: float = 1) -> None:
        if self._alive:
            self._bars.advance(self._task, amount)

    def update(
        self,
        *,
        completed: float | None = None,
        total: float | None = None,
        loss: float | None = None,
        validation: float | None = None,
        description: str | None = None,
    ) -> None:
        self._loss = self._loss if loss is None else loss
        self._validation = self._validation if validation is None else validation
        if self._alive:
            self._bars.update(
                self._task,
                completed=completed,
                total=total,
                description=description,
                losses=_losses(self._loss, self._validation),
            )

    def finish(self) -> None:
        self._close(failed=False)

    def _close(self, *, failed: bool) -> None:
        if not self._alive:
            return
        task = self._bars.tasks[self._bars.task_ids.index(self._task)]
        if not failed and task.finished_time is None:
            # A step may end early, by patience say: its bar is full all the same.
            done = max(task.completed, 1)
            self._bars.update(self._task, total=done, completed=done)
        self._bars.stop_task(self._task)

    @property
    def _alive(self) -> bool:
        return self._task in self._bars.task_ids


def for_stream(stream: TextIO | None = None) -> Progress:
    """Return bars if `stream` (standard error by default) is a terminal, plain lines if not."""
    where = sys.stderr if stream is None else stream
    try:
        terminal = where.isatty()
    except (AttributeError, ValueError):
        terminal = False
    return TerminalProgress(stream) if terminal else PlainProgress(stream)


def _write(stream: TextIO | None, line: str) -> None:
    # Standard error is looked up at each call: a caller may have redirected it since.
    print(line, file=sys.stderr if stream is None else stream, flush=True)


def _losses(loss: float | None, validation: float | None) -> str:
    shown = []
    if loss is not None:
        shown.append(f"loss {loss:.4g}")
    if validation is not None:
        shown.append(f"validation {validation:.4g}")
    return ", ".join(shown)


def clock_time(seconds: float) -> str:
    """Write a length of time as minutes and seconds, with hours where there are any."""
    minutes, rest = divmod(round(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
