"""An outside package, installed with pip, is a full member: no private door."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fxkit.data.synth import drive, guitar

PACKAGE = Path(__file__).parents[2] / "examples" / "third_party"
RATE = 22_050

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """Copy the package: a build leaves files behind, and the example should stay as it is."""
    copy = tmp_path_factory.mktemp("source") / "fxkit-wavenet"
    junk = shutil.ignore_patterns("build", "*.egg-info", "__pycache__", ".*")
    shutil.copytree(PACKAGE, copy, ignore=junk)
    return copy


@pytest.fixture(scope="module")
def environment(source, tmp_path_factory) -> dict[str, str]:
    """Install it beside this environment, without a network; only PYTHONPATH knows of it."""
    target = tmp_path_factory.mktemp("site")
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    install = [sys.executable, "-m", "pip", "install", "-q", *offline, "--target", str(target)]
    done = subprocess.run([*install, str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {**os.environ, "PYTHONPATH": str(target), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    clean = guitar(0, 12.0, RATE)
    soundfile.write(folder / "clean.wav", clean, RATE, subtype="FLOAT")
    soundfile.write(folder / "wet.wav", drive(clean, RATE, "medium"), RATE, subtype="FLOAT")
    return folder


def python(environment: dict[str, str], folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def trained(environment, recordings, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    small = ["model.channels=4", "model.layers=4", "model.stacks=1"]
    budget = ["train.epochs=2", "train.window=1024", "train.batch=4", "device=cpu"]
    where = ["run.dir=run", f"data={recordings}"]
    run = ["fxkit", "run", "task=distort", "model=wavenet", *small, *budget, *where]
    python(environment, folder, *run)
    return folder / "run"


def test_its_own_tests_and_the_laws_pass(environment, source):
    shown = python(environment, source, "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert "passed" in shown
    assert "failed" not in shown


def test_it_is_listed_with_its_distribution(environment, tmp_path):
    listed = json.loads(python(environment, tmp_path, "fxkit", "list", "--json"))
    [mine] = [p for plugins in listed.values() for p in plugins if p["name"] == "wavenet"]
    assert "fxkit-wavenet" in json.dumps(mine)


def test_it_is_not_there_without_being_installed(tmp_path):
    here = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    listed = json.loads(python(here, tmp_path, "fxkit", "list", "--json"))
    assert "wavenet" not in [p["name"] for plugins in listed.values() for p in plugins]


def test_it_passes_the_check_without_pytest(environment, tmp_path):
    checked = json.loads(python(environment, tmp_path, "fxkit", "check", "wavenet", "--json"))
    assert checked["passed"]


def test_it_trains_and_reports(trained):
    for name in ("model.fxkit", "report.html", "scores.json", "history.json", "settings.yaml"):
        assert (trained / name).stat().st_size > 0
    assert "wavenet" in (trained / "report.html").read_text(encoding="utf-8")
    assert len(json.loads((trained / "history.json").read_text())) == 2


def test_it_evaluates(environment, trained, recordings):
    arguments = ["fxkit", "evaluate", str(trained), f"data={recordings}", "--json"]
    scored = json.loads(python(environment, trained, *arguments))
    assert np.isfinite(scored["scores"]["esr"])
    # What was measured at the end of the run is measured again from its file.
    before = json.loads((trained / "scores.json").read_text())
    assert scored["scores"]["esr"] == pytest.approx(before["scores"]["esr"], rel=1e-3)


def test_it_renders(environment, trained, recordings, tmp_path):
    rendered = tmp_path / "rendered.wav"
    source, model = str(recordings / "clean.wav"), str(trained / "model.fxkit")
    python(environment, tmp_path, "fxkit", "render", source, str(rendered), "--model", model)
    samples, rate = soundfile.read(rendered)
    assert (len(samples), rate) == (12 * RATE, RATE)
    assert np.std(samples) > 1e-4


def test_it_exports_to_nam_and_comes_back(environment, trained, tmp_path):
    python(environment, tmp_path, "fxkit", "export", str(trained), "--to", "nam", "--out", "a.nam")
    config = json.loads((tmp_path / "a.nam").read_text())["config"]
    assert [array["dilations"] for array in config["layers"]] == [[1, 2, 4, 8]]
    python(environment, tmp_path, "fxkit", "import", "a.nam", "--out", "back.fxkit")
    assert (tmp_path / "back.fxkit").stat().st_size > 0


def test_its_file_plays_from_its_graph_where_it_is_not_installed(trained, recordings, tmp_path):
    here = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    rendered = tmp_path / "rendered.wav"
    source, model = str(recordings / "clean.wav"), str(trained / "model.fxkit")
    python(here, tmp_path, "fxkit", "render", source, str(rendered), "--model", model)
    assert soundfile.info(rendered).frames == 12 * RATE
