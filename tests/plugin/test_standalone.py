"""The standalone program, worked with keyboard and mouse: see `hosting.screen`."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from fxkit.manifest import Control, Manifest
from fxkit.registry import MODELS
from hosting.screen import Screen, program, share_of, x_server

from fxkit import artifact

ACCENT = (255, 154, 82)
GROUND = (21, 18, 16)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder of models: two good ones, and one that is damaged."""
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    cls = MODELS.get("gru")
    for file, name, knobs, esr in (
        ("clear", "Clear channel", (), 0.0004),
        ("lead", "Lead channel", ("gain", "presence", "voice"), 0.0062),
    ):
        model = cls(cls.Config(hidden=8), sample_rate=48_000, controls=len(knobs))
        manifest = Manifest(
            name=name,
            model="graph",
            task="distort",
            sample_rate=48_000,
            controls=tuple(Control(knob, 0.5) for knob in knobs),
            gear="an amp that was never built",
            author="Ada",
            metrics={"scores": {"esr": esr}},
        )
        artifact.save(folder / f"{file}.fxkit", model, manifest, probe_seconds=0.02)
    good = (folder / "lead.fxkit").read_bytes()
    (folder / "torn.fxkit").write_bytes(good[: len(good) // 2])
    return folder


@pytest.fixture
def home(tmp_path: Path, models: Path) -> Path:
    """Return a home folder with the models and without settings."""
    shutil.copytree(models, tmp_path / "models")
    return tmp_path


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., Screen]]:
    """Give a function that starts the program with arguments."""
    with contextlib.ExitStack() as running:

        def begin(*arguments: str) -> Screen:
            screen = Screen(home, *arguments)
            running.callback(screen.close)
            return screen

        yield begin


ALWAYS = {
    *("Previous model", "Next model", "Load...", "Audio...", "Bypass", "Folder...", "Filter"),
    *("List of models", "Input", "Gate", "Bass", "Middle", "Treble", "Mix", "Output"),
    *("Load IR...", "Model level", "In level", "Out level"),
}


def focusable(screen: Screen) -> list[dict[str, Any]]:
    """Return the controls, that is what the keyboard reaches, less the window itself."""
    return [
        one for one in screen.shown["components"] if one["focusable"] and one["title"] != "fxkit"
    ]


def check_places(screen: Screen) -> None:
    """Every control is inside the window and covers no other."""
    width, height = screen.shown["size"]
    controls = focusable(screen)
    for number, one in enumerate(controls):
        x, y, w, h = one["bounds"]
        assert min(x, y) >= 0, one
        assert x + w <= width, one
        assert y + h <= height, one
        assert min(w, h) >= 24, one
        for other in controls[:number]:
            u, v, s, t = other["bounds"]
            apart = x + w <= u + 2 or u + s <= x + 2 or y + h <= v + 2 or v + t <= y + 2
            assert apart, (one, other)


def await_focus(screen: Screen) -> None:
    """Wait until keys have somewhere to go: one that comes before is lost."""
    screen.wait(lambda: any(one["focused"] for one in focusable(screen)))


def test_starts_without_a_sound_card_and_shows_its_controls(start, tmp_path: Path) -> None:
    screen = start()
    screen.wait(lambda: "No sound card" in screen.status())
    assert screen.titled("Model: No model")
    controls = focusable(screen)
    assert {one["title"] for one in controls} >= ALWAYS
    assert all(one["description"] for one in controls)
    check_places(screen)
    screen.wait(lambda: screen.titled("torn, does not open"))
    screen.wait(lambda: screen.titled("Lead channel, fxkit"))
    picture = screen.picture(tmp_path / "empty.png")
    assert picture.shape[:2] == tuple(reversed(screen.shown["size"]))
    assert share_of(picture, [0, 0, 8, picture.shape[0]], GROUND) == 1
    # The mix is at its end, the bass at its middle: one arc is drawn, the other is not.
    assert share_of(picture, screen.titled("Mix")["bounds"], ACCENT) > 0.02
    assert share_of(picture, screen.titled("Bass")["bounds"], ACCENT) == 0


def test_a_model_is_found_and_loaded_with_the_keyboard(start, tmp_path: Path) -> None:
    screen = start()
    screen.wait(lambda: screen.titled("Lead channel, fxkit"))
    before = {one["title"] for one in focusable(screen)}
    await_focus(screen)
    screen.key("ctrl+f")
    screen.type("lead")
    screen.wait(lambda: not screen.titled("Clear channel, fxkit"))
    screen.key("Down", "Return")
    screen.wait(lambda: screen.titled("Model: Lead channel"))
    about = screen.titled("Model: Lead channel")["description"]
    for words in ("an amp that was never built", "Ada", "48 kHz", "0.0062, very close", "fxkit"):
        assert words in about
    assert {one["title"] for one in focusable(screen)} >= before | {"gain", "presence", "voice"}
    assert screen.titled("Lead channel, fxkit")["title"].endswith("playing")
    check_places(screen)
    picture = screen.picture(tmp_path / "loaded.png")
    for knob in ("gain", "presence", "voice"):
        assert 0.01 < share_of(picture, screen.titled(knob)["bounds"], ACCENT) < 0.2
    screen.key("Escape")


def test_a_click_loads_and_keys_step_through_the_folder(start) -> None:
    screen = start()
    screen.wait(lambda: screen.titled("Clear channel, fxkit"))
    screen.click("Clear channel, fxkit")
    screen.wait(lambda: screen.titled("Model: Clear channel"))
    assert not screen.titled("gain")
    screen.key("ctrl+Right")
    screen.wait(lambda: screen.titled("Model: Lead channel"))
    screen.key("ctrl+Left")
    screen.wait(lambda: screen.titled("Model: Clear channel"))
    # One that is damaged says so, and the window goes on.
    screen.key("ctrl+Left")
    screen.wait(lambda: "torn.fxkit" in screen.status())
    screen.click("Next model")
    screen.wait(lambda: screen.titled("Model: Clear channel"))


def test_knobs_take_keys_typing_and_the_mouse(start) -> None:
    screen = start()
    assert screen.value("Bass") == "0 dB"
    screen.click("Bass")
    screen.wait(lambda: screen.titled("Bass")["focused"])
    screen.key("Up", "Up")
    screen.wait(lambda: screen.value("Bass") == "+1 dB")
    screen.key("shift+Down")
    screen.wait(lambda: screen.value("Bass") == "+0.95 dB")
    screen.key("Delete")
    screen.wait(lambda: screen.value("Bass") == "0 dB")
    screen.click("Treble", down=0.95)
    screen.wait(lambda: screen.titled("Treble, typed"))
    screen.type("-6.5")
    screen.key("Return")
    screen.wait(lambda: screen.value("Treble") == "-6.5 dB")
    screen.click("Treble", times=2)
    screen.wait(lambda: screen.value("Treble") == "0 dB")
    screen.do("click", "4")
    screen.wait(lambda: screen.value("Treble") not in ("0 dB", None))


def test_bypass_by_key(start) -> None:
    screen = start()
    await_focus(screen)
    assert screen.value("Bypass").lower() == "off"
    screen.key("b")
    screen.wait(lambda: screen.value("Bypass").lower() == "on")
    screen.key("space")
    screen.wait(lambda: screen.value("Bypass").lower() == "off")


def test_tab_reaches_every_control(start, home: Path) -> None:
    screen = start(str(home / "models" / "lead.fxkit"))
    screen.wait(lambda: screen.titled("gain"))
    await_focus(screen)
    wanted = {one["title"] for one in focusable(screen)}
    assert wanted >= {"gain", "presence", "voice"}

    def focused() -> list[str]:
        return [one["title"] for one in screen.shown["components"] if one["focused"]]

    reached: set[str] = set()
    for _ in range(2 * len(wanted)):
        before = focused()
        screen.key("Tab")
        screen.wait(lambda before=before: focused() != before)
        reached |= set(focused())
        if reached >= wanted:
            break
    assert reached >= wanted


def test_every_size_shows_every_control(start, home: Path) -> None:
    screen = start(str(home / "models" / "lead.fxkit"))
    screen.wait(lambda: screen.titled("gain"))
    for width, height in ((640, 400), (700, 1000), (1800, 500), (1800, 1100)):
        screen.resize(width, height)
        check_places(screen)
        assert {"gain", "presence", "voice", "Bass", "Output", "Load..."} <= {
            one["title"] for one in focusable(screen)
        }
    # Where there is no room for the list, a key opens it over the knobs.
    screen.resize(640, 400)
    assert not screen.titled("List of models")
    screen.key("ctrl+l")
    screen.wait(lambda: screen.titled("Clear channel, fxkit"))
    check_places(screen)
    screen.click("Clear channel, fxkit")
    screen.wait(lambda: screen.titled("Model: Clear channel"))
    assert not screen.titled("List of models")


def test_files_given_at_the_start(start, home: Path) -> None:
    (home / "notes.txt").write_text("nothing")
    soundfile.write(home / "room.wav", np.eye(1, 64)[0], 48_000)
    screen = start(str(home / "models" / "clear.fxkit"), str(home / "room.wav"))
    screen.wait(lambda: screen.titled("Model: Clear channel"))
    screen.wait(lambda: "room" in screen.titled("Cabinet")["description"])
    screen.click("Remove cabinet")
    screen.wait(lambda: screen.titled("Cabinet")["description"] == "off")
    other = start(str(home / "notes.txt"))
    other.wait(lambda: "notes.txt is neither a model" in other.status())
    missing = start(str(home / "gone.fxkit"))
    missing.wait(lambda: "gone.fxkit" in missing.status())


def test_a_folder_without_models(start, home: Path) -> None:
    (home / "empty").mkdir()
    screen = start(str(home / "empty"))
    screen.wait(lambda: "empty" in screen.titled("Folder...")["description"])
    assert not screen.titled("Lead channel, fxkit")
    await_focus(screen)

    def told() -> bool:
        # A key that comes before the focus is lost.
        screen.key("ctrl+Right")
        time.sleep(0.5)
        return "no models in" in screen.status()

    screen.wait(told, 60)
    assert screen.titled("Model: No model")


def test_the_session_comes_back(home: Path) -> None:
    screen = Screen(home, str(home / "models" / "lead.fxkit"))
    try:
        screen.wait(lambda: screen.titled("gain"))
        screen.click("gain", down=0.95)
        screen.wait(lambda: screen.titled("gain, typed"))
        screen.type("8")
        screen.key("Return")
        screen.wait(lambda: screen.value("gain").startswith("8"))
        screen.resize(1200, 700)
    finally:
        screen.close()
    again = Screen(home)
    try:
        again.wait(lambda: again.titled("Model: Lead channel"))
        again.wait(lambda: again.value("gain").startswith("8"))
        assert again.shown["size"] == [1200, 700]
    finally:
        again.close()


@pytest.mark.parametrize("words", [["--loud"], ["--scale", "0"], ["--scale"]])
def test_an_unknown_option_is_one_line(words: list[str]) -> None:
    binary = program()
    server, display = x_server("640x480")
    try:
        ran = subprocess.run(
            [str(binary), *words],
            env={**os.environ, "DISPLAY": display},
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        server.terminate()
        server.wait()
    assert ran.returncode == 2
    assert ran.stderr.startswith("fxkit: ")
    assert len(ran.stderr.splitlines()) == 1
