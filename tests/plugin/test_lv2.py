"""The LV2 in a second host, on liblilv: changing blocks, state, slow models; its Turtle."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hosting import bundles
from hosting.lv2 import Plugin
from hosting.models import KINDS, Made, save, shipped
from hosting.signals import guitar, slope

TOLERANCE = 1e-4
MIXED = (1, 300, 7, 4096, 64, 1, 1000, 2, 8192, 511)

Open = Callable[..., Plugin]


@pytest.fixture
def start(no_screen: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Return a function that starts the LV2 with a model, as the environment can ask for."""
    opened: list[Plugin] = []

    def begin(rate: int, model: Path | None = None, *, offline: bool = True) -> Plugin:
        with monkeypatch.context() as patch:
            if model:
                patch.setenv("FXKIT_MODEL", str(model))
            opened.append(Plugin(rate, offline=offline))
        return opened[-1]

    yield begin
    for plugin in opened:
        plugin.close()


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("kind", KINDS)
def test_mixed_blocks_play_what_render_gives(
    start: Open, made: Callable[[str], Made], kind: str, rate: int
) -> None:
    model = made(kind)
    # What is loaded before the first block plays even where this machine is busy: offline.
    plugin = start(rate, model.path)
    x = guitar(rate, rate, 2)
    heard = plugin.play(x, MIXED)
    late = plugin.latency
    assert (late > 0) == (rate != model.rate)
    expected = model.render(x, rate)
    assert np.abs(heard[:, late:] - expected[:, : rate - late]).max() <= TOLERANCE
    assert not heard[:, :late].any()


def test_state_goes_into_a_second_instance(start: Open, made: Callable[[str], Made]) -> None:
    model = made("knobs")
    stored = start(48_000, model.path).store()
    second = start(96_000)
    second.play(np.zeros((2, 64), np.float32), (64,))  # now it knows that it is offline
    second.restore(stored)
    x = guitar(96_000, 48_000, 2)
    silence = np.zeros((2, 9_600), np.float32)  # while it fades in
    heard = second.play(np.concatenate((silence, x), axis=1), (512,))
    late = second.latency
    assert late == 168
    expected = model.render(x, 96_000, silence=9_600)
    assert np.abs(heard[:, 9_600 + late :] - expected[:, : 48_000 - late]).max() <= TOLERANCE
    assert second.store() == stored


def test_not_enabled_is_the_dry_sound_as_late_as_the_model(
    start: Open, made: Callable[[str], Made]
) -> None:
    plugin = start(48_000, made("gru").path)
    x = guitar(48_000, 24_000, 2)
    plugin.controls["enabled"][0] = 0
    plugin.play(x, (512,))  # glides there
    heard = plugin.play(x, (512,))
    late = plugin.latency
    assert late == 91
    np.testing.assert_array_equal(heard[:, late:], x[:, :-late])


def test_restoring_while_it_plays_fades(start: Open, made: Callable[[str], Made]) -> None:
    models = [made("lstm"), made("wavenet")]  # of the host's rate
    states = [start(48_000, model.path).store() for model in models]
    plugin = start(48_000, models[0].path)
    x = guitar(48_000, 48_000, 2)
    parts = []
    for block in range(100):
        if block in (20, 60):
            plugin.restore(states[1 if block == 20 else 0])
        parts.append(plugin.play(x[:, 480 * block : 480 * (block + 1)], (480,)))
    heard = np.concatenate(parts, axis=1)
    outputs = [model.render(x, 48_000) for model in models]
    steepest = max(slope(y) for y in outputs) + 2 * max(np.abs(y).max() for y in outputs) / 960
    assert slope(heard) <= 1.05 * steepest
    # After the fade, and what the model remembers of before.
    assert np.abs(heard[:, 24_000:28_800] - outputs[1][:, 24_000:28_800]).max() <= 1e-3
    assert np.abs(heard[:, 43_200:] - outputs[0][:, 43_200:]).max() <= 1e-3


def test_a_model_too_slow_to_play_is_held_unless_offline(start: Open, tmp_path: Path) -> None:
    slow = shipped("gru", rate=1_000_000, hidden=160)  # 77 billion products a second
    path = tmp_path / "slow.fxkit"
    model = save(path, slow, name="slow")
    x = guitar(48_000, 960, 2)
    live = start(48_000, path, offline=False)
    np.testing.assert_array_equal(live.play(x, (512,)), x)
    assert live.latency == 0
    assert 'confirmed="1"' not in live.store()
    live.controls["freeWheeling"][0] = 1  # the host exports
    silence = np.zeros((2, 1_920), np.float32)  # while it fades in
    heard = live.play(np.concatenate((silence, x), axis=1), (480,))
    late = live.latency
    assert late > 0
    expected = model.render(x, 48_000, silence=1_920)[:, : 960 - late]
    assert np.abs(heard[:, 1_920 + late :] - expected).max() <= TOLERANCE


def test_the_bundle_describes_itself_in_valid_turtle() -> None:
    bundle = bundles.find("LV2")
    if not shutil.which("lv2_validate") or not shutil.which("sord_validate"):
        pytest.skip("lv2_validate or sord_validate are not installed (lv2-dev, sordi)")
    files = [str(path) for path in sorted(bundle.glob("*.ttl"))]
    assert len(files) >= 3
    done = subprocess.run(
        ["lv2_validate", *files], capture_output=True, text=True, timeout=60, check=False
    )
    said = done.stdout + done.stderr
    assert "restrictions" in said, said
    # What JUCE writes of every plug-in: parameters with the properties of ports, programs that are
    # not described, and a project that is not called one.
    known = ("lv2core#portProperty", "plugin:Program", "doap#maintainer", "doap#release",
             "extensions/ui#noUserResize", "options#interface")  # fmt: skip
    errors = re.split(r"(?=^error: )", said, flags=re.MULTILINE)[1:]
    assert not [error for error in errors if not any(word in error for word in known)]


def test_lv2info_finds_name_units_and_latency() -> None:
    bundle = bundles.find("LV2")
    if not shutil.which("lv2info"):
        pytest.skip("lv2info is not installed (lilv-utils)")
    done = subprocess.run(
        ["lv2info", bundles.LV2_URI],
        env={"LV2_PATH": f"{bundle.parent}:/usr/lib/lv2", "PATH": "/usr/bin"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert re.search(r"Name:\s+fxkit", done.stdout), done.stdout + done.stderr
    assert re.search(r"Has latency:\s+yes", done.stdout)
    assert done.stdout.count("ports#AudioPort") + done.stdout.count("lv2core#AudioPort") == 4
