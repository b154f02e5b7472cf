"""Ardour without a screen: a session made by a script, exported by its own command.

Ardour's Lua has no import of sound files, so the region is written into the session's XML.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import soundfile

from . import bundles
from .signals import Samples

LIBRARY = Path("/usr/lib/ardour7")
CLOCK = 282_240_000  # ticks a second of the times in a session's XML


def need() -> None:
    """Skip the test where Ardour 7 is not installed."""
    for tool in ("ardour7-lua", "ardour7-export"):
        if not shutil.which(tool):
            pytest.skip("Ardour 7 is not installed (Debian's package ardour)")


@dataclass
class Ardour:
    """An Ardour with a home of its own, in which the plug-in is installed.

    home: an empty folder. kind: LV2 or VST3.
    """

    home: Path
    kind: str
    id: str = field(init=False)

    def __post_init__(self) -> None:
        need()
        bundle = bundles.find(self.kind)
        there = self.home / f".{self.kind.lower()}" / bundle.name
        shutil.copytree(bundle, there)
        self.id = bundles.LV2_URI if self.kind == "LV2" else self._scan(there)

    def _scan(self, bundle: Path) -> str:
        """Let Ardour's scanner load the VST3; return the identifier it found."""
        done = self._run([str(LIBRARY / "ardour-vst3-scanner"), "--force", str(bundle)])
        found = [p.read_text() for p in self.home.rglob("*.v3i")]
        assert len(found) == 1, done
        uid = ET.fromstring(found[0]).find("VST3Info")
        assert uid is not None, found[0]
        return uid.get("uid", "")

    def _run(self, command: list[str], **variables: str) -> str:
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "FXKIT_"))},
            "HOME": str(self.home),
            "LD_LIBRARY_PATH": str(LIBRARY),
            "ARDOUR_DLL_PATH": str(LIBRARY),
            "ARDOUR_DATA_PATH": "/usr/share/ardour7",
            "ARDOUR_CONFIG_PATH": "/etc/ardour7",
            "LV2_PATH": f"{self.home}/.lv2:/usr/lib/lv2",
            "DISPLAY": ":4242",
            # Ardour's plain routines: the one of 7.3 that mixes with AVX-512 writes up to seven
            # samples past the buffer, and an export in fifty ends in a broken heap.
            "ARDOUR_FPU_FLAGS": "0",
            **variables,
        }
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=280, check=False
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{said}"
        return said

    def session(
        self, folder: Path, rate: int, *, channels: int, model: Path | None, late: bool = False
    ) -> int:
        """Make a session whose track plays through the plug-in; return the latency it reports.

        late: whether there will be one, so that it is worth waiting for.
        """
        script = Path(__file__).with_name("make_session.lua")
        said = self._run(
            [
                *("ardour7-lua", str(script), str(folder), str(rate), self.id, self.kind),
                *(str(channels), "30" if late else "2"),
            ],
            **({"FXKIT_MODEL": str(model)} if model else {}),
        )
        latency = re.search(r"latency: (\d+)", said)
        assert latency, said
        return int(latency[1])

    def export(self, folder: Path) -> Samples:
        """Render the session's range; return what leaves the master, ``[channels, frames]``."""
        out = folder.parent / f"{folder.name}.wav"
        self._run(["ardour7-export", "-b", "float", "-o", str(out), str(folder), "session"])
        samples, _ = soundfile.read(out, dtype="float32", always_2d=True)
        return np.ascontiguousarray(samples.T)


def place(folder: Path, x: Samples, rate: int, *, at: int = 0) -> None:
    """Put ``[channels, frames]`` on the track, `at` samples from the start; export that."""
    path = folder / "session.ardour"
    tree = ET.parse(path)
    root = tree.getroot()
    assert root.get("sample-rate") == str(rate)
    channels, frames = x.shape
    tick = CLOCK // rate
    start, length = at * tick, frames * tick
    region = ET.fromstring(
        f'<Region name="guitar" id="9100" type="audio" channels="{channels}" start="a0" '
        f'length="a{length}@a{start}" sync-position="a0" ancestral-start="a0" '
        'ancestral-length="a0@a0" stretch="1" shift="1" opaque="1" scale-amplitude="1" '
        'muted="0" locked="0" video-locked="0" automatic="0" whole-file="0" import="0" '
        'external="0" hidden="0" position-locked="0" layering-index="0" envelope-active="0" '
        'default-fade-in="0" default-fade-out="0" fade-in-active="0" fade-out-active="0"/>'
    )
    for c in range(channels):
        name = f"guitar-{c}.wav"
        to = folder / "interchange" / folder.name / "audiofiles" / name
        soundfile.write(to, x[c], rate, subtype="FLOAT")
        source = {"name": name, "id": str(9000 + c), "type": "audio", "flags": ""}
        ET.SubElement(
            _find(root, "Sources"), "Source", source | {"channel": "0", "origin": "", "gain": "1"}
        )
        region.set(f"source-{c}", str(9000 + c))
        region.set(f"master-source-{c}", str(9000 + c))
    _find(root, "Playlists/Playlist").append(region)
    session = {"id": "9200", "name": "session", "flags": "IsSessionRange", "locked": "0"}
    times = {"start": f"a{start}", "end": f"a{start + length}", "timestamp": "0", "cue": "0"}
    ET.SubElement(_find(root, "Locations"), "Location", session | times)
    root.set("id-counter", "9300")
    tree.write(path, encoding="UTF-8", xml_declaration=True)


def _find(root: ET.Element, path: str) -> ET.Element:
    found = root.find(path)
    assert found is not None, path
    return found
