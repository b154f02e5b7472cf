from pathlib import Path

import pytest
import yaml
from fxkit.config import parse, resolve
from fxkit.errors import FxkitError
from fxkit.registry import MODELS

from fxkit import recipes

SLIDES = {
    # name: (lr, window, weight decay), from the appendix of the slides
    "gru-distort-light": (0.010299777367940863, 512, 1.3075815622867645e-06),
    "gru-distort-heavy": (0.008530468805437319, 512, 1.7451820529925351e-06),
    "gru-clean-heavy": (0.018205555786732146, 256, 2.1517667249729845e-05),
    "gru-clean-light": (0.01020210845859495, 512, 1.2329814744074788e-06),
    "nn-gru-distort-light": (0.010299777367940863, 512, 1.3075815622867645e-06),
    "nn-gru-distort-heavy": (0.007456241820636362, 512, 2.0236454843648914e-06),
    "nn-gru-clean-heavy": (0.01206649984713325, 512, 1.0032003337722586e-06),
    "nn-gru-clean-light": (0.007456241820636362, 512, 2.0236454843648914e-06),
    "lstm-distort-light": (0.018205555786732146, 256, 2.1517667249729845e-05),
}


def test_the_ten_of_the_slides_are_there():
    assert recipes.names() == sorted([*SLIDES, "demucs-clean-heavy"])


@pytest.mark.parametrize("name", SLIDES)
def test_a_recipe_resolves_into_the_settings_of_the_slides(name):
    settings = resolve(parse([f"recipe={name}"]))
    model, task, level = name.rsplit("-", 2)
    assert (settings.model, settings.task, settings.data.level) == (model, task, level)
    train = settings.train
    assert (train.lr, train.window, train.weight_decay) == SLIDES[name]
    assert train.batch == 32
    assert (settings.model_config.hidden, settings.model_config.layers) == (48, 1)
    assert settings.loss == "esr"
    assert settings.loss_options["esr"]["pre_emphasis"] == 0.85


def test_demucs_has_the_slides_values_but_for_the_pair_that_has_no_inverse():
    settings = resolve({"recipe": "demucs-clean-heavy"})
    model, train = settings.model_config, settings.train
    assert (settings.task, settings.model, settings.data.level) == ("clean", "demucs", "heavy")
    assert (model.channels, model.time_depth, model.freq_depth) == (64, 3, 3)
    assert (model.time_stride, model.gru_layers, model.transformer_heads) == (4, 2, 4)
    assert train.lr == 0.008182284403479165
    assert train.batch * train.accumulate == 256
    assert (model.n_fft, model.hop_length) == (1024, 256)
    with pytest.raises(FxkitError, match="cannot be turned back"):
        resolve({"recipe": "demucs-clean-heavy", "model.n_fft": 256, "model.hop_length": 1024})


def test_demucs_can_be_made_at_the_slides_size():
    settings = resolve({"recipe": "demucs-clean-heavy"})
    model = MODELS.get("demucs")(settings.model_config)
    assert sum(p.numel() for p in model.parameters()) > 2e6


def test_the_command_line_wins():
    settings = resolve(parse(["recipe=gru-clean-light", "train.lr=0.5", "model.hidden=8"]))
    assert (settings.train.lr, settings.model_config.hidden) == (0.5, 8)
    assert settings.train.window == 512


def test_a_file_of_ones_own(tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("model: lstm\ntrain: {lr: 1e-3}\n")
    settings = resolve(parse([f"recipe={mine}"]))
    assert (settings.model, settings.train.lr) == ("lstm", 1e-3)
    with pytest.raises(FxkitError, match="no such file"):
        recipes.load(tmp_path / "other.yaml")


def test_an_unknown_name_is_one_line_with_the_nearest():
    with pytest.raises(FxkitError, match="gru-distort-heavy") as caught:
        recipes.load("gru-distort-heavi")
    assert "\n" not in str(caught.value)


def test_every_file_says_what_the_slides_found():
    folder = Path(recipes.__file__).parent
    for name in recipes.names():
        text = (folder / f"{name}.yaml").read_text()
        assert "search_esr" in text.split("task:")[0]
        assert yaml.safe_load(text)


def test_the_list_for_readers_is_complete():
    readme = Path(__file__).parents[2] / "examples" / "recipes" / "README.md"
    text = readme.read_text()
    assert all(f"`{name}`" in text for name in recipes.names())
