"""The standalone program on a screen of its own, worked with keyboard and mouse.

The program prints what its window shows (``--describe``); what is checked is that, and the picture.
It needs the built program (``make plugin``, or ``FXKIT_PLUGIN``) and Xvfb, xdotool, ImageMagick.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[3]


def program() -> Path:
    """Return the built program, or skip the test."""
    folder = os.environ.get("FXKIT_PLUGIN")
    base = Path(folder) if folder else ROOT / "build" / "plugin" / "fxkit_artefacts" / "Release"
    found = base / "Standalone" / "fxkit"
    if not found.exists():
        pytest.skip("the standalone is not built (make plugin)")
    for tool in ("Xvfb", "xdotool", "import"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    return found


def x_server(size: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start an X server of our own; return it and the display that it chose."""
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", f"{size}x24", "-nolisten", "tcp"],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with os.fdopen(reader) as number:
        return server, ":" + number.readline().strip()


class Screen:
    """The window of one running program."""

    def __init__(self, home: Path, *arguments: str, size: str = "1920x1200") -> None:
        binary = program()
        self.server, display = x_server(size)
        self.environment = {
            **{key: os.environ[key] for key in ("PATH",)},
            "DISPLAY": display,
            "HOME": str(home),
            "FXKIT_MODELS": str(home / "models"),
            # No sound card, whatever this machine has.
            "ALSA_CONFIG_PATH": os.devnull,
            "JACK_DEFAULT_SERVER": "fxkit-none",
            "LC_ALL": "C.UTF-8",
        }
        self.program = subprocess.Popen(
            [str(binary), "--describe", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.shown: dict[str, Any] = {"size": [0, 0], "components": []}
        self.lines = threading.Thread(target=self._read, daemon=True)
        self.lines.start()
        try:
            self.wait(lambda: self.titled("Status"))
            found = self.do("search", "--pid", str(self.program.pid), "--name", "fxkit")
            self.window = found.split()[-1]
            # Without a window manager the keyboard goes to a window that was clicked: on nothing.
            self.do("mousemove", "--window", self.window, "4", "4", "click", "1")
        except BaseException:
            self.close()
            raise

    def _read(self) -> None:
        assert self.program.stdout
        for line in self.program.stdout:
            self.shown = json.loads(line)

    def close(self) -> None:
        """End the program as Ctrl-C does, and the screen."""
        self.program.send_signal(signal.SIGINT)
        try:
            self.program.wait(60)
        finally:
            self.program.kill()
            self.lines.join()
            assert self.program.stdout
            self.program.stdout.close()
            self.server.terminate()
            self.server.wait()

    def do(self, *words: str) -> str:
        """Run xdotool."""
        return subprocess.run(
            ["xdotool", *words], env=self.environment, check=True, capture_output=True, text=True
        ).stdout

    def key(self, *keys: str) -> None:
        """Press keys, one after the other."""
        self.do("key", "--delay", "30", *keys)

    def type(self, text: str) -> None:
        """Type a text."""
        self.do("type", "--delay", "20", "--", text)

    def titled(self, title: str) -> dict[str, Any] | None:
        """Return the component whose title begins with ``title``."""
        all_of = self.shown["components"]
        exact = [one for one in all_of if one["title"] == title]
        return next(iter(exact or [one for one in all_of if one["title"].startswith(title)]), None)

    def value(self, title: str) -> str | None:
        """Return the value that a component shows."""
        one = self.titled(title)
        return one.get("value") if one else None

    def status(self) -> str:
        """Return the status line."""
        one = self.titled("Status")
        return one["description"] if one else ""

    def wait(self, condition: Callable[[], object], seconds: float = 20) -> None:
        """Wait until something holds; fail with what the window shows."""
        end = time.monotonic() + seconds
        while not condition():
            assert self.program.poll() is None, "the program ended"
            if time.monotonic() > end:
                titles = [
                    (one["title"], one.get("value"), one["description"])
                    for one in self.shown["components"]
                ]
                raise AssertionError(f"in vain: {titles}")
            time.sleep(0.05)

    def click(self, title: str, *, times: int = 1, down: float = 0.5) -> None:
        """Click a component; ``down`` is where, from its top."""
        one = self.titled(title)
        assert one, title
        x, y, width, height = one["bounds"]
        place = (str(x + width // 2), str(y + int(height * down)))
        self.do("mousemove", "--window", self.window, *place)
        self.do("click", "--repeat", str(times), "--delay", "80", "1")

    def resize(self, width: int, height: int) -> None:
        """Ask for another size of the window, and wait until it is laid out."""
        self.do("windowsize", self.window, str(width), str(height))
        self.wait(lambda: self.shown["size"] == [width, height])

    def picture(self, path: Path) -> np.ndarray:
        """Return what is on the screen inside the window, ``[height, width, 3]``, once it rests."""
        self.do("mousemove", "0", "0")
        before = None
        for _ in range(40):
            time.sleep(0.6)
            subprocess.run(
                ["import", "-window", self.window, str(path)], env=self.environment, check=True
            )
            with Image.open(path) as image:
                now = np.asarray(image.convert("RGB")).astype(int)
            if before is not None and np.array_equal(before, now):
                return now
            before = now
        raise AssertionError("the picture never rests")


def share_of(picture: np.ndarray, bounds: list[int], wanted: tuple[int, int, int]) -> float:
    """Return the share of pixels within ``bounds`` that have a colour, nearly."""
    x, y, width, height = bounds
    part = picture[y : y + height, x : x + width]
    return float((np.abs(part - np.array(wanted)).max(axis=-1) <= 12).mean())
