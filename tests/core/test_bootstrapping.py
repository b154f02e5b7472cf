"""A data set out of distorted recordings: what is written, marked, refused, and trained on."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from fxkit.cli.main import main
from fxkit.data import DataConfig, load, split
from fxkit.data.manifest import Manifest as DataManifest
from fxkit.data.manifest import Pair, read_manifest, write_manifest
from fxkit.errors import FxkitError
from fxkit.manifest import Manifest
from fxkit.options import NoOptions
from fxkit.progress import SilentProgress
from fxkit.scaled import Scaled
from fxkit.window import WindowModel

import fxkit
from fxkit import artifact as artifacts

RATE = 8000


class Halved(WindowModel):
    """A stand-in for a trained model that is easy to check: half of the input, some time later."""

    Config = NoOptions

    def __init__(self, config, *, sample_rate=RATE, controls=0):
        super().__init__(config, sample_rate=sample_rate, controls=controls, window=64)
        self.gain = torch.nn.Parameter(torch.tensor(0.5))

    def process(self, x, controls=None):
        return self.gain * x


def model_file(path: Path, task="clean") -> artifacts.Artifact:
    manifest = Manifest(name="halver", model="halved", task=task, sample_rate=RATE)
    model = Scaled(Halved(NoOptions())).eval()
    return artifacts.Artifact(manifest=manifest, model=model, graph=None, tensors={})


def noise(seconds, seed=0, level=0.2):
    x = np.random.default_rng(seed).normal(0, level, round(seconds * RATE))
    return np.convolve(x, np.ones(4) / 4, "same").astype(np.float32)


@pytest.fixture
def wet(tmp_path):
    soundfile.write(tmp_path / "riff.wav", noise(3), RATE, subtype="FLOAT")
    return tmp_path / "riff.wav"


def make(sources, out, tmp_path, **options):
    return fxkit.bootstrap(sources, out, model=model_file(tmp_path), **options)


def test_writes_pairs_that_are_marked_and_lie_sample_on_sample(wet, tmp_path):
    made = make([wet], tmp_path / "set", tmp_path)
    assert (made.pairs, made.true_pairs) == (1, 0)
    manifest = read_manifest(made.manifest)
    [pair] = manifest.pairs
    assert (pair.estimated, pair.estimated_by, pair.align) == ("clean", "halver", "off")
    assert manifest.sample_rate == RATE
    heard, rate = soundfile.read(made.directory / pair.wet, dtype="float32")
    clean, _ = soundfile.read(made.directory / pair.clean, dtype="float32")
    assert rate == RATE
    np.testing.assert_array_equal(heard, noise(3))
    np.testing.assert_allclose(clean, 0.5 * heard, atol=1e-6)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["riff.wav", "set"]


def test_names_that_meet_are_told_apart_and_every_channel_can_be_chosen(wet, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    both = np.stack([noise(1, 1), noise(1, 2)], axis=1)
    soundfile.write(other / "Riff.wav", both, RATE, subtype="FLOAT")
    made = make([wet, other / "Riff.wav"], tmp_path / "set", tmp_path, channel="right")
    names = [pair.name for pair in read_manifest(made.manifest).pairs]
    assert names == ["riff", "Riff-2"]
    heard, _ = soundfile.read(made.directory / "Riff-2.wet.wav", dtype="float32")
    np.testing.assert_array_equal(heard, both[:, 1])
    again = make(other / "Riff.wav", tmp_path / "again", tmp_path, channel="2")
    heard, _ = soundfile.read(again.directory / "Riff.wet.wav", dtype="float32")
    np.testing.assert_array_equal(heard, both[:, 1])


def test_other_rates_keep_their_rate_and_length(tmp_path):
    soundfile.write(tmp_path / "fast.wav", noise(1), 3 * RATE, subtype="PCM_16")
    made = make([tmp_path / "fast.wav"], tmp_path / "set", tmp_path)
    infos = [soundfile.info(made.directory / f"fast.{side}.wav") for side in ("wet", "clean")]
    assert [(i.samplerate, i.frames) for i in infos] == [(3 * RATE, RATE)] * 2


@pytest.fixture
def true(tmp_path):
    folder = tmp_path / "true"
    folder.mkdir()
    dry = noise(6, 5)
    soundfile.write(folder / "clean.flac", dry, RATE)
    soundfile.write(folder / "wet.flac", np.tanh(4 * dry), RATE)
    return folder


def test_true_pairs_come_along_and_alone_are_scored(wet, true, tmp_path):
    made = make([wet], tmp_path / "set", tmp_path, true=true)
    shutil.rmtree(true)
    config = DataConfig(path=str(made.directory))
    dataset = load(config, SilentProgress())
    assert any("estimated by halver" in line for line in dataset.findings)
    parts = split(dataset, config)
    assert {s.take.name for s in parts.train} == {"riff", "wet"}
    assert {s.take.name for s in (*parts.validation, *parts.test)} == {"wet"}


def test_marks_of_true_pairs_are_kept(wet, true, tmp_path):
    pairs = [
        Pair(clean="clean.flac", wet="wet.flac", name=part, split=part)
        for part in ("validation", "test")
    ]
    write_manifest(true / "dataset.yaml", DataManifest(pairs=pairs))
    for given in (true, true / "dataset.yaml"):
        made = make([wet], tmp_path / f"set-{given.stem}", tmp_path, true=given)
        config = DataConfig(path=str(made.directory))
        parts = split(load(config, SilentProgress()), config)
        assert [[s.take.name for s in part] for part in (parts.train, parts.test)] == [
            ["riff"],
            ["test"],
        ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "distort"}, "is for task=distort: the dry side is estimated by a model of"),
        ({"sources": []}, "name at least one distorted recording"),
        ({"sources": ["missing.wav"]}, "missing.wav"),
        ({"sources": ["text.wav"]}, "text.wav"),
        ({"sources": ["stereo.wav"]}, "has 2 channels: choose one with --channel left"),
        ({"sources": ["nan.wav"]}, "nan.wav"),
        ({"channel": "middle"}, "data.channel=middle"),
        ({"out": "taken"}, "taken exists already: choose another folder"),
        ({"out": "text.wav/set"}, "cannot write"),
        ({"true": "nowhere"}, "--true nowhere: no such folder or file"),
        ({"true": "text.wav"}, "needs a folder with clean.* and wet.*, or with a dataset.yaml"),
        ({"true": "taken"}, "has neither a dataset.yaml nor a recording named clean"),
        ({"true": "knobs.yaml"}, "its pairs have knobs"),
        ({"knobs": {"tone": 0.5}}, "no knob 'tone'"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(change, message, wet, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("text.wav").write_text("no sound")
    Path("taken").mkdir()
    soundfile.write("stereo.wav", np.zeros((100, 2)), RATE)
    broken = noise(2)
    broken[9000] = np.nan
    soundfile.write("nan.wav", broken, RATE, subtype="FLOAT")
    Path("knobs.yaml").write_text("pairs: [{clean: a.wav, wet: b.wav, controls: {tone: 1}}]")
    before = sorted(tmp_path.iterdir())
    options = {"sources": [wet], "out": "set", "model": "clean", **change}
    model = model_file(tmp_path, options.pop("model"))
    with pytest.raises(FxkitError) as caught:
        fxkit.bootstrap(options.pop("sources"), options.pop("out"), model=model, **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_the_command(wet, tmp_path, capsys, monkeypatch):
    asked = {}

    def opened(path):
        asked["model"] = path
        return model_file(tmp_path)

    monkeypatch.setattr("fxkit.api.files.open", opened)
    out = tmp_path / "set"
    assert main(["bootstrap", str(wet), "--model", "m.fxkit", "--out", str(out), "--json"]) == 0
    assert '"pairs": 1' in capsys.readouterr().out
    assert asked == {"model": Path("m.fxkit")}
    assert main(["bootstrap", str(wet), "--model", "m.fxkit", "--out", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err


SETTINGS = {
    "task": "clean",
    "model": "gru",
    "model.hidden": 2,
    "train.epochs": 1,
    "train.minutes": 0,
    "train.window": 256,
    "train.batch": 2,
}


def test_training_on_estimates_alone_is_not_scored(wet, tmp_path):
    made = make([wet], tmp_path / "set", tmp_path)
    run = fxkit.run(**SETTINGS, data=str(made.directory), **{"run.dir": str(tmp_path / "run")})
    assert run.evaluation.scores.esr is None
    assert run.evaluation.seconds == 0
    page = run.report_path.read_text()
    assert "Not scored" in page
    assert "add a true pair" in page
    with pytest.raises(FxkitError, match="nothing to evaluate"):
        fxkit.evaluate(run.model_path)


def test_the_report_says_what_the_estimate_costs(wet, true, tmp_path):
    first = fxkit.run(**SETTINGS, data=str(true), **{"run.dir": str(tmp_path / "on-true")})
    made = make([wet], tmp_path / "set", tmp_path, true=true)
    second = fxkit.run(
        **SETTINGS,
        data=str(made.directory),
        **{"run.dir": str(tmp_path / "run"), "run.reference": str(first.directory)},
    )
    page = second.report_path.read_text()
    assert "Beside on-true (gru, trained on true)" in page
    assert "training on the estimate" in page
    other = replace(second.evaluation, seconds=second.evaluation.seconds + 1)
    from fxkit.reference import load as load_reference

    assert load_reference(first.directory).comparable(second.evaluation)
    assert not load_reference(first.directory).comparable(other)


def test_a_reference_that_is_no_run_is_one_line_before_any_work(tmp_path):
    with pytest.raises(FxkitError, match=r"run\.reference=.*not the folder of a finished run"):
        fxkit.run(**SETTINGS, **{"run.reference": str(tmp_path), "run.dir": str(tmp_path / "r")})
    assert not (tmp_path / "r").exists()
