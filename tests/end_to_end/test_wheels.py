"""Each distribution installs alone from a built wheel, with everything it needs inside."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {
    "fxkit": ROOT / "fxkit" / "src" / "fxkit",
    "fxkit_models": ROOT / "fxkit_models" / "src" / "fxkit_models",
    "fxkit_losses": ROOT / "fxkit_losses" / "src" / "fxkit_losses",
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheels(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("wheels")
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "wheel", "-q", *offline, "-w", str(folder)]
    # Copies, as a build leaves files behind that would find their way into the next one.
    junk = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    projects = [
        str(shutil.copytree(ROOT / name, folder / "sources" / name, ignore=junk))
        for name in SOURCES
    ]
    done = subprocess.run([*command, *projects], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {name: next(folder.glob(f"{name}-*.whl")) for name in SOURCES}


@pytest.mark.parametrize("name", SOURCES)
def test_a_wheel_holds_every_file_of_its_package(wheels, name):
    with zipfile.ZipFile(wheels[name]) as wheel:
        inside = {n for n in wheel.namelist() if not n.startswith(f"{name}-")}
        licence = [n for n in wheel.namelist() if n.endswith("LICENSE")]
    source = SOURCES[name]
    wanted = {
        str(Path(name) / path.relative_to(source))
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted == inside
    assert licence


def python(folders: list[Path], code: str) -> str:
    """Run code that sees the unpacked wheels before this environment's editable packages."""
    paths = os.pathsep.join(map(str, folders))
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def unpacked(wheels, tmp_path_factory) -> dict[str, Path]:
    folders = {}
    for name, wheel in wheels.items():
        folders[name] = tmp_path_factory.mktemp(name)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folders[name])
    return folders


def test_the_core_works_from_its_wheel_alone(unpacked):
    code = """
import fxkit, sys
from importlib.metadata import entry_points
from pathlib import Path
from fxkit import recipes
from fxkit.report import templates
assert sys.argv[0] == "-c" and "torch" not in sys.modules
assert "gru-distort-heavy" in recipes.names()
assert templates.asset("player.js")
print(Path(fxkit.__file__).parent)
"""
    assert Path(python([unpacked["fxkit"]], code).strip()) == unpacked["fxkit"] / "fxkit"


def test_models_and_losses_work_from_their_wheels(unpacked):
    code = """
import torch, fxkit_models, fxkit_losses
from fxkit.registry import LOSSES, MODELS
model = MODELS.get("gru")(MODELS.get("gru").Config(hidden=4))
y, _ = model(torch.zeros(1, 1, 8), model.initial_state(1), None)
esr = LOSSES.get("esr")
assert float(esr(esr.Config())(y, y).sum()) == 0.0
print(fxkit_models.__file__, fxkit_losses.__file__)
"""
    printed = python(list(unpacked.values()), code)
    for name in ("fxkit_models", "fxkit_losses"):
        assert str(unpacked[name]) in printed
