import signal
import sys
import threading

import pytest
from fxkit.signals import Reminder


@pytest.fixture(autouse=True)
def own_handlers():
    """Whatever the tests were started from: SIGINT raises, SIGTERM is left to the system."""
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Clumsy:
    """Is being cleaned up when Ctrl-C comes."""

    def __del__(self):
        signal.raise_signal(signal.SIGINT)


def test_a_signal_is_raised_at_once():
    with Reminder(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_what_a_destructor_loses_is_brought_up_again(monkeypatch):
    lost = []
    monkeypatch.setattr(sys, "unraisablehook", lambda it: lost.append(it.exc_type))
    with Reminder() as reminder:
        Clumsy()
        assert lost == [KeyboardInterrupt]
        with pytest.raises(KeyboardInterrupt):
            reminder.check()
        reminder.check()


def test_without_a_signal_a_check_does_nothing():
    with Reminder() as reminder:
        reminder.check()


def test_handlers_are_given_back():
    with Reminder():
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_handler_that_was_there_decides():
    def end(number, frame):
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)
    with Reminder(), pytest.raises(SystemExit) as raised:
        signal.raise_signal(signal.SIGTERM)
    assert raised.value.code == 128 + signal.SIGTERM


def test_other_threads_are_left_alone():
    def enter():
        with Reminder() as reminder:
            reminder.check()

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_is_held_waits():
    done = []

    def work(reminder):
        with reminder.held():
            signal.raise_signal(signal.SIGINT)
            done.append("the rest")

    with Reminder() as reminder, pytest.raises(KeyboardInterrupt):
        work(reminder)
    assert done == ["the rest"]


def test_winding_up_after_a_signal_is_not_cut_short_by_it():
    with Reminder() as reminder:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with reminder.held():
            pass
        with pytest.raises(KeyboardInterrupt):
            reminder.check()
