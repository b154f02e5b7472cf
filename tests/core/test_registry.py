"""Registries, against distributions that are made on disk for the purpose."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fxkit.errors import PluginError
from fxkit.registry import MODELS, Registry, nearest

TONES = Registry("tone", "toybox.tones", "toybox_contract:Tone")

CONTRACT = '''
from abc import ABC, abstractmethod
from dataclasses import dataclass

class Tone(ABC):
    @dataclass(frozen=True)
    class Config:
        """Nothing to set."""
    @abstractmethod
    def sound(self): ...
'''

GOOD = '''
from toybox_contract import Tone

class Warm(Tone):
    """A warm tone.

    With more to say about it.
    """
    def sound(self): return 1
'''


class Site:
    """A directory on sys.path into which distributions are put."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "toybox_contract.py").write_text(CONTRACT)

    def add(self, name: str, points: str, code: str = "", *, version: str = "1.0") -> None:
        module = name.replace("-", "_")
        info = self.root / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[console_scripts]\nx = y:z\n\n{points}\n")
        if code:
            (self.root / f"{module}.py").write_text(code)


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Site(tmp_path)
    for name, module in list(sys.modules.items()):
        if str(tmp_path) in str(getattr(module, "__file__", "")):
            del sys.modules[name]


def test_listing_imports_nothing(site):
    site.add("toy-warm", "[toybox.tones]\nwarm = toy_warm:Warm", "raise RuntimeError('imported')")
    assert TONES.names() == ["warm"]
    [entry] = TONES.entries()
    assert (entry.name, entry.distribution, entry.version) == ("warm", "toy-warm", "1.0")
    assert entry.value == "toy_warm:Warm"
    assert "toy_warm" not in sys.modules


def test_get_imports_only_the_one_asked_for(site):
    site.add("toy-warm", "[toybox.tones]\nwarm = toy_warm:Warm", GOOD)
    site.add("toy-bad", "[toybox.tones]\nbad = toy_bad:Bad", "raise RuntimeError('no')")
    assert TONES.get("warm")().sound() == 1
    assert "toy_bad" not in sys.modules


def test_summary_is_the_first_line_of_the_docstring(site):
    site.add("toy-warm", "[toybox.tones]\nwarm = toy_warm:Warm", GOOD)
    status = TONES.status("warm")
    assert status.summary == "A warm tone."
    assert status.problem == ""


@pytest.mark.parametrize(
    ("value", "code", "reason"),
    [
        ("toy:Bad", "raise RuntimeError('the disk\\n is missing')", "RuntimeError: the disk is"),
        ("toy:Bad", "import nowhere_to_be_found", "ModuleNotFoundError: No module named"),
        ("toy:Bad", "def f(:", "SyntaxError"),
        ("toy:Bad", "import sys; sys.exit(3)", "SystemExit: 3"),
        ("toy:Bad", "Good = 1", "AttributeError"),
        ("toy:Bad", "Bad = 1", "is not a class but int"),
        ("toy:Bad", "class Bad: pass", "is not a subclass of toybox_contract.Tone"),
        (
            "toy:Bad",
            "from toybox_contract import Tone\nclass Bad(Tone): pass",
            "does not implement sound",
        ),
        (
            "toy:Bad",
            GOOD.replace("Warm", "Bad") + "    Config = dict",
            "has a Config that is not a frozen dataclass",
        ),
        ("not a value", "", "'not a value' is not module:Class"),
        ("", "", "is not module:Class"),
    ],
)
def test_a_broken_plugin_is_reported_and_stops_no_other(site, value, code, reason):
    site.add("toy", f"[toybox.tones]\nbad = {value}", code, version="2.5")
    site.add("toy-warm", "[toybox.tones]\nwarm = toy_warm:Warm", GOOD)
    with pytest.raises(PluginError) as caught:
        TONES.get("bad")
    message = str(caught.value)
    assert message.startswith("tone 'bad' of package toy 2.5 is broken: ")
    assert reason in message
    assert "\n" not in message
    assert TONES.status("bad").problem == message
    assert TONES.names() == ["bad", "warm"]
    assert TONES.get("warm")().sound() == 1


def test_ctrl_c_during_an_import_is_not_taken_for_a_broken_plugin(site):
    site.add("toy", "[toybox.tones]\nbad = toy:Bad", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        TONES.get("bad")


def test_two_distributions_with_one_name_are_both_named(site):
    site.add("toy-a", "[toybox.tones]\nwarm = toy_a:Warm", GOOD)
    site.add("toy-b", "[toybox.tones]\nwarm = toy_b:Warm\ncold = toy_b:Warm", GOOD, version="0.3")
    with pytest.raises(PluginError, match=r"claimed by toy-a 1\.0 and toy-b 0\.3; uninstall one"):
        TONES.get("warm")
    assert TONES.names() == ["cold", "warm"]
    assert len(TONES.status("warm").entries) == 2
    assert "toy-a" in TONES.status("warm").problem
    assert TONES.get("cold").__name__ == "Warm"


def test_the_same_distribution_twice_on_the_path_is_no_clash(site, tmp_path, monkeypatch):
    site.add("toy-a", "[toybox.tones]\nwarm = toy_a:Warm", GOOD)
    other = tmp_path / "other"
    other.mkdir()
    Site(other).add("Toy_A", "[toybox.tones]\nwarm = toy_a:Warm", GOOD, version="0.9")
    monkeypatch.syspath_prepend(str(other))
    assert [entry.version for entry in TONES.entries()] == ["0.9"]


def test_an_unknown_name_gets_the_nearest(site):
    site.add("toy-a", "[toybox.tones]\nwarm = toy_a:Warm\nwarmer = toy_a:Warm", GOOD)
    with pytest.raises(PluginError, match=r"^no tone 'wram'; did you mean warm or warmer\?$"):
        TONES.get("wram")
    with pytest.raises(PluginError, match=r"^no tone 'xyz'; there is warm, warmer$"):
        TONES.get("xyz")
    with pytest.raises(PluginError, match="no tone 'xyz'"):
        TONES.status("xyz")


def test_with_nothing_installed_the_message_says_what_to_install():
    with pytest.raises(PluginError, match=r"pip install 'fxkit\[all\]'"):
        Registry("tone", "toybox.nothing", "toybox_contract:Tone").get("warm")


def test_damaged_metadata_stops_nothing(site):
    site.add("toy-warm", "[toybox.tones]\nwarm = toy_warm:Warm", GOOD)
    info = site.root / "nameless-1.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[toybox.tones]\nodd\n[other]\nfoo = bar:Baz\n")
    assert TONES.names() == ["odd", "warm"]
    assert "(unnamed distribution)" in TONES.status("odd").problem
    assert TONES.get("warm")().sound() == 1


def test_extras_in_an_entry_point_are_ignored(site):
    site.add("toy-a", "[toybox.tones]\n# a comment\nwarm = toy_a:Warm [speed]", GOOD)
    assert TONES.get("warm").__name__ == "Warm"


def test_nearest_ignores_case_and_says_nothing_when_nothing_is_near():
    assert nearest("GRU", ["gru", "lstm"]) == ["gru"]
    assert nearest("zzz", ["gru", "lstm"]) == []


def test_names_do_not_import_torch():
    code = (
        "import sys; from fxkit.registry import MODELS, LOSSES, TASKS, FORMATS\n"
        "assert 'distort' in TASKS.names(); MODELS.names(); LOSSES.names(); FORMATS.names()\n"
        "assert 'torch' not in sys.modules and 'fxkit.model' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_contract_of_models_is_fxkits():
    assert MODELS.contract == "fxkit.model:Model"
