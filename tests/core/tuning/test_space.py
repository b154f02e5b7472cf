"""What is searched: what models declare, and what the user writes."""

from __future__ import annotations

import pytest
from fxkit.errors import FxkitError
from fxkit.model import Model
from fxkit.registry import MODELS
from fxkit.search import Choice, Range
from fxkit.tuning.space import declared, parse_dimension

GRU = MODELS.get("gru")


@pytest.mark.parametrize("name", ["gru", "lstm", "nn-gru"])
def test_the_shipped_models_declare_what_they_take(name):
    space = declared(MODELS.get(name))
    assert {"train.lr", "train.window", "train.weight_decay"} <= set(space)
    assert {"model.hidden", "model.layers"} <= set(space)


def test_a_model_that_says_nothing_has_its_training_searched():
    class Plain(Model):
        pass

    class Cropped(Model):
        trains_on = "crops"

    assert set(declared(Plain)) == {"train.lr", "train.window", "train.weight_decay"}
    assert "train.window" not in declared(Cropped)


def test_a_model_can_replace_what_is_searched_of_the_training():
    class Slow(Model):
        @classmethod
        def search_space(cls):
            return {"train.lr": Range(1e-5, 1e-4, log=True)}

    assert declared(Slow)["train.lr"] == Range(1e-5, 1e-4, log=True)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"hiden": Choice((1, 2))}, r"wrong: no setting 'model.hiden'; did you mean model.hidden"),
        ({"hidden": Range(0, 5)}, r"wrong: model.hidden=0: needs a whole number from 1 to 1024"),
        ({"hidden": (1, 2)}, r"wrong: model.hidden: needs a Range or a Choice"),
        ({"train.epochs": Range(1, 5)}, r"train.epochs cannot be searched"),
    ],
)
def test_a_wrong_declaration_is_named(space, message):
    class Wrong(GRU):
        @classmethod
        def search_space(cls):
            return space

    with pytest.raises(FxkitError, match=f"the search space of Wrong is {message}|{message}"):
        declared(Wrong)


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("train.lr", "1e-3..0.05:log", Range(1e-3, 0.05, log=True)),
        ("train.lr", "0.1..0.5", Range(0.1, 0.5)),
        ("model.hidden", "8..32:8", Range(8, 32, step=8)),
        ("model.hidden", "8..32", Range(8, 32)),
        ("model.hidden", "16, 32", Choice((16, 32))),
        ("model.dry", "true,false", Choice((True, False))),
        ("model.hidden", "none", None),
        ("model.hidden", None, None),
    ],
)
def test_what_the_user_writes(key, text, expected):
    assert parse_dimension(key, text, GRU) == expected
    if expected is not None:
        assert parse_dimension(key, str(expected), GRU) == expected


@pytest.mark.parametrize("text", ["16", "32..16", "8..32:x", "8..32:100", "16,16", ""])
def test_what_cannot_be_read_is_one_line(text):
    with pytest.raises(FxkitError, match=r"search\.model\.hidden|model\.hidden="):
        parse_dimension("model.hidden", text, GRU)


@pytest.mark.parametrize(
    "key", ["run.seed", "data.level", "train.minutes", "loss.esr.pre_emphasis"]
)
def test_only_model_and_training_can_be_searched(key):
    with pytest.raises(FxkitError, match=r"cannot be searched"):
        parse_dimension(key, "1,2", GRU)
