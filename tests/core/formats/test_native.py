from __future__ import annotations

from pathlib import Path

import pytest
import torch
from fxkit.artifact import Artifact
from fxkit.format import Format
from fxkit.formats.native import Native
from fxkit.graph import Graph, GraphModel
from fxkit.manifest import Manifest
from fxkit.testing import FormatLaws
from torch import nn


def test_writes_what_it_reads(tmp_path: Path) -> None:
    g = Graph(nn.Module(), controls=0)
    model = GraphModel(g.finish(g.gain(g.x, torch.tensor([0.5]))), g.tensors)
    path = tmp_path / "half.fxkit"
    Native().write(Artifact(Manifest("Half", "graph"), model), path)
    opened = Native().read(path)
    assert opened.manifest.name == "Half"
    assert opened.model(torch.ones(1, 1, 1), opened.model.initial_state(1))[0].item() == 0.5
    assert Native().sniff(path)


def test_sniff_knows_others(tmp_path: Path) -> None:
    path = tmp_path / "other.fxkit"
    assert not Native().sniff(path)
    path.write_bytes(b"")
    assert not Native().sniff(path)
    path.write_text('{"version": "0.5.4"}')
    assert not Native().sniff(path)


class TestNative(FormatLaws):
    @pytest.fixture
    def format(self) -> Format:
        return Native()

    @pytest.fixture
    def artifact(self) -> Artifact:
        g = Graph(nn.Module(), controls=0)
        y = g.activation(g.conv(g.x, torch.tensor([[[0.3, -0.2, 2.0]]])), "tanh")
        model = GraphModel(g.finish(y), g.tensors)
        return Artifact(Manifest("Clipper", "graph"), model)
