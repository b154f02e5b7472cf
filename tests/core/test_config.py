"""Settings: read, converted, checked, described, and written back."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
import torch
from fxkit.config import (
    build,
    build_loss,
    describe,
    flatten,
    keys,
    parse,
    parse_loss,
    read_yaml,
    resolve,
    to_plain,
    to_yaml,
)
from fxkit.errors import FxkitError
from fxkit.options import option
from fxkit.registry import MODELS
from fxkit.weighted_sum import WeightedSum


@dataclass(frozen=True)
class Inner:
    depth: int = option(2, "how deep", low=1, high=9)


@dataclass(frozen=True)
class Everything:
    size: int = option(8, "a size", unit="units", low=1, high=64)
    rate: float = option(0.5, "a rate", low=0)
    dry: bool = option(False, "a switch")
    name: str = option("x", "a name")
    kind: str = option("a", "a kind", choices=("a", "b"))
    where: str | None = option(None, "a place")
    align: int | Literal["auto", "off"] = option("auto", "an alignment")
    sizes: tuple[int, ...] = option((1, 2), "sizes", low=1)
    inner: Inner = field(default_factory=Inner)


def made(**values):
    return build(Everything, values, prefix="model")


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("size", "16", 16),
        ("size", "1e1", 10),
        ("size", "1_0", 10),
        ("size", 16.0, 16),
        ("rate", "1e-2", 0.01),
        ("rate", ".5", 0.5),
        ("rate", "3", 3.0),
        ("dry", "yes", True),
        ("dry", "off", False),
        ("dry", "true", True),
        ("dry", True, True),
        ("name", "no", "no"),
        ("name", "1e-2", "1e-2"),
        ("name", "null", "null"),
        ("kind", "b", "b"),
        ("where", "12", "12"),
        ("where", "none", None),
        ("where", None, None),
        ("align", "off", "off"),
        ("align", "-12", -12),
        ("sizes", "4,5,6", (4, 5, 6)),
        ("sizes", "[4, 5]", (4, 5)),
        ("sizes", [7], (7,)),
        ("sizes", "", ()),
    ],
)
def test_the_type_of_a_setting_decides_what_text_means(key, text, value):
    found = getattr(made(**{key: text}), key)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("key", "value", "takes"),
    [
        ("size", "big", "a whole number from 1 to 64"),
        ("size", "1.5", "a whole number from 1 to 64"),
        ("size", 1.5, "a whole number from 1 to 64"),
        ("size", True, "a whole number from 1 to 64"),
        ("size", "0", "a whole number from 1 to 64"),
        ("size", 65, "a whole number from 1 to 64"),
        ("size", "1e400", "a whole number from 1 to 64"),
        ("size", None, "a whole number from 1 to 64"),
        ("rate", "nan", "a number, at least 0"),
        ("rate", float("nan"), "a number, at least 0"),
        ("rate", "inf", "a number, at least 0"),
        ("rate", "-1", "a number, at least 0"),
        ("rate", "٣", "a number, at least 0"),
        ("dry", "maybe", "true or false"),
        ("dry", 1, "true or false"),
        ("name", 5, "text"),
        ("name", None, "text"),
        ("kind", "c", "one of a, b"),
        ("align", "left", "a whole number or one of auto, off"),
        ("sizes", "1,x", "a list of whole numbers, as in 1,2,4, at least 1"),
        ("sizes", "1,0", "a list of whole numbers, as in 1,2,4, at least 1"),
    ],
)
def test_a_wrong_value_is_refused_with_what_the_setting_takes(key, value, takes):
    with pytest.raises(FxkitError) as caught:
        made(**{key: value})
    message = str(caught.value)
    assert message.startswith(f"model.{key}=")
    assert message.endswith(f": needs {takes}")
    assert "\n" not in message


def test_a_long_or_broken_value_stays_one_short_line():
    with pytest.raises(FxkitError) as caught:
        made(size="a\nb" * 100)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 150


def test_groups_inside_groups_take_dots_or_dictionaries():
    assert made(**{"inner.depth": "3"}).inner == Inner(3)
    assert made(inner={"depth": 3}).inner == Inner(3)
    with pytest.raises(FxkitError, match=r"model\.inner\.depth=99: needs a whole number from 1"):
        made(**{"inner.depth": "99"})
    with pytest.raises(FxkitError, match=r"no setting 'model\.inner\.dept'; did you mean"):
        made(inner={"dept": 3})


def test_an_unknown_key_gets_the_nearest():
    with pytest.raises(FxkitError, match=r"^no setting 'model\.siz'; did you mean model\.size"):
        made(siz=3)
    with pytest.raises(FxkitError, match=r"^no setting 'x\.y'; x has no settings$"):
        build(dataclass(frozen=True)(type("Nothing", (), {})), {"y": 1}, prefix="x")


def test_a_required_setting_that_is_missing_is_named():
    @dataclass(frozen=True)
    class Needy:
        must: int

    with pytest.raises(FxkitError, match=r"x\.must is missing: it needs a whole number"):
        build(Needy, {}, prefix="x")


def test_what_the_dataclass_refuses_itself_is_one_line():
    @dataclass(frozen=True)
    class Picky:
        a: int = 1

        def __post_init__(self):
            raise ValueError("never\nright")

    with pytest.raises(FxkitError, match=r"^x: never right$"):
        build(Picky, {}, prefix="x")


def test_plain_values_make_the_same_dataclass_again():
    config = made(size=3, sizes=(5, 6), where="here", inner={"depth": 4}, align=7)
    plain = to_plain(config)
    assert plain["sizes"] == [5, 6]
    assert plain["inner"] == {"depth": 4}
    assert build(Everything, plain, prefix="model") == config


def test_description_has_key_default_unit_meaning():
    infos = {info.key: info for info in describe(Everything, "model")}
    size = infos["model.size"]
    assert (size.default, size.unit, size.help) == (8, "units", "a size")
    assert size.takes == "a whole number from 1 to 64"
    assert infos["model.where"].takes == "text or none"
    assert infos["model.inner.depth"].default == 2


def test_files_come_first_and_the_last_word_wins(tmp_path):
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("model: gru\ntrain: {lr: 1, batch: 2}\n")
    second.write_text("train.lr: 2\n")
    values = parse(["train.batch=3", "data=here", "device=cpu"], [first, second])
    assert values == {
        "model": "gru",
        "train.lr": "2",
        "train.batch": "3",
        "data.path": "here",
        "run.device": "cpu",
    }


def test_yaml_has_none_of_the_surprises_of_yaml_1_1(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("a: 1e-2\nb: no\nc: 012\nd: 1:30\ne: 2024-01-01\nf: null\ng: [on, 2]\nh: =\n")
    assert read_yaml(file) == {
        "a": "1e-2",
        "b": "no",
        "c": "012",
        "d": "1:30",
        "e": "2024-01-01",
        "f": None,
        "g": ["on", "2"],
        "h": "=",
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [1", ", line "),
        ("a: 1\na: 2\n", "'a' is there twice"),
        ("- 1\n- 2\n", "holds no settings"),
        ("just text", "holds no settings"),
        ("a b: 1\n", "a b is not the key of a setting"),
        ("? [1]\n: 2\n", "found unhashable key"),
        ("null: 1\n", "is not the key of a setting"),
        ("a: !!python/object/apply:os.system [ls]\n", "could not determine a constructor"),
        ("a: &x {b: *x}\n", ""),
        ("[" * 5000, ""),
        (
            "a: &a {p: 1, q: 2, r: 3, s: 4, t: 5, u: 6, v: 7, w: 8}\n"
            + "".join(
                f"{k}: &{k} {{" + ", ".join(f"{x}: *{j}" for x in "pqrstuvw") + "}\n"
                for j, k in zip("abcdef", "bcdefg", strict=True)
            ),
            "too many settings",
        ),
    ],
)
def test_a_bad_file_is_one_line(tmp_path, text, problem):
    file = tmp_path / "a.yaml"
    file.write_text(text)
    with pytest.raises(FxkitError) as caught:
        read_yaml(file)
    assert problem in str(caught.value)
    assert str(caught.value).startswith(str(file))
    assert "\n" not in str(caught.value)


def test_missing_folder_and_binary_files_are_one_line(tmp_path):
    with pytest.raises(FxkitError, match="no such file"):
        read_yaml(tmp_path / "a.yaml")
    with pytest.raises(FxkitError, match="is a folder"):
        read_yaml(tmp_path)
    (tmp_path / "b").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(FxkitError, match="not a text file"):
        read_yaml(tmp_path / "b")
    (tmp_path / "empty").write_text("")
    assert read_yaml(tmp_path / "empty") == {}


@pytest.mark.parametrize("argument", ["", "train.lr", "=3", "a b=3", "a..b=3", "--x=3"])
def test_an_argument_that_is_no_setting_is_refused(argument):
    with pytest.raises(FxkitError, match="is not a setting: write key=value"):
        parse([argument])


def test_a_value_may_hold_equals_signs():
    assert parse(["run.name=a=b"]) == {"run.name": "a=b"}


def test_flatten_knows_names_in_groups():
    nested = {"model": {"name": "gru", "hidden": 8}, "train": {"lr": 1}}
    assert flatten(nested) == {"model": "gru", "model.hidden": 8, "train.lr": 1}


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("esr", [("esr", 1.0)]),
        ("esr+0.1*mrstft", [("esr", 1.0), ("mrstft", 0.1)]),
        (" 1e+1 * esr + .5*dc ", [("esr", 10.0), ("dc", 0.5)]),
        ("my-loss+2*dc", [("my-loss", 1.0), ("dc", 2.0)]),
    ],
)
def test_loss_expressions(text, terms):
    assert [(term.name, term.weight) for term in parse_loss(text)] == terms


@pytest.mark.parametrize(
    "text", ["", "+", "esr+", "+esr", "esr dc", "0*esr", "-1*esr", "esr*2", "esr+esr", "1e999*dc"]
)
def test_bad_loss_expressions_are_refused(text):
    with pytest.raises(FxkitError, match=r"^loss="):
        parse_loss(text)


def test_defaults_resolve():
    settings = resolve({})
    assert (settings.task, settings.model, settings.loss) == ("distort", "gru", "esr")
    assert settings.train.batch == type(settings.train)().batch


def test_settings_reach_the_group_they_belong_to():
    settings = resolve(
        parse(
            [
                "task=clean",
                "model=lstm",
                "model.hidden=12",
                "loss=esr+0.1*dc",
                "loss.esr.pre_emphasis=0.85",
                "data=somewhere",
                "train.lr=1e-2",
                "run.seed=7",
            ]
        )
    )
    assert settings.model_config.hidden == 12
    assert settings.data.path == "somewhere"
    assert settings.train.lr == 0.01
    assert settings.run.seed == 7
    assert settings.loss_options["esr"] == {"pre_emphasis": 0.85}
    assert set(settings.loss_options) == {"esr", "dc"}


def test_an_option_of_the_only_loss_needs_no_name():
    short = resolve({"loss": "esr", "loss.pre_emphasis": 0.85})
    assert short == resolve({"loss": "esr", "loss.esr.pre_emphasis": "0.85"})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("model.hiden=3", "no setting 'model.hiden'; did you mean model.hidden?"),
        ("hidden=3", "no setting 'hidden'; did you mean model.hidden?"),
        ("hiden=3", "no setting 'hiden'; did you mean model.hidden?"),
        ("model.lr=3", "no setting 'model.lr'; did you mean train.lr?"),
        ("modell=gru", "no setting 'modell'; did you mean model?"),
        ("model.taps=3", "no setting 'model.taps' for model=gru; model=nn-gru has it"),
        ("train=3", "no setting 'train': it is a group, of train.*; fxkit run --help lists all"),
        ("xyzzy=3", "no setting 'xyzzy'; fxkit run --help lists all"),
        (
            "loss=dc loss.pre_emphasis=.5",
            "no setting 'loss.pre_emphasis' for loss=dc; loss=esr has it",
        ),
        (
            "loss=dc loss.esr.pre_emphasis=.5",
            "no setting 'loss.esr.pre_emphasis' for loss=dc; loss=esr has it",
        ),
        (
            "loss=esr+dc loss.pre_emphasis=.5",
            "no setting 'loss.pre_emphasis'; did you mean loss.esr.pre_emphasis?",
        ),
        ("model=gruu", "no model 'gruu'; did you mean gru or nn-gru?"),
        ("loss=esrr", "no loss 'esrr'; did you mean esr?"),
        ("task=distrot", "no task 'distrot'; did you mean distort?"),
        ("model=", "model=: needs the name of a model"),
        ("train.lr=fast", "train.lr=fast: needs a number from 1e-08 to 1"),
    ],
)
def test_what_is_unknown_gets_the_nearest_valid_one(arguments, message):
    with pytest.raises(FxkitError) as caught:
        resolve(parse(arguments.split()))
    assert str(caught.value) == message


def test_a_recipe_comes_first(tmp_path):
    recipe = tmp_path / "mine.yaml"
    recipe.write_text("model: lstm\nmodel.hidden: 7\ntrain.lr: 1e-3\n")
    settings = resolve({"recipe": str(recipe), "train.lr": "2e-3"})
    assert (settings.model, settings.model_config.hidden) == ("lstm", 7)
    assert settings.train.lr == 0.002
    recipe.write_text("recipe: another\n")
    with pytest.raises(FxkitError, match="cannot name another recipe"):
        resolve({"recipe": str(recipe)})


@pytest.mark.parametrize("name", ["no", "null", "1e-2", "  ", "ünï: [x]"])
def test_a_runs_settings_file_gives_the_same_settings(tmp_path, name):
    settings = resolve(
        {
            "model": "nn-gru",
            "loss": "esr+0.1*mrstft",
            "data.clean": str(tmp_path / "c.wav"),
            "data.wet": str(tmp_path / "w.wav"),
            "train.lr": 1e-5,
            "run.name": name,
        }
    )
    file = tmp_path / "settings.yaml"
    file.write_text(to_yaml(settings), encoding="utf-8")
    assert resolve(parse([], [file])) == settings


def test_a_settings_file_means_the_same_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = to_yaml(resolve({"data.clean": "c.wav", "data.wet": "~/w.wav"}))
    assert f"data.clean: {tmp_path / 'c.wav'}" in text
    assert f"data.wet: {Path.home() / 'w.wav'}" in text
    text = to_yaml(resolve({"task": "clean", "task.amplifier": "runs/amplifier"}))
    assert f"task.amplifier: {tmp_path / 'runs' / 'amplifier'}" in text
    assert resolve({"task": "clean", "task.amplifier": "~/a"}).task_config.amplifier == str(
        Path.home() / "a"
    )


def test_keys_lists_what_the_chosen_plugins_take():
    listed = keys({"model": "nn-gru", "loss": "esr+dc", "task": "clean"})
    headings = ["model nn-gru", "loss esr", "loss dc", "task clean", "data", "train", "run"]
    assert list(listed) == headings
    assert "model.taps" in [info.key for info in listed["model nn-gru"]]
    assert all(info.help for infos in listed.values() for info in infos)


def test_the_loss_is_the_weighted_sum_of_its_terms():
    torch.manual_seed(0)
    estimate, target = torch.randn(3, 1, 200), torch.randn(3, 1, 200)
    parts = {
        name: build_loss(resolve({"loss": name}), 8000)(estimate, target) for name in ("esr", "dc")
    }
    both = build_loss(resolve({"loss": "esr+0.25*dc"}), 8000)
    assert isinstance(both, WeightedSum)
    torch.testing.assert_close(both(estimate, target), parts["esr"] + 0.25 * parts["dc"])
    half = build_loss(resolve({"loss": "0.5*esr"}), 8000)
    torch.testing.assert_close(half(estimate, target), 0.5 * parts["esr"])
    assert half.sample_rate == 8000


def test_loss_options_reach_the_loss():
    plain = build_loss(resolve({"loss": "esr"}), 8000)
    emphasised = build_loss(resolve({"loss": "esr", "loss.pre_emphasis": 0.85}), 8000)
    assert (plain.config.pre_emphasis, emphasised.config.pre_emphasis) == (0.0, 0.85)


def test_a_weighted_sum_refuses_bad_weights():
    with pytest.raises(ValueError, match="weights above 0"):
        WeightedSum([])


def test_importing_the_settings_does_not_import_torch():
    code = "import sys, fxkit.config; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_models_own_training_defaults_give_way_to_the_users_and_to_a_recipes(
    tmp_path, monkeypatch
):
    gru = MODELS.get("gru")
    monkeypatch.setattr(gru, "train_defaults", {"lr": 0.123, "batch": 3})
    settings = resolve({"model": "gru"})
    assert (settings.train.lr, settings.train.batch) == (0.123, 3)
    assert settings.train.window == 1024
    assert resolve({"model": "gru", "train.lr": "0.5"}).train.lr == 0.5
    recipe = tmp_path / "r.yaml"
    recipe.write_text("model: gru\ntrain.batch: 7\n")
    assert resolve({"recipe": str(recipe)}).train.batch == 7
    assert resolve({"model": "lstm"}).train.batch == 32
    shown = {info.key: info.default for info in keys({"model": "gru"})["train"]}
    assert (shown["train.lr"], shown["train.window"]) == (0.123, 1024)
    # What a run writes down names all of it: a resumed run does not ask the model again.
    assert resolve(settings.to_plain()) == settings


def test_a_models_wrong_training_default_is_named(monkeypatch):
    monkeypatch.setattr(MODELS.get("gru"), "train_defaults", {"batches": 3})
    with pytest.raises(FxkitError, match=r"no setting 'train\.batches'; did you mean train\.batch"):
        resolve({"model": "gru"})
