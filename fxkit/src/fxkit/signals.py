"""Ctrl-C that cannot be lost on the way.

Python raises `KeyboardInterrupt` in whatever it is doing. In the clean-up of an object it can only
print the exception and go on, and native code that takes any exception for a "no" drops it without
a word. A training is inside PyTorch most of the time, which has such places.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

__all__ = ["Reminder"]


class Reminder:
    """A context that remembers SIGINT and SIGTERM, and brings them up again when asked.

    Whoever runs a loop inside calls `check` where an exception is welcome. The handlers that were
    there before are called at once, as ever. Off the main thread, where Python runs no handlers,
    it does nothing.
    """

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._heard: int | None = None
        self._held = False

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                before = signal.getsignal(number)
                # What is ignored, or left to the system, is none of ours.
                if callable(before):
                    self._before[number] = before
                    signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before.clear()

    def check(self) -> None:
        """Call the handler of the signal that came; it raises what it raised before.

        Raises
        ------
        KeyboardInterrupt
            After Ctrl-C, with Python's own handler.
        """
        if self._heard is not None:
            number, self._heard = self._heard, None
            self._before[number](number, None)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Return a context that is left whole: a signal that comes meanwhile waits for its end.

        What came before it is not brought up there: whoever winds up after a Ctrl-C comes by, too.
        """
        earlier, self._heard, self._held = self._heard, None, True
        try:
            yield
        finally:
            self._held = False
        self.check()
        self._heard = earlier

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._heard = number
        if not self._held:
            self._before[number](number, frame)
