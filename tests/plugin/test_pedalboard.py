"""The VST3 in pedalboard: the samples of `fxkit render`, whatever the rate and the blocks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hosting.bundles import ROOT
from hosting.models import KINDS, KNOBS, Made
from hosting.pedals import play, stream
from hosting.signals import guitar
from hosting.state import Stored, change, wrap

import fxkit

TOLERANCE = 1e-4
RATES = (44_100, 48_000, 96_000)

# pedalboard's name, the plug-in's, unit, range, what it shows at first
PARAMETERS = [
    ("input_db", "Input", "dB", (-24.0, 24.0), "0"),
    ("gate_db", "Gate", "dB", None, "Off"),
    ("bass_db", "Bass", "dB", (-12.0, 12.0), "0"),
    ("mid_db", "Mid", "dB", (-12.0, 12.0), "0"),
    ("treble_db", "Treble", "dB", (-12.0, 12.0), "0"),
    ("mix", "Mix", "%", (0.0, 100.0), "100"),
    ("output_db", "Output", "dB", (-24.0, 24.0), "0"),
    ("level", "Level", None, None, "Raw"),
    ("bypass", "Bypass", None, None, "Off"),
    ("previous_model", "Previous model", None, None, "Off"),
    ("next_model", "Next model", None, None, "Off"),
    *((f"knob_{i}", f"Knob {i}", None, (0.0, 10.0), "5") for i in range(1, 9)),
]


def load(plugin: Any, model: Made) -> None:
    """Load a model, even where this machine is so busy that it could not be played live."""
    change(plugin, model=model.path, confirmed="1")


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("kind", KINDS)
def test_plays_what_render_gives(
    plugin: Any, made: Callable[[str], Made], kind: str, rate: int
) -> None:
    model = made(kind)
    load(plugin, model)
    x = guitar(rate, rate // 2, 2)
    knobs = {knob.name: 0.5 for knob in KNOBS} if kind == "knobs" else {}
    expected = model.render(x, rate, **knobs)
    assert np.abs(expected).max() > 0.05
    assert np.abs(expected - x).max() > 0.05
    for block in (7, 64, 512, 4096):
        assert np.abs(play(plugin, x, rate, block=block) - expected).max() <= TOLERANCE, block
    short = x[:, : rate // 10]
    one_by_one = model.render(short, rate, **knobs)
    assert np.abs(play(plugin, short, rate, block=1) - one_by_one).max() <= TOLERANCE
    assert np.abs(play(plugin, x[:1], rate, block=512) - expected[:1]).max() <= TOLERANCE

    late = plugin.reported_latency_samples
    assert (late > 0) == (rate != model.rate)
    mixed = stream(plugin, x, rate, (4096, 1000, 999, 512, 300, 300, 64, 63, 7, 7, 3))
    assert mixed.shape[1] > 7_000
    assert np.abs(mixed[:, late:] - expected[:, : mixed.shape[1] - late]).max() <= TOLERANCE
    assert not mixed[:, :late].any()


@pytest.mark.parametrize("level", ["light", "medium", "heavy"])
def test_the_demo_models_play_what_render_gives(plugin: Any, level: str) -> None:
    path = ROOT / "cpp" / "plugin" / "models" / f"demo-{level}.fxkit"
    model = Made(path, fxkit.open(path))
    load(plugin, model)
    x = guitar(48_000, 24_000, 2)
    expected = model.render(x, 48_000)
    assert np.abs(expected - x).max() > 0.05
    assert np.abs(play(plugin, x, 48_000) - expected).max() <= TOLERANCE


def test_without_a_model_no_bit_changes(plugin: Any) -> None:
    x = guitar(48_000, 10_000, 2)
    np.testing.assert_array_equal(play(plugin, x, 48_000), x)
    assert plugin.reported_latency_samples == 0


def test_parameters_have_names_units_and_ranges(plugin: Any) -> None:
    assert list(plugin.parameters) == [python for python, *_ in PARAMETERS]
    for python, name, unit, limits, shown in PARAMETERS:
        parameter = plugin.parameters[python]
        assert parameter.name == name
        assert parameter.units == unit
        assert parameter.string_value == shown
        if limits:
            assert parameter.range[:2] == limits
    assert plugin.parameters["gate_db"].valid_values[1] == "-99.9"
    assert plugin.parameters["gate_db"].valid_values[-1] == "0"


def test_knobs_have_the_names_and_defaults_of_the_model(
    open_vst3: Callable[[], Any], made: Callable[[str], Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = made("knobs")
    monkeypatch.setenv("FXKIT_MODEL", str(model.path))
    plugin = open_vst3()
    assert [plugin.parameters[k.name].string_value for k in KNOBS] == ["3", "8"]
    x = guitar(48_000, 24_000, 2)
    assert np.abs(play(plugin, x, 48_000) - model.render(x, 48_000)).max() <= TOLERANCE
    plugin.drive, plugin.tone = 9.0, 1.5
    turned = model.render(x, 48_000, drive=0.9, tone=0.15)
    assert np.abs(turned - model.render(x, 48_000)).max() > 0.01
    assert np.abs(play(plugin, x, 48_000) - turned).max() <= TOLERANCE


def test_state_goes_into_a_second_instance(
    open_vst3: Callable[[], Any], made: Callable[[str], Made]
) -> None:
    first = open_vst3()
    load(first, made("knobs"))
    first.input_db, first.gate_db, first.bass_db, first.mid_db = 3.0, "-60", 4.5, -6.0
    first.treble_db, first.mix, first.output_db, first.level = 2.0, 75.0, -3.5, "Normalised"
    list(first.parameters.values())[12].raw_value = 0.125  # whatever it is called by now
    set_up = [parameter.string_value for parameter in first.parameters.values()]
    assert set_up[:9] == ["+3", "-60", "+4.5", "-6", "+2", "75", "-3.5", "Normalised", "Off"]
    assert set_up[11:13] == ["5", "1.25"]
    x = guitar(48_000, 24_000, 2)
    expected = play(first, x, 48_000)
    second = open_vst3()
    assert np.abs(play(second, x, 48_000) - expected).max() > 0.01
    second.raw_state = first.raw_state
    assert [parameter.string_value for parameter in second.parameters.values()] == set_up
    np.testing.assert_array_equal(play(second, x, 48_000), expected)
    assert Stored.of(second).data == Stored.of(first).data
    # An older state leaves nothing behind of a newer one.
    second.raw_state = open_vst3().raw_state
    np.testing.assert_array_equal(play(second, x, 48_000), x)


def test_bypass_is_the_dry_sound_as_late_as_the_model(
    plugin: Any, made: Callable[[str], Made]
) -> None:
    load(plugin, made("gru"))
    plugin.input_db, plugin.output_db, plugin.treble_db, plugin.bypass = 6.0, -12.0, 6.0, True
    x = guitar(48_000, 24_000, 2)
    np.testing.assert_array_equal(play(plugin, x, 48_000), x)
    late = plugin.reported_latency_samples
    assert late > 0
    heard = stream(plugin, x, 48_000, (512,) * 40)
    np.testing.assert_array_equal(heard[:, late:], x[:, : heard.shape[1] - late])


def damaged(folder: Path, good: Made) -> dict[str, Path]:
    """Return paths that are no model, by what is wrong."""
    data = good.path.read_bytes()
    flipped = bytearray(data)
    flipped[-41] ^= 0x40  # in the exponent of a number
    contents = {
        "cut": data[: len(data) // 2],
        "flipped": bytes(flipped),
        "text": b"This is not a model.\n" * 40,
        "json": b'{"layers": [], "weights": "none"}',
        "empty": b"",
        "huge": b"\xff" * 7 + b"\x7f{" + b" " * 100,
    }
    paths = {"missing": folder / "gone" / "nothing.fxkit", "folder": folder}
    for name, content in contents.items():
        paths[name] = folder / f"{name}.fxkit"
        paths[name].write_bytes(content)
    return paths


def test_a_file_that_cannot_be_played_leaves_dry_sound(
    plugin: Any, made: Callable[[str], Made], tmp_path: Path
) -> None:
    x = guitar(48_000, 9_600, 2)
    good = made("lstm")
    expected = good.render(x, 48_000)
    for wrong, path in damaged(tmp_path, good).items():
        load(plugin, good)
        assert np.abs(play(plugin, x, 48_000) - expected).max() <= TOLERANCE, wrong
        change(plugin, model=path)
        np.testing.assert_array_equal(play(plugin, x, 48_000), x, wrong)
        # The path stays, so that the session is whole again when the file is back.
        assert Stored.of(plugin).xml().get("model") == str(path)


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        b"no settings at all" * 100,
        wrap("<fxkit"),
        wrap("<other/>"),
        wrap('<fxkit version="999" model="/nowhere"/>'),
        wrap('<fxkit version="1"><parameter id="input" value="nan"/></fxkit>'),
        wrap('<fxkit version="1"><parameter id="mix" value="1e99"/><parameter/></fxkit>'),
        wrap('<fxkit version="1" model="not/a/full/path.fxkit"/>'),
    ],
)
def test_a_state_that_is_none_gives_the_defaults(
    plugin: Any, made: Callable[[str], Made], data: bytes
) -> None:
    load(plugin, made("lstm"))
    stored = Stored.of(plugin)
    plugin.output_db = 12.0
    stored.put(plugin, data)
    x = guitar(48_000, 4_800, 2)
    np.testing.assert_array_equal(play(plugin, x, 48_000), x)
    assert plugin.parameters["output_db"].string_value == "0"


def test_nan_and_infinity_do_not_stay(plugin: Any, made: Callable[[str], Made]) -> None:
    model = made("gru")
    load(plugin, model)
    x = guitar(44_100, 22_050, 2)
    broken, silent = x.copy(), x.copy()
    for at, bad in ((1_000, np.nan), (5_000, np.inf), (9_000, -np.inf)):
        broken[0, at : at + 3] = bad
        silent[0, at : at + 3] = 0
    heard = play(plugin, broken, 44_100)
    assert np.isfinite(heard).all()
    assert np.abs(heard - model.render(silent, 44_100)).max() <= TOLERANCE
