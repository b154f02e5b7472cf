"""Programs in model files: described, refused until allowed, and then played by a back end."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from fxkit.cli.main import main
from fxkit.errors import ArtifactError, FxkitError, ProgramNotAllowed
from fxkit.manifest import Control, Manifest
from fxkit.program import Program
from fxkit.window import WindowModel

from fxkit import allowed, artifact, backend

CPP = Path(__file__).parents[2] / "cpp"


@dataclass(frozen=True)
class Nothing:
    pass


class Half(WindowModel):
    """Half of the input, or as much of it as the knob says."""

    Config = Nothing

    def __init__(self, config, *, sample_rate=44_100, controls=0):
        super().__init__(config, sample_rate=sample_rate, controls=controls, window=48, hop=32)

    def process(self, x, controls=None):
        return x * (0.5 if controls is None else controls[:, :1, None])


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    folder = tmp_path_factory.mktemp("libraries")
    source = CPP / "tests" / "fake_backend.cpp"
    command = [compiler, "-std=c++20", "-shared", "-fPIC", "-I", CPP / "host" / "include", source]
    subprocess.run([*command, "-o", folder / "libfxkit-fake.so"], check=True)
    return folder


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("FXKIT_BACKENDS", raising=False)


@pytest.fixture
def fake(libraries, monkeypatch):
    monkeypatch.setenv("FXKIT_BACKENDS", f"/nowhere:{libraries}")
    return backend.find("fake")


def program(text=b"gain 48 0 0", controls=0, name="fake"):
    return Program.make(text, backend=name, version="1", window=48, hop=32, controls=controls)


def write(path, made, controls=0):
    knobs = tuple(Control(f"knob {i}", 0.25) for i in range(controls))
    manifest = Manifest("half", "half", author="somebody", controls=knobs)
    artifact.save(path, Half(Nothing(), controls=controls), manifest, program=made)
    return path


def test_a_back_end_runs_windows(fake):
    loaded = backend.LoadedProgram(fake, b"reverse 5 0 0")
    assert (fake.name, fake.runtime, loaded.window, loaded.controls) == ("fake", "1", 5, 0)
    assert loaded.run(torch.arange(5.0)).tolist() == [4, 3, 2, 1, 0]
    turned = backend.LoadedProgram(fake, b"gain 2 1 0")
    assert turned.run(torch.ones(2), torch.tensor([0.75])).tolist() == [0.75, 0.75]
    with pytest.raises(ValueError, match="a window has 2 samples"):
        turned.run(torch.ones(3), torch.tensor([0.75]))
    with pytest.raises(ValueError, match="1 knobs"):
        turned.run(torch.ones(2), torch.tensor([0.75, 1.0]))


def test_what_goes_wrong_in_a_back_end_is_one_line(fake):
    with pytest.raises(FxkitError, match="cannot be used: this is no program"):
        backend.LoadedProgram(fake, b"nonsense")
    with pytest.raises(FxkitError, match="failed: as it was told to"):
        backend.LoadedProgram(fake, b"fail 5 0 0").run(torch.zeros(5))


def test_a_back_end_that_is_not_there_is_named(tmp_path, monkeypatch):
    with pytest.raises(FxkitError, match=r"executorch is not installed.*make backend"):
        backend.find("executorch")
    with pytest.raises(FxkitError, match="no name of a back end"):
        backend.find("../fake")
    (tmp_path / "libfxkit-broken.so").write_text("no library")
    monkeypatch.setenv("FXKIT_BACKENDS", str(tmp_path))
    with pytest.raises(FxkitError, match="cannot be opened"):
        backend.find("broken")


@pytest.mark.parametrize("controls", [0, 1])
def test_only_an_allowed_program_plays(tmp_path, fake, controls):
    text = f"gain 48 {controls} 0".encode()
    path = write(tmp_path / "half.fxkit", program(text, controls), controls)
    with pytest.raises(ProgramNotAllowed, match="fxkit allow FILE") as refused:
        artifact.open(path)
    assert str(refused.value).startswith(f"{path}: ")
    allowed.add(refused.value.hash, "by the test")
    opened = artifact.open(path)
    assert opened.program is not None
    assert opened.program.info.sha256 == refused.value.hash
    x = torch.randn(300, generator=torch.Generator().manual_seed(0)).numpy()
    y = opened.render(x, 44_100)
    assert abs(y - (0.25 if controls else 0.5) * x).max() < 1e-6


def test_a_program_whose_back_end_is_missing_says_so(tmp_path):
    made = program()
    path = write(tmp_path / "half.fxkit", made)
    allowed.add(made.info.sha256)
    with pytest.raises(ArtifactError, match="make backend"):
        artifact.open(path)


def test_an_allowed_program_has_to_prove_itself(tmp_path, fake):
    made = program(b"reverse 48 0 0")
    path = write(tmp_path / "half.fxkit", made)
    allowed.add(made.info.sha256)
    with pytest.raises(ArtifactError, match="probe"):
        artifact.open(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hop": 49}, "cannot be"),
        ({"hop": 0}, "not valid: hop"),
        ({"latency": 5}, "cannot be"),
        ({"sha256": "0" * 64}, "not the one"),
        ({"sha256": "short"}, "not valid: sha256"),
        ({"backend": "../evil"}, "not valid: backend"),
        ({"controls": 1}, "number of controls"),
        ({"window": 1 << 30}, "not valid: window"),
    ],
)
def test_a_false_description_is_refused(tmp_path, changes, message):
    made = program()
    made = replace(made, info=replace(made.info, **changes))
    with pytest.raises(ArtifactError, match=message):
        write(tmp_path / "half.fxkit", made)
    assert not (tmp_path / "half.fxkit").exists()


def test_the_list_keeps_what_others_wrote():
    made = program()
    assert not allowed.contains(made.info.sha256)
    allowed.list_file().parent.mkdir(parents=True)
    allowed.list_file().write_text("# a remark without an end of line")
    allowed.add(made.info.sha256.upper(), "two\nlines")
    allowed.add(made.info.sha256)
    lines = allowed.list_file().read_text().splitlines()
    assert lines == ["# a remark without an end of line", f"{made.info.sha256}  two lines"]
    assert allowed.contains(made.info.sha256)
    with pytest.raises(ValueError, match="not a SHA-256"):
        allowed.add("abc")


def test_the_command_shows_and_allows(tmp_path, capsys):
    made = program()
    path = write(tmp_path / "half.fxkit", made)
    assert main(["allow", str(path), "--show"]) == 0
    shown = capsys.readouterr().out
    assert made.info.sha256 in shown
    assert "somebody" in shown
    assert not allowed.contains(made.info.sha256)
    assert main(["allow", str(path)]) == 0
    assert allowed.contains(made.info.sha256)


def test_the_command_refuses_what_holds_no_program(tmp_path, capsys):
    assert main(["allow", str(tmp_path / "nothing")]) == 2
    assert "no such file" in capsys.readouterr().err
