"""Finding commands, exit codes, and one line for whatever goes wrong."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from types import SimpleNamespace

import fxkit.api
import pytest
from fxkit.cli.main import COMMANDS, main
from fxkit.errors import FxkitError
from fxkit.realtime import BlockTime
from fxkit.registry import Entry, Status
from fxkit.train import DivergedError

import fxkit


def raising(error):
    def call(*args, **kwargs):
        raise error

    return call


def one_line(capsys) -> str:
    """Return the one line on standard error, with nothing on standard output."""
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("\n")
    [line] = captured.err.splitlines()
    assert line.startswith("fxkit: ")
    return line.removeprefix("fxkit: ")


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["help"]])
def test_help_lists_every_command(capsys, argv):
    assert main(argv) == 0
    out = capsys.readouterr().out
    assert all(f"\n  {name} " in out for name in COMMANDS)


def test_no_command_shows_the_usage_and_fails(capsys):
    assert main([]) == 2
    assert "usage: fxkit" in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(capsys, command):
    try:
        code = main([command, "--help"])
    except SystemExit as ended:  # how argparse does it
        code = ended.code
    assert code == 0
    assert f"usage: fxkit {command}" in capsys.readouterr().out


def test_run_help_lists_every_key_of_the_chosen_plugins(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "150")
    assert main(["run", "--help", "model=nn-gru", "loss=esr+dc"]) == 0
    out = capsys.readouterr().out
    for part in ("model.taps", "64 samples", "loss.esr.pre_emphasis", "train.lr", "run.dir"):
        assert part in out
    assert "a whole number from 1 to 1024" in out
    assert "usage: fxkit run" in out
    assert main(["run", "model=gru", "--help"]) == 0
    out = capsys.readouterr().out
    assert "model.taps" not in out
    assert "model.hidden" in out


def test_run_help_shows_what_a_recipe_chooses(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "150")
    assert main(["run", "--help", "recipe=nn-gru-clean-heavy"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^task +clean ", out, re.MULTILINE)
    assert re.search(r"^model +nn-gru ", out, re.MULTILINE)
    assert re.search(r"^recipe +nn-gru-clean-heavy ", out, re.MULTILINE)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["run", "--help", "model=nngru"], "no model 'nngru'; did you mean nn-gru"),
        (["run", "--help", "trian.lr=1"], "no setting 'trian.lr'; did you mean train.lr?"),
        (["rnu"], "no command 'rnu'; did you mean run?"),
        (["xyzzy"], "no command 'xyzzy'; there is run, "),
        (["run", "--foo"], "unrecognized arguments: --foo; see fxkit run --help"),
        (["render", "a.wav"], "the following arguments are required:"),
        (["render", "a.wav", "b.wav"], "the following arguments are required: --model"),
        (["render", "a", "b", "--model", "c", "--knob", "x"], "write NAME=VALUE"),
        (["render", "a", "b", "--model", "c", "--knob", "x=y"], "write NAME=VALUE"),
        (["bench"], "the following arguments are required: MODEL; see"),
        (["bench", "gru", "--blocks", "0"], "--blocks 0: write sizes"),
        (["bench", "gru", "--blocks", "a,b"], "--blocks a,b: write sizes"),
        (["bench", "gru", "train.lr=1"], "train.lr: a benchmark has settings of model.* only"),
        (["bench", "grru"], "grru"),
        (["bench", "gru", "--sample-rate", "0"], "sample rate 0: needs 1000 to"),
        (["check", "grru"], "no plug-in 'grru'; did you mean gru"),
        (["check", "gru", "--kind", "horse"], "invalid choice"),
        (["info", "missing.fxkit"], "missing.fxkit"),
        (["info", "."], "a folder without a model.fxkit"),
        (["run", "--resume", "nowhere"], "nowhere: not the folder of a run"),
        (["run", "lr"], "'lr' is not a setting"),
        (["run", "model.hiden=1"], "did you mean model.hidden?"),
        (["run", "--config", "nowhere.yaml"], "nowhere.yaml: no such file"),
        (["run", "recipe=nowhere"], "nowhere"),
    ],
)
def test_bad_arguments_are_one_line_and_exit_code_2(capsys, tmp_path, monkeypatch, argv, message):
    monkeypatch.chdir(tmp_path)
    assert main(argv) == 2
    assert message in one_line(capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (FxkitError("do\nthis"), 2, "do this"),
        (OSError(errno.ENOSPC, "No space left on device", "x.wav"), 2, "x.wav: No space left"),
        (PermissionError(errno.EACCES, "Permission denied", "/r"), 2, "/r: Permission denied"),
        (OSError("disk: cannot be written"), 2, "disk: cannot be written"),
        (OSError(), 2, "OSError"),
        (DivergedError("the loss is NaN"), 1, "the loss is NaN"),
        (MemoryError(), 2, "not enough memory"),
        (KeyboardInterrupt(), 130, "stopped"),
        (
            OSError("/x/torchaudio/lib/_a.so: undefined symbol: y"),
            2,
            "torchaudio does not fit the installed PyTorch",
        ),
        (ImportError("No module named 'torchaudio'"), 2, "pip install --upgrade torch torchaudio"),
    ],
)
def test_what_goes_wrong_is_one_line_with_its_exit_code(capsys, monkeypatch, error, code, message):
    monkeypatch.setattr(fxkit.api, "run", raising(error))
    assert main(["run"]) == code
    assert message in one_line(capsys)


def test_a_defect_keeps_its_traceback(capsys, monkeypatch):
    monkeypatch.setattr(fxkit.api, "run", raising(ZeroDivisionError("oops")))
    assert main(["run"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "ZeroDivisionError: oops" in err


def test_torch_that_cannot_be_loaded_is_one_helpful_line(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["bench", "gru"]) == 2
    line = one_line(capsys)
    assert line.startswith("PyTorch cannot be loaded")
    assert "pip install" in line


def test_sigterm_unwinds_the_stack(monkeypatch):
    before = signal.getsignal(signal.SIGTERM)
    tidied = []

    def work(**settings):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            tidied.append(True)

    monkeypatch.setattr(fxkit.api, "run", work)
    with pytest.raises(SystemExit) as caught:
        main(["run"])
    assert caught.value.code == 143
    assert tidied == [True]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_reader_that_goes_away_makes_no_noise():
    # `head -c 0` is gone before anything is written.
    command = f"{sys.executable} -m fxkit list --names; echo $? >&2"
    shell = ["bash", "-c", f"( sleep 0.5; {command} ) | head -c 0"]
    # A shell complains of a language that is not installed.
    plain = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(shell, env=plain, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr.strip() == "141"


def test_version_and_json(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("fxkit 0.")
    assert main(["version", "--json"]) == 0
    assert "python" in json.loads(capsys.readouterr().out)


def test_list_shows_distribution_version_summary_and_what_is_broken(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "150")
    good = Status("gru", (Entry("gru", "fxkit-models", "0.1", "a:B"),), "A GRU.", "")
    bad = Status("odd", (Entry("odd", "odd-pack", "2", "c:D"),), "", "broken: [no] such module")
    found = {"model": [good, bad], "loss": [], "task": [], "format": []}
    monkeypatch.setattr(fxkit.api, "plugins", lambda: found)
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    for part in ("gru", "fxkit-models 0.1", "A GRU.", "odd-pack 2", "broken: [no] such module"):
        assert part in out
    assert main(["list", "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["model"][1]["problem"] == "broken: [no] such module"


def test_check_fails_with_1_where_a_law_is_broken(capsys, monkeypatch):
    from fxkit.testing import LawResult

    results = [LawResult("is kept", True, "", 0.1), LawResult("is broken", False, "by\n1e-3", 0.1)]
    monkeypatch.setattr(fxkit.api, "check", lambda name, kind=None: results)
    assert main(["check", "gru"]) == 1
    out = capsys.readouterr().out
    assert "ok      is kept" in out
    assert "BROKEN  is broken: by 1e-3" in out
    assert main(["check", "gru", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["passed"] is False
    results.pop()
    assert main(["check", "gru"]) == 0


def test_bench_prints_a_table_or_one_document(capsys, monkeypatch):
    asked = {}

    def bench(model, **options):
        asked.update(options, model=model)
        return [BlockTime(64, 44100, 100.0, 150.0, 1451.0, 0.07, "here")]

    monkeypatch.setattr(fxkit.api, "bench", bench)
    assert main(["bench", "gru", "--blocks", "64", "model.hidden=8"]) == 0
    assert "real-time factor" in capsys.readouterr().out
    assert (asked["model"], asked["blocks"], asked["model.hidden"]) == ("gru", [64], "8")
    assert main(["bench", "gru", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["block"] == 64


def test_options_and_settings_may_be_mixed(capsys, monkeypatch, tmp_path):
    asked = {}

    def run(**options):
        asked.update(options)
        return SimpleNamespace(to_plain=lambda: {"model": "m"}, interrupted=True)

    monkeypatch.setattr(fxkit.api, "run", run)
    file = tmp_path / "a.yaml"
    assert main(["run", "task=clean", "--config", str(file), "train.lr=1e-2", "--json"]) == 130
    assert json.loads(capsys.readouterr().out) == {"model": "m"}
    assert asked["task"] == "clean"
    assert asked["train.lr"] == "1e-2"
    assert asked["config"] == [file]


@pytest.mark.parametrize("argv", [["--help"], ["list", "--names"], ["version"], ["run", "x"]])
def test_what_needs_no_torch_does_not_wait_for_it(argv):
    code = (
        f"import sys; from fxkit.cli import main\nmain({argv!r}); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True)
