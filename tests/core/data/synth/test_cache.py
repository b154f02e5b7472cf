import os
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fxkit.data.synth import built_in, cache
from fxkit.errors import FxkitError
from fxkit.progress import SilentProgress

SILENT = SilentProgress()


@pytest.fixture(autouse=True)
def short_and_private(monkeypatch, tmp_path):
    """Two seconds instead of three minutes, in a cache of our own."""
    monkeypatch.setattr(cache, "SECONDS", 2)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_pair_of_recordings_is_made():
    clean, wet = built_in("medium", 0, SILENT)
    for path in (clean, wet):
        info = soundfile.info(path)
        assert (info.frames, info.samplerate, info.channels) == (88_200, 44_100, 1)
        samples, _ = soundfile.read(path)
        assert 0.1 < np.abs(samples).max() < 1
        assert np.std(samples) > 0.01


def test_levels_share_the_dry_side_and_seeds_do_not():
    light, heavy = built_in("light", 0, SILENT), built_in("heavy", 0, SILENT)
    assert light[0] == heavy[0]
    assert light[1] != heavy[1]
    other = built_in("light", 1, SILENT)
    assert other[0].read_bytes() != light[0].read_bytes()


def test_the_second_call_makes_nothing(monkeypatch):
    first = built_in("light", 0, SILENT)

    def never(*_args, **_options):
        raise AssertionError("made again")

    monkeypatch.setattr(cache, "guitar", never)
    monkeypatch.setattr(cache, "drive", never)
    assert built_in("light", 0, SILENT) == first


def test_equal_seeds_give_equal_bytes(monkeypatch, tmp_path):
    first = [path.read_bytes() for path in built_in("heavy", 7, SILENT)]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    assert [path.read_bytes() for path in built_in("heavy", 7, SILENT)] == first


def test_a_damaged_file_is_made_again():
    clean, wet = built_in("light", 0, SILENT)
    whole = wet.read_bytes()
    wet.write_bytes(whole[:1000])
    clean.write_bytes(b"")
    assert built_in("light", 0, SILENT) == (clean, wet)
    assert wet.read_bytes() == whole


def test_a_changed_synthesiser_has_files_of_its_own(monkeypatch):
    before = built_in("light", 0, SILENT)
    monkeypatch.setattr(cache, "_version", lambda: "changed")
    assert set(built_in("light", 0, SILENT)).isdisjoint(before)


def test_the_version_is_that_of_the_source():
    cache._version.cache_clear()
    assert len(cache._version()) == 12
    int(cache._version(), 16)


def test_a_cache_that_cannot_be_made_is_one_line(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(FxkitError, match="XDG_CACHE_HOME") as caught:
        built_in("light", 0, SILENT)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_full_disk_leaves_nothing_behind(monkeypatch, tmp_path):
    def full(_path, samples, rate, **options):
        with Path("/dev/full").open("wb", buffering=0) as disk:
            disk.write(samples.tobytes())

    monkeypatch.setattr(soundfile, "write", full)
    with pytest.raises(FxkitError, match="No space left"):
        built_in("light", 0, SILENT)
    assert not [p for p in (tmp_path / "cache").rglob("*") if p.is_file()]


@pytest.mark.parametrize(("level", "seed"), [("loud", 0), ("light", -1)])
def test_a_wrong_level_or_seed_is_an_error(level, seed):
    with pytest.raises(FxkitError):
        built_in(level, seed, SILENT)


def test_the_usual_place_without_the_variable(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.cache_directory().is_absolute()
    assert "fxkit" in cache.cache_directory().parts
    monkeypatch.setenv("XDG_CACHE_HOME", "relative" + os.sep)
    assert "relative" not in cache.cache_directory().parts
