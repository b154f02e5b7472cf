"""Files that are no model file at all, or whose container lies about itself."""

from __future__ import annotations

import json
import os
import pickle
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from fxkit.errors import ArtifactError

from fxkit import artifact, container


def test_no_file_at_all(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    for name, said in [
        ("missing", "no such file"),
        (".", "folder"),
        ("empty", "is empty"),
        ("pipe", "not an ordinary file"),
        ("nul\0l", "cannot be read"),
    ]:
        with pytest.raises(ArtifactError, match=said):
            artifact.open(tmp_path / name)


def test_other_files(tmp_path: Path) -> None:
    file = tmp_path / "m.fxkit"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("data.pkl", "x")
    with pytest.raises(ArtifactError, match="a zip archive"):
        artifact.open(file)
    torch.save({"a": torch.ones(2)}, file)
    with pytest.raises(ArtifactError, match="a zip archive"):
        artifact.open(file)
    for protocol in (2, 4, 5):
        file.write_bytes(pickle.dumps({"a": 1}, protocol=protocol))
        with pytest.raises(ArtifactError, match="pickle"):
            artifact.open(file)
    file.write_text(json.dumps({"version": "0.5.4", "architecture": "LSTM"}))
    with pytest.raises(ArtifactError, match="not a model file"):
        artifact.open(file)
    file.write_bytes(container.pack({"a": torch.ones(2)}, {}))
    with pytest.raises(ArtifactError, match="safetensors file, but not"):
        artifact.open(file)


@pytest.mark.parametrize("length", [2**63, 2**40, 100_000_000, 10**6])
def test_a_huge_header_allocates_nothing(tmp_path: Path, length: int) -> None:
    path = tmp_path / "m.fxkit"
    data = container.pack({"a": torch.ones(1000)}, {"fxkit.format": "1"})
    path.write_bytes(length.to_bytes(8, "little") + data[8:])
    tracemalloc.start()
    with pytest.raises(ArtifactError, match="longer than the file"):
        artifact.open(path)
    assert tracemalloc.get_traced_memory()[1] < 4 * path.stat().st_size + 100_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    "header",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"__metadata__": {"fxkit.format": 1}}',
        '{"__metadata__": []}',
        '{"__metadata__": {"fxkit.format": "1"}, "a": {"dtype": "F32", "shape": [1000000000000],'
        ' "data_offsets": [0, 4000000000000]}}',
        '{"__metadata__": {"fxkit.format": "1"}, "a": {"dtype": "F32", "shape":'
        ' [0, 9223372036854775807], "data_offsets": [0, 0]}}',
        '{"__metadata__": {"fxkit.format": "1"}, "a": {"dtype": "F4", "shape": [2],'
        ' "data_offsets": [0, 1]}}',
        '{"__metadata__": {"fxkit.format": "1"}, "a": ' + "9" * 10_000 + "}",
    ],
)
def test_hostile_headers(tmp_path: Path, header: str) -> None:
    file = tmp_path / "m.fxkit"
    file.write_bytes(len(header).to_bytes(8, "little") + header.encode() + b"\0" * 8)
    with pytest.raises(ArtifactError):
        artifact.open(file)


def test_random_bytes(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    for size in (1, 7, 8, 9, 10, 100, 5000):
        (tmp_path / "m.fxkit").write_bytes(random.bytes(size))
        with pytest.raises(ArtifactError):
            artifact.open(tmp_path / "m.fxkit")
