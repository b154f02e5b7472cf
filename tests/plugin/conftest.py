"""The models that all tests play, made once, and a pedalboard that needs no screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from hosting import bundles
from hosting.models import KINDS, Made


@pytest.fixture
def no_screen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the plug-in from the user's screen and models."""
    # Without the variable JUCE connects to the first screen.
    monkeypatch.setenv("DISPLAY", ":4242")
    monkeypatch.setenv("FXKIT_MODELS", str(tmp_path / "no-models"))
    monkeypatch.delenv("FXKIT_MODEL", raising=False)


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Let PyTorch, which makes the models, compute on one thread: they are small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    """Return the model of a kind (see `hosting.models.KINDS`)."""
    folder = tmp_path_factory.mktemp("models")
    there: dict[str, Made] = {}

    def get(kind: str) -> Made:
        if kind not in there:
            there[kind] = KINDS[kind](folder)
        return there[kind]

    return get


@pytest.fixture(scope="session")
def pedalboard() -> ModuleType:
    return pytest.importorskip("pedalboard", reason="pedalboard is not installed (pip)")


@pytest.fixture
def open_vst3(pedalboard: ModuleType, no_screen: None) -> Callable[[], Any]:
    """Return a function that loads one more instance of the VST3."""
    path = bundles.find("VST3")
    return lambda: pedalboard.load_plugin(f"{path}/")


@pytest.fixture
def plugin(open_vst3: Callable[[], Any]) -> Any:
    return open_vst3()
