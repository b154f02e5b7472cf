"""The Python calls: lazily imported, and with the same complaints as the commands."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest
from fxkit.errors import FxkitError, PluginError
from fxkit.progress import PlainProgress, SilentProgress

import fxkit
from fxkit import api


@pytest.fixture
def executed(monkeypatch):
    """Catch what a run would be started with."""
    import fxkit.pipeline

    caught = SimpleNamespace()

    def execute(settings, progress, *, resume=None):
        caught.settings, caught.progress, caught.resume = settings, progress, resume
        return "result"

    monkeypatch.setattr(fxkit.pipeline, "execute", execute)
    return caught


def test_importing_fxkit_is_instant_and_every_name_is_there():
    code = (
        "import sys, fxkit; assert not [m for m in sys.modules if m.startswith('fxkit.')]\n"
        "assert fxkit.options.option and fxkit.plugins and fxkit.FxkitError\n"
        "assert 'torch' not in sys.modules\n"
        "assert set(fxkit.__all__) <= set(dir(fxkit))\n"
        "assert all(callable(getattr(fxkit, name)) for name in fxkit.__all__)\n"
        "assert fxkit.model.Model\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_calls_survive_the_modules_they_use():
    import fxkit.evaluation
    import fxkit.rendering

    assert callable(fxkit.render)
    assert callable(fxkit.evaluate)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = fxkit.nothing


def test_settings_come_as_words_groups_or_dots(executed, tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("model: lstm\ntrain.lr: 1e-3\ntrain.batch: 3\n")
    settings = {"train.lr": 0.5}
    assert fxkit.run(task="clean", model={"hidden": 5}, config=file, **settings) == "result"
    made = executed.settings
    assert (made.task, made.model, made.model_config.hidden) == ("clean", "lstm", 5)
    assert (made.train.lr, made.train.batch) == (0.5, 3)
    assert executed.resume is None
    assert isinstance(executed.progress, SilentProgress)


def test_progress_can_be_asked_for(executed):
    fxkit.run(progress=True)
    assert isinstance(executed.progress, PlainProgress)
    mine = SilentProgress()
    fxkit.run(progress=mine)
    assert executed.progress is mine


def test_resuming_takes_the_runs_settings(executed, tmp_path):
    from fxkit.config import resolve, to_yaml

    (tmp_path / "settings.yaml").write_text(to_yaml(resolve({"model.hidden": 7, "loss": "dc"})))
    fxkit.run(resume=tmp_path, train={"minutes": 3})
    assert executed.resume == tmp_path
    assert executed.settings.model_config.hidden == 7
    assert executed.settings.loss == "dc"
    assert executed.settings.train.minutes == 3
    with pytest.raises(FxkitError, match=r"model\.hidden cannot be changed when a run is resumed"):
        fxkit.run(resume=tmp_path, **{"model.hidden": 8})
    with pytest.raises(FxkitError, match=r"not the folder of a run"):
        fxkit.run(resume=tmp_path / "other")


def test_plugins_lists_all_kinds():
    found = fxkit.plugins()
    assert list(found) == ["model", "loss", "task", "format"]
    assert {"gru", "lstm", "nn-gru"} <= {status.name for status in found["model"]}
    assert all(status.summary and not status.problem for status in found["task"])


def test_bench_takes_a_name_with_settings():
    [time] = fxkit.bench("gru", blocks=[16], seconds=0.01, sample_rate=8000, **{"model.hidden": 2})
    assert (time.block, time.sample_rate) == (16, 8000)
    assert time.median_us > 0


def test_check_says_what_is_wrong_with_its_arguments():
    with pytest.raises(PluginError, match="no plug-in 'gruu'; did you mean gru"):
        fxkit.check("gruu")
    with pytest.raises(FxkitError, match="kind=horse: needs one of model, loss"):
        fxkit.check("gru", kind="horse")


def test_check_asks_which_kind_is_meant(monkeypatch):
    fake = SimpleNamespace(names=lambda: ["gru"])
    monkeypatch.setitem(api.REGISTRIES, "format", fake)
    with pytest.raises(FxkitError, match="'gru' is a model and a format; say which with --kind"):
        fxkit.check("gru")
