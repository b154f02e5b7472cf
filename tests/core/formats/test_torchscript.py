"""TorchScript: every layer of a graph, and a C++ program on libtorch that plays the file."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fxkit.artifact import Artifact
from fxkit.errors import FxkitError
from fxkit.formats.torchscript import Loaded, TorchScript
from fxkit.manifest import Manifest
from fxkit.testing import FormatLaws
from fxkit_models.gru import GRU
from fxkit_models.lstm import LSTM
from fxkit_models.nn_gru import NNGRU

SOURCE = Path(__file__).with_name("play_torchscript.cpp")


class TestLaws(FormatLaws):
    @pytest.fixture
    def format(self) -> TorchScript:
        return TorchScript()

    @pytest.fixture
    def artifact(self, trained: Callable[..., Artifact]) -> Artifact:
        return trained(NNGRU, hidden=4, taps=5, channels=3)


def test_every_layer_with_blocks_of_any_size(
    every_layer: Artifact, tmp_path: Path, noise: np.ndarray, played: Any, close: Any
) -> None:
    path = tmp_path / "all.pt"
    TorchScript().write(every_layer, path)
    assert TorchScript().sniff(path)
    back = Loaded(path, every_layer)
    close(played(back, noise, (0.2, 0.7)), played(every_layer.model, noise, (0.2, 0.7)))
    state, parts = back.initial_state(1), []
    knobs = torch.tensor([[0.2, 0.7]])
    x = torch.from_numpy(noise)[None, None]
    with torch.no_grad():
        for part in x[..., :60].split(1, dim=-1):
            y, state = back(part, state, knobs)
            parts.append(y)
    close(torch.cat(parts, dim=-1)[0, 0].numpy(),
          played(every_layer.model, noise, (0.2, 0.7))[:60])  # fmt: skip
    assert back.module.latency() == 0
    assert back.module.controls() == 2


def test_two_models_of_one_kind_are_written_in_one_go(
    trained: Any, tmp_path: Path, noise: np.ndarray, played: Any, close: Any
) -> None:
    for taps in (5, 9):
        artifact = trained(NNGRU, hidden=3, taps=taps, channels=2)
        TorchScript().write(artifact, tmp_path / f"{taps}.pt")
        back = Loaded(tmp_path / f"{taps}.pt", artifact)
        close(played(back, noise, ()), played(artifact.model, noise, ()))


def test_names_of_layers_never_become_source(trained: Any, tmp_path: Path, noise: np.ndarray,
                                             played: Any, close: Any) -> None:  # fmt: skip
    from fxkit.graph import GraphModel, Spec, export

    spec, tensors = export(trained(LSTM, hidden=3).model)
    text = spec.to_plain()
    evil = 'x"]\nimport os\n["'
    old = text["layers"][1]["name"]
    for layer in text["layers"]:
        layer["inputs"] = [evil if name == old else name for name in layer["inputs"]]
        layer["name"] = evil if layer["name"] == old else layer["name"]
    model = GraphModel(Spec.from_plain(text), tensors).eval()
    path = tmp_path / "evil.pt"
    TorchScript().write(Artifact(Manifest("x", "graph"), model, model.spec, tensors), path)
    with torch.no_grad():
        close(played(Loaded(path, Artifact(Manifest("x", "graph"), model)), noise),
              played(model, noise))  # fmt: skip


def test_a_model_without_a_graph_is_refused(tmp_path: Path, trained: Any) -> None:
    artifact = trained(GRU, hidden=3)
    why = "Demucs does not describe itself as engine layers"
    manifest = Manifest("x", "demucs", no_graph=why)
    with pytest.raises(FxkitError, match=why):
        TorchScript().write(Artifact(manifest, artifact.model), tmp_path / "a.pt")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from torch.utils.cpp_extension import include_paths, library_paths

    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    libraries = Path(library_paths()[0])
    if compiler is None or not (libraries / "libtorch_cpu.so").is_file():
        pytest.skip("no C++ compiler, or no libtorch in the wheel")
    binary = tmp_path_factory.mktemp("libtorch") / "play"
    abi = int(torch._C._GLIBCXX_USE_CXX11_ABI)
    subprocess.run(
        [
            compiler, "-std=c++20", "-O0", f"-D_GLIBCXX_USE_CXX11_ABI={abi}", str(SOURCE),
            *(f"-isystem{path}" for path in include_paths()),
            f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-Wl,--no-as-needed",
            "-ltorch_cpu", "-lc10", "-o", str(binary),
        ],
        check=True,
    )  # fmt: skip
    return binary


@pytest.mark.slow
@pytest.mark.parametrize(("cls", "knobs"), [(GRU, ()), (LSTM, (0.25, 0.5)), (NNGRU, ())])
def test_a_program_on_libtorch_plays_the_same(
    cls: Any, knobs: tuple[float, ...], program: Path, tmp_path: Path, noise: np.ndarray,
    trained: Any, played: Any, close: Any,
) -> None:  # fmt: skip
    artifact = trained(cls, hidden=6, controls=len(knobs))
    TorchScript().write(artifact, tmp_path / "model.pt")
    noise.tofile(tmp_path / "in.raw")
    done = subprocess.run(
        [program, tmp_path / "model.pt", tmp_path / "in.raw", tmp_path / "out.raw",
         *map(str, knobs)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout == "8000\n"
    close(np.fromfile(tmp_path / "out.raw", np.float32), played(artifact.model, noise, knobs))
