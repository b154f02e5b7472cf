"""A model file as an amplifier: what it plays, what it says of itself, and what is refused."""

import math

import numpy as np
import pytest
import torch
from fxkit.amplifier import Amplifier, load
from fxkit.artifact import Artifact
from fxkit.errors import FxkitError
from fxkit.graph import Graph, GraphModel
from fxkit.manifest import Control, Level, Manifest
from fxkit.model import Model
from fxkit.options import NoOptions
from fxkit.scaled import Scaled
from fxkit.tasks.clean import Clean
from torch import nn

from fxkit import artifact as artifacts

RATE = 8000


def graph(latency=0, knobs=0) -> GraphModel:
    """An echo of its past through a tanh, `latency` late: anything out of place shows."""
    g = Graph(nn.Module(), controls=knobs)
    y = g.activation(g.conv(g.delay(g.x, latency), torch.tensor([[[0.5, 0.0, 3.0]]])), "tanh")
    if g.controls is not None:
        y = g.add(y, g.controls)
    return GraphModel(g.finish(y), g.tensors, sample_rate=RATE, latency=latency)


def wanted(x):
    late = np.concatenate((np.zeros(2, np.float32), x[:-2]))
    return np.tanh(3.0 * x + 0.5 * late)


def saved(path, task="distort", knobs=0, latency=0, **about):
    controls = tuple(Control(f"k{i}") for i in range(knobs))
    manifest = Manifest("crunch", "graph", task=task, controls=controls, **about)
    return artifacts.save(path, graph(latency, knobs), manifest)


def noise(count, frames=3000):
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (count, frames)).astype(np.float32)
    return list(x)


@pytest.fixture(params=["as installed", "PyTorch"])
def backend(request, monkeypatch):
    if request.param == "PyTorch":
        monkeypatch.setenv("FXKIT_ENGINE", "off")


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("latency", [0, 7, 5000])
def test_it_plays_each_stretch_from_silence_and_in_place(tmp_path, latency):
    saved(tmp_path / "a.fxkit", latency=latency)
    amplifier = load(str(tmp_path / "a.fxkit"))
    stretches = noise(5)
    first = amplifier.play(stretches)
    for x, y in zip(stretches, first, strict=True):
        np.testing.assert_allclose(y, wanted(x), atol=1e-5)
    assert amplifier.play([]) == []
    for y, again in zip(first, amplifier.play(stretches), strict=True):
        np.testing.assert_array_equal(y, again)
    np.testing.assert_allclose(amplifier.play(stretches[2:3])[0], first[2], atol=1e-6)


def test_threads_change_nothing(tmp_path):
    saved(tmp_path / "a.fxkit")
    before = torch.get_num_threads()
    played = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            played.append(load(str(tmp_path / "a.fxkit")).play(noise(8)))
    finally:
        torch.set_num_threads(before)
    for one, several in zip(*played, strict=True):
        np.testing.assert_array_equal(one, several)


class Forgetful(Model):
    """Nothing at all, after a long time to find its feet."""

    Config = NoOptions

    @property
    def warm_up(self):
        return 9000

    def initial_state(self, batch):
        return {}

    def forward(self, x, state, controls=None):
        return x, state


def test_it_hears_as_much_before_as_its_model_asks_for():
    manifest = Manifest("f", "forgetful", sample_rate=RATE)
    slow = Artifact(manifest, Scaled(Forgetful(NoOptions(), sample_rate=RATE)).eval())
    assert Amplifier(slow).run_in == 9000
    assert Amplifier(slow).peak == math.inf


def test_it_says_which_model_it_is_and_how_loud_that_knows(tmp_path):
    saved(tmp_path / "model.fxkit", input=Level(0.1, 0.75))
    by_folder, by_file = load(str(tmp_path)), load(str(tmp_path / "model.fxkit"))
    assert by_folder.description == by_file.description
    assert by_folder.description.startswith("crunch, SHA-256 ")
    assert len(by_folder.description.rpartition(" ")[2]) == 64
    assert by_folder.peak == 0.75
    assert by_folder.sample_rate == RATE


@pytest.mark.parametrize(
    ("file", "options", "message"),
    [
        ("there.fxkit", {"task": "clean"}, r"task\.amplifier=.*: a model for task=clean; needed"),
        ("there.fxkit", {"task": ""}, r"a model for no task that it names; needed is"),
        ("there.fxkit", {"knobs": 1}, r"a model with knobs \(k0\); needed is one without"),
        ("missing.fxkit", {}, r"task\.amplifier=.*missing\.fxkit: no such file or folder"),
        ("folder", {}, r"a folder without a model\.fxkit"),
        ("text.fxkit", {}, r"text\.fxkit: "),
    ],
)
def test_what_cannot_be_used_is_one_line(tmp_path, file, options, message):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.fxkit").write_text("no model")
    saved(tmp_path / "there.fxkit", **options)
    with pytest.raises(FxkitError, match=message) as caught:
        load(str(tmp_path / file))
    assert "\n" not in str(caught.value)


class TestSettings:
    def test_off_by_default(self):
        assert Clean().amplified is None

    def test_they_reach_the_pairs_and_the_file_is_opened_once(self, tmp_path):
        saved(tmp_path / "model.fxkit")
        config = Clean.Config(
            amplifier=str(tmp_path),
            amplified=0.7,
            amplified_speed=1.0,
            amplified_gain=2.0,
            amplified_mix=0.3,
            amplified_tilt=4.0,
        )
        task = Clean(config)
        made = task.amplified
        assert made is task.amplified
        assert made.share == 0.7
        variety = made.variety
        assert (variety.speed, variety.gain, variety.mix, variety.tilt) == (1.0, 2.0, 0.3, 4.0)

    def test_it_is_one_or_the_other(self):
        with pytest.raises(ValueError, match="choose one"):
            Clean.Config(amplifier="a", drives=True)
