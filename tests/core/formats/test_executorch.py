"""Window models as programs: exported, proved, refused; played in C++ as in PyTorch."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from fxkit.errors import FxkitError
from fxkit.manifest import Control, Manifest
from fxkit.options import NoOptions
from fxkit.scaled import Scaled
from fxkit.window import WindowModel
from fxkit_models.demucs import Demucs
from fxkit_models.gru import GRU
from torch import nn

import fxkit
from fxkit import allowed, artifact, backend

pytestmark = pytest.mark.filterwarnings("ignore")
CPP = Path(__file__).parents[3] / "cpp"
SMALL = {
    "channels": 8, "time_depth": 2, "freq_depth": 2, "n_fft": 256, "hop_length": 64, "width": 16,
    "transformer_heads": 2, "transformer_layers": 1, "gru_layers": 1, "window": 0.05,
}  # fmt: skip


@pytest.fixture(autouse=True)
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def ready():
    """What an export needs, or a skip that says what is missing."""
    if importlib.util.find_spec("executorch") is None:
        pytest.skip("executorch is not installed: make backend")
    try:
        return backend.find("executorch")
    except FxkitError as error:
        pytest.skip(str(error))


def lively(model):
    """Let the branches that training starts silent be heard."""
    torch.manual_seed(0)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=0.2)
    return model


class Net(WindowModel):
    """A third party's: recurrent layers both ways, attention, a knob."""

    def __init__(self, *, window=96, hop=64, inner=None, controls=1):
        super().__init__(NoOptions(), sample_rate=8000, controls=controls, window=window, hop=hop)
        self.net = inner or nn.Identity()
        self.gru = nn.GRU(8, 5, num_layers=2, bidirectional=True, batch_first=True)
        self.lstm = nn.LSTM(10, 6, batch_first=True)
        self.out = nn.Linear(6, 8)

    def process(self, x, controls=None):
        tokens = self.net(x).reshape(len(x), -1, 8)
        y, _ = self.gru(tokens)
        y, (h, c) = self.lstm(y)
        y = torch.tanh(y + h.transpose(0, 1) + c.transpose(0, 1))
        y = nn.functional.scaled_dot_product_attention(y[:, None], y[:, None], y[:, None])[:, 0]
        y = self.out(y).reshape(x.shape)
        return y if controls is None else y * controls[:, :1, None]


def exported(tmp_path, model, controls=0, **options):
    knobs = tuple(Control(f"knob {i}", 0.5) for i in range(controls))
    scaled = Scaled(model.eval(), input_gain=3.0, output_gain=0.2)
    made = artifact.Artifact(
        Manifest("a model", "demucs", author="me", controls=knobs, latency=model.latency), scaled
    )
    return fxkit.export(made, "executorch", tmp_path / "model.program.fxkit", **options)


def built(program, ready):
    """A C++ program that `make backend` builds, or a skip."""
    for folder in (ready.path.parent.parent, CPP.parent / "build" / "backend"):
        if (folder / program).is_file():
            return folder / program
    pytest.skip(f"there is no {program}: make backend builds it")


def test_a_demucs_plays_in_cpp_as_in_pytorch(tmp_path, ready):
    """From the export to the samples of a C++ program that hosts the file."""
    model = lively(Demucs(Demucs.Config(**SMALL)))
    made = exported(tmp_path, model)
    assert "ms on one core" in made.caution
    opened = fxkit.open(made.path)
    assert isinstance(opened.model.inner, Demucs)  # its own class plays it in Python
    assert opened.program is not None
    assert allowed.contains(opened.program.info.sha256)
    render = built("tools/fxkit-render", ready)
    x = 0.2 * np.random.default_rng(0).standard_normal(44_100).astype(np.float32)
    soundfile.write(tmp_path / "in.wav", x, 44_100, subtype="FLOAT")
    files = [made.path, tmp_path / "in.wav", tmp_path / "out.wav"]
    subprocess.run([render, *files], check=True)
    got, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    wanted = opened.render(x, 44_100)
    assert np.abs(got - wanted).max() < 1e-5 * np.abs(wanted).max()
    shutil.rmtree(tmp_path / "config")
    refused = subprocess.run([render, *files], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "fxkit allow" in refused.stderr


def test_neither_thread_calls_the_heap_after_the_first_window(tmp_path, ready):
    """Counted by a C++ program in whose process every call of malloc and free is counted."""
    count = built("tests/program_allocation_test", ready)
    made = exported(tmp_path, lively(Demucs(Demucs.Config(**SMALL))))
    found = subprocess.run([count, made.path], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.startswith("audio thread 0, all threads 0, peak ")


def test_recurrent_layers_attention_and_knobs_of_a_third_party(ready):
    from fxkit.formats.executorch import _Window
    from fxkit.formats.executorch_lowering import lower

    model = lively(Net()).eval()
    function = _Window(Scaled(model, input_gain=2.0), model)
    loaded = backend.LoadedProgram(ready, lower(function, function.example()).data)
    assert (loaded.window, loaded.controls) == (96, 1)
    for knob in (0.0, 0.3, 1.0):
        x, controls = torch.randn(96), torch.tensor([knob])
        wanted = function.run(x, controls)
        torch.testing.assert_close(loaded.run(x, controls), wanted, rtol=0, atol=2e-6)


def test_operators_that_would_be_slow_are_refused_by_name(tmp_path, ready):
    inner = nn.Sequential(
        nn.Conv1d(1, 4, 8, 4, 2), nn.GroupNorm(2, 4), nn.ConvTranspose1d(4, 1, 8, 4, 2)
    )
    with pytest.raises(FxkitError, match=r"XNNPACK does not take .*(convolution|group_norm)"):
        exported(tmp_path, Net(inner=inner), controls=1)
    assert not (tmp_path / "model.program.fxkit").exists()


def test_what_cannot_be_exported_is_said_in_one_line(tmp_path, ready):
    class Branch(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with pytest.raises(FxkitError, match="branches on values") as refused:
        exported(tmp_path, Net(inner=Branch()), controls=1)
    assert "\n" not in str(refused.value)


def test_a_model_that_the_engine_plays_needs_no_program(tmp_path):
    path = tmp_path / "gru.fxkit"
    artifact.save(path, GRU(GRU.Config(hidden=4)), Manifest("gru", "gru"))
    with pytest.raises(FxkitError, match="needs no program"):
        fxkit.export(path, "executorch")


def test_without_the_package_the_command_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "executorch", None)
    monkeypatch.setitem(sys.modules, "executorch.exir", None)
    with pytest.raises(FxkitError, match=r"pip install 'fxkit\[executorch\]'"):
        exported(tmp_path, Demucs(Demucs.Config(**SMALL)))
