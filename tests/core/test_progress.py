"""What the three kinds of progress write, and that they leave the terminal as it was."""

from __future__ import annotations

import io
import re

import pytest
from fxkit.progress import PlainProgress, Progress, SilentProgress, TerminalProgress, for_stream

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(autouse=True)
def _terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "160")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


def test_plain_lines_are_rate_limited_and_show_eta_and_losses(clock):
    out = io.StringIO()
    with PlainProgress(out, clock=clock) as progress, progress.task("training", 10) as step:
        for _ in range(5):
            clock.now += 2
            step.advance()
            step.update(loss=0.25, validation=0.5)
    assert out.getvalue().splitlines() == [
        "training: 30%, 0:06 gone, 0:14 left, loss 0.25, validation 0.5",
        "training: done in 0:10, loss 0.25, validation 0.5",
    ]


def test_plain_lines_without_a_total_show_the_time(clock):
    out = io.StringIO()
    progress = PlainProgress(out, clock=clock)
    step = progress.task("aligning")
    clock.now += 3700
    step.advance()
    step.finish()
    step.finish()
    assert out.getvalue().splitlines() == ["aligning: 1:01:40 gone", "aligning: done in 1:01:40"]


def test_update_sets_completed_total_and_description(clock):
    out = io.StringIO()
    step = PlainProgress(out, clock=clock).task("reading")
    clock.now += 10
    step.update(completed=25, total=100, description="writing")
    assert out.getvalue() == "writing: 25%, 0:10 gone, 0:30 left\n"


def test_a_step_that_fails_is_not_called_done(clock):
    out = io.StringIO()
    with pytest.raises(KeyError), PlainProgress(out, clock=clock).task("training", 10):
        raise KeyError
    assert out.getvalue() == "", "an error at the very start says all there is to say"

    def work() -> None:
        with PlainProgress(out, clock=clock).task("training", 10) as step:
            clock.now += 10
            step.advance()
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert out.getvalue().splitlines()[1:] == ["training: stopped after 0:10"]


def test_plain_warnings_and_notes():
    out = io.StringIO()
    progress = PlainProgress(out)
    progress.warn("clipped: 0.1 %")
    progress.note("48 takes")
    assert out.getvalue() == "warning: clipped: 0.1 %\n48 takes\n"


def test_silent_shows_warnings_only_and_on_standard_error(capsys):
    with SilentProgress() as progress, progress.task("training", 3) as step:
        step.advance()
        step.update(loss=1.0)
        progress.note("nothing to see")
        progress.warn("look out")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "warning: look out\n"


def test_terminal_shows_bars_with_losses_and_the_lines_above(clock):
    out = Terminal()
    with TerminalProgress(out) as progress, progress.task("training", 4) as step:
        step.advance(2)
        step.update(loss=0.123, validation=0.456)
        progress.warn("[red]hot[/red]")
        progress.note("[bold]x[/bold]")
    text = out.getvalue()
    for part in ("training", "100%", "loss 0.123, validation 0.456", "[red]hot[/red]", "[bold]x"):
        assert part in text


def test_the_time_left_and_the_losses_fit_into_a_narrow_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = Terminal()
    with TerminalProgress(out) as progress, progress.task("evaluate", 4):
        step = progress.task("training, 120 epochs", 4)
        step.update(completed=2, loss=0.01234, validation=0.01234)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", out.getvalue())
    lines = [line for line in re.split(r"[\r\n]", text) if "validation" in line]
    assert re.search(
        r"training, 120 epochs .* 50% \S+:\S\S:\S\S left loss 0.01234, validation 0.01234",
        lines[-1],
    )


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_the_cursor_comes_back_whatever_happens(error):
    out = Terminal()

    def work():
        with TerminalProgress(out) as progress:
            progress.task("training", 4)
            raise error

    with pytest.raises(error):
        work()
    text = out.getvalue()
    assert HIDE in text
    assert text.rindex(SHOW) > text.rindex(HIDE)


def test_steps_outlive_their_progress_without_harm():
    out = Terminal()
    with TerminalProgress(out) as progress:
        step = progress.task("training", 4)
    step.advance()
    step.update(loss=1.0)
    step.finish()


def test_the_kind_is_picked_by_the_stream():
    assert isinstance(for_stream(Terminal()), TerminalProgress)
    assert isinstance(for_stream(io.StringIO()), PlainProgress)
    closed = io.StringIO()
    closed.close()
    assert isinstance(for_stream(closed), PlainProgress)


def test_each_kind_keeps_the_protocol():
    kinds: list[Progress] = [SilentProgress(), PlainProgress(), TerminalProgress(Terminal())]
    assert len(kinds) == 3
