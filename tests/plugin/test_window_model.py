"""A demucs in the plug-in: played by its back end, if the file is allowed, and dry if it is not."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fxkit.errors import FxkitError
from fxkit.manifest import Manifest
from fxkit.scaled import Scaled
from fxkit_models.demucs import Demucs
from hosting.models import Made
from hosting.pedals import play
from hosting.signals import guitar
from hosting.state import change
from torch import nn

import fxkit
from fxkit import artifact, backend

pytestmark = pytest.mark.filterwarnings("ignore")

SMALL = {
    "channels": 8, "time_depth": 2, "freq_depth": 2, "n_fft": 256, "hop_length": 64, "width": 16,
    "transformer_heads": 2, "transformer_layers": 1, "gru_layers": 1, "window": 0.4,
}  # fmt: skip
"""Half a hop is longer than any block below: the latency does not depend on the block, of which
pedalboard would hear too late."""


@pytest.fixture(scope="module")
def demucs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Return a small demucs with its program, which nobody has allowed."""
    if importlib.util.find_spec("executorch") is None:
        pytest.skip("executorch is not installed: make backend")
    try:
        library = backend.find("executorch").path
    except FxkitError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("demucs")
    torch.manual_seed(0)
    model = Demucs(Demucs.Config(**SMALL)).eval()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=0.2)
    scaled = Scaled(model, input_gain=3.0, output_gain=0.2)
    manifest = Manifest("window model", "demucs", latency=model.latency)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(folder / "elsewhere"))
        patch.setenv("FXKIT_BACKENDS", str(library.parent))
        path = folder / "window.fxkit"
        fxkit.export(artifact.Artifact(manifest, scaled), "executorch", path)
        yield Made(path, fxkit.open(path))


@pytest.fixture(autouse=True)
def config(demucs: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the folder of the user's settings, in which nothing is allowed yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("FXKIT_BACKENDS", str(backend.find("executorch").path.parent))
    return tmp_path / "config"


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_plays_what_render_gives(
    demucs: Made, open_vst3: Callable[[], Any], config: Path, rate: int
) -> None:
    # The export allowed what it made.
    shutil.copytree(demucs.path.parent / "elsewhere", config)
    plugin = open_vst3()
    change(plugin, model=demucs.path, confirmed="1")
    x = guitar(rate, rate, 2)
    expected = demucs.render(x, rate)
    assert np.abs(expected - x).max() > 0.05
    for block in (64, 512, 4096):
        played = play(plugin, x, rate, block=block)
        assert np.abs(played - expected).max() <= 1e-4 * max(1.0, np.abs(expected).max()), block
    window = demucs.artifact.model.latency + 1
    assert plugin.reported_latency_samples > window * rate / demucs.rate


def test_a_program_that_nobody_allowed_is_not_run(
    demucs: Made, open_vst3: Callable[[], Any]
) -> None:
    plugin = open_vst3()
    change(plugin, model=demucs.path, confirmed="1")
    x = guitar(48_000, 24_000, 2)
    np.testing.assert_array_equal(play(plugin, x, 48_000), x)
