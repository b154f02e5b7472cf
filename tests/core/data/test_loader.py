from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from fxkit.data import DataConfig, Dataset, Segment, check, load, split
from fxkit.data.manifest import Manifest, Pair, read_manifest, write_manifest
from fxkit.errors import FxkitError

RATE = 44_100
Save = Callable[..., str]


@pytest.fixture
def get(guitar: np.ndarray, save: Save, notes: Any) -> Callable[..., Dataset]:
    """Save a pair, changed as asked for, and load it."""

    def get(
        clean: Callable[[np.ndarray], np.ndarray] = lambda x: x,
        wet: Callable[[np.ndarray], np.ndarray] = lambda x: x,
        rates: tuple[int, int] = (RATE, RATE),
        **settings: Any,
    ) -> Dataset:
        files = (
            save("clean.wav", clean(guitar.copy()), rates[0]),
            save("amp.wav", wet(np.tanh(8 * guitar)), rates[1]),
        )
        return load(DataConfig(clean=files[0], wet=files[1], **settings), notes)

    return get


def test_a_sound_pair(get: Callable[..., Dataset], guitar: np.ndarray, notes: Any) -> None:
    data = get()
    assert data.description == "clean.wav -> amp.wav"
    assert data.sample_rate == RATE
    assert notes.warnings == []
    np.testing.assert_array_equal(data.takes[0].clean.read(0, len(guitar)), guitar)
    assert any("not shifted" in line for line in data.findings)


@pytest.mark.parametrize("memory", [0, 512])
def test_delay_is_removed_and_told(get: Callable[..., Dataset], notes: Any, memory: int) -> None:
    late = lambda x: np.r_[np.zeros(500, np.float32), x[:-500]]  # noqa: E731
    take = get(wet=late, memory=memory).takes[0]
    assert take.clean.held == (memory > 0)
    x, y = (side.read(0, take.frames) for side in (take.clean, take.wet))
    np.testing.assert_allclose(y, np.tanh(8 * x), atol=1e-6)
    assert any("shifted by 500" in line for line in notes.warnings)
    for setting, length in {"off": 0, 500: 500, -7: 7}.items():
        assert get(wet=late, align=setting).takes[0].frames == len(x) + 500 - length
    with pytest.raises(FxkitError, match="shifts by more than"):
        get(align=10**9)


def test_lengths(get: Callable[..., Dataset], notes: Any, guitar: np.ndarray) -> None:
    take = get(wet=lambda x: x[:-22_050]).takes[0]
    assert take.frames == len(guitar) - 22_050
    assert notes.warnings == [
        "clean.wav is 0.500 s (22050 samples) longer than amp.wav: its end is ignored"
    ]
    with pytest.raises(FxkitError, match=r"amp\.wav is 2\.000 s \(88200 samples\) longer"):
        get(clean=lambda x: x[:-88_200])


def test_a_channel_that_no_file_has(get: Callable[..., Dataset]) -> None:
    with pytest.raises(FxkitError, match=r"clean\.wav has no channel 4: it is mono"):
        get(channel=4)
    # One setting for both files: the mono side of a pair has nothing to choose from.
    assert get(wet=lambda x: np.stack((0 * x, x), axis=1), channel=2).takes[0].wet.read(0, 9).any()
    assert get(channel="right").takes[0].frames


def test_rates(get: Callable[..., Dataset], notes: Any, guitar: np.ndarray) -> None:
    from fxkit.data.audio import resample

    data = get(wet=lambda x: resample(x, RATE, 48_000), rates=(RATE, 48_000))
    assert data.sample_rate == RATE
    assert any("amp.wav is at 48000 Hz, the data set at 44100 Hz" in w for w in notes.warnings)
    assert abs(data.takes[0].frames - len(guitar)) <= 1
    assert get(sample_rate=22_050).takes[0].frames == len(guitar) // 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: 0 * x, r"amp\.wav is silent"),
        (lambda x: np.where(np.arange(len(x)) == 44_100, np.nan, x), r"amp\.wav.*NaN.*1\.000"),
        (lambda x: np.where(np.arange(len(x)) == 22_050, np.inf, x), r"amp\.wav.*infin.*0\.500"),
    ],
)
def test_unusable_samples(get: Callable[..., Dataset], change: Any, message: str) -> None:
    with pytest.raises(FxkitError, match=message) as caught:
        get(wet=change)
    assert "\n" not in str(caught.value)


def test_flaws_are_warned_of(get: Callable[..., Dataset], notes: Any) -> None:
    get(wet=lambda x: (3 * x).clip(-1, 1))
    assert any("amp.wav is clipped" in line and "%" in line for line in notes.warnings)
    notes.warnings.clear()
    get(wet=lambda x: 0.5 * x + 0.1)
    assert any("amp.wav has an offset (DC) of +" in line for line in notes.warnings)


def test_share_of_clipping(save: Save) -> None:
    from fxkit.data import Recording

    x = 0.5 * np.sin(np.arange(10_000) * 0.1)
    x[100:150] = 1.0
    x[300:350] = -1.0
    x[500:503] = 1.0
    health = check.inspect(Recording.from_array(x, RATE))
    assert health.clipped == pytest.approx(0.01)
    assert check.inspect(Recording.from_array(0.5 * x, RATE)).clipped == 0.0


def test_noise_floor() -> None:
    from fxkit.data import Recording

    random = np.random.default_rng(0)
    clean = np.zeros(4 * RATE)
    clean[: 2 * RATE] = random.normal(size=2 * RATE) * 0.1
    wet = clean + random.normal(size=len(clean)) * 0.01
    healths = [check.inspect(Recording.from_array(side, RATE)) for side in (clean, wet)]
    floor = check.noise_floor(healths[0], healths[1])
    assert floor == pytest.approx(0.01 / np.sqrt(0.1**2 / 2 + 0.01**2), rel=0.1)
    assert "ESR below about 0.02" in check.noise_warning("wet", floor)[0]
    assert check.noise_floor(healths[1], healths[1]) is None
    assert check.noise_warning("wet", 1e-4) == []


def test_folders(tmp_path: Path, guitar: np.ndarray, save: Save, notes: Any) -> None:
    for path, message in {
        tmp_path / "none": "no such folder",
        tmp_path: r"no audio files",
    }.items():
        with pytest.raises(FxkitError, match=message):
            load(DataConfig(path=str(path)), notes)
    save("Clean.flac", guitar, encoding="PCM_16")
    save("heavy.wav", guitar)
    with pytest.raises(FxkitError, match=r"recording named wet\.\*; it has Clean\.flac, heavy"):
        load(DataConfig(path=str(tmp_path)), notes)
    save("wet.wav", guitar)
    assert load(DataConfig(path=str(tmp_path)), notes).description == "Clean.flac -> wet.wav"
    save("wet.flac", guitar, encoding="PCM_16")
    with pytest.raises(FxkitError, match="more than one wet"):
        load(DataConfig(path=str(tmp_path)), notes)
    with pytest.raises(FxkitError, match="neither a folder nor"):
        load(DataConfig(path=str(tmp_path / "wet.wav")), notes)


def test_manifest(tmp_path: Path, guitar: np.ndarray, save: Save, notes: Any) -> None:
    save("di.wav", np.stack([guitar, 0 * guitar], axis=1))
    save("low.wav", guitar)
    save("high.wav", np.tanh(9 * guitar))
    written = Manifest(
        name="My amp",
        gear="JTM 45",
        pairs=[
            Pair(clean="di.wav", wet="low.wav", channel="left", controls={"gain": 0.1, "mid": 1}),
            Pair(
                clean="di.wav",
                wet="high.wav",
                clean_channel=1,
                name="high",
                controls={"mid": 0.5, "gain": 0.9},
                split="train",
                align="off",
            ),
        ],
    )
    write_manifest(tmp_path / "dataset.yaml", written)
    assert read_manifest(tmp_path / "dataset.yaml") == written
    data = load(DataConfig(path=str(tmp_path)), notes)
    assert data.control_names == ("gain", "mid")
    assert [take.controls for take in data.takes] == [(0.1, 1.0), (0.9, 0.5)]
    assert [take.name for take in data.takes] == ["low", "high"]
    assert [take.split for take in data.takes] == [None, "train"]
    assert data.description == "My amp, 2 pairs"
    assert "gear: JTM 45" in data.findings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pairs: [", "not valid YAML in line"),
        ("- 1", "expected an entry 'pairs'"),
        ("pairs: []", "pairs: list should have at least 1 item"),
        ("pairs: [{clean: a.wav}]", r"pairs\[1\]\.wet: field required"),
        (
            "pairs: [{clean: a, wet: b, knob: 1}]",
            r"pairs\[1\]\.knob is not a known entry.*controls",
        ),
        ("pears: 1\npairs: [{clean: a, wet: b}]", "pears is not a known entry.*sample_rate"),
        (
            "pairs: [{clean: a, wet: b, controls: {g: 2}}]",
            r"controls\.g: .*less than or equal to 1",
        ),
        ("pairs: [{clean: a, wet: b, split: dev}]", r"pairs\[1\]\.split: .*'train'"),
        (
            "pairs: [{clean: a, wet: b, controls: {g: 0}}, {clean: a, wet: c}]",
            r"pairs\[2\]\.controls names no knobs, pairs\[1\]\.controls g",
        ),
        ("pairs: [{clean: a, wet: b, estimated: clean, split: test}]", "cannot be marked for test"),
        (
            "pairs: [{clean: a, wet: b, estimated: clean, split: validation}, {clean: a, wet: b}]",
            "cannot be marked for validation",
        ),
    ],
)
def test_wrong_manifests_are_one_line(tmp_path: Path, notes: Any, text: str, message: str) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(text)
    with pytest.raises(FxkitError, match=message) as caught:
        load(DataConfig(path=str(path)), notes)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_align_off_in_yaml_is_no_shift(tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text("pairs: [{clean: a, wet: b, align: off}]")
    assert read_manifest(tmp_path / "d.yaml").pairs[0].align in (0, "off")


def test_fifty_hours_load_as_fast_as_minutes(
    tmp_path: Path, guitar: np.ndarray, notes: Any
) -> None:
    """Sparse files: a header and a little sound at the front of fifty hours."""
    frames = 50 * 3600 * 8000
    for name in ("clean", "wet"):
        with soundfile.SoundFile(
            tmp_path / f"{name}.wav", "w", 8000, 1, "PCM_U8", format="RF64"
        ) as file:
            file.write(guitar)
            file.seek(frames - 1)
            file.write(guitar[:1])
    began = time.process_time()
    data = load(DataConfig(path=str(tmp_path)), notes)
    assert not data.takes[0].clean.held
    assert data.takes[0].frames == frames
    assert split(data, DataConfig()).train[0].frames > 0.75 * frames
    assert isinstance(split(data, DataConfig()).test[0], Segment)
    assert time.process_time() - began < 10.0
