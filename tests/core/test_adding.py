"""The plug-ins of docs/adding.md are run as they stand and keep the laws."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from fxkit.artifact import Artifact, save
from fxkit.format import Format
from fxkit.loss import Loss
from fxkit.manifest import Manifest
from fxkit.model import Model
from fxkit.task import Task
from fxkit.testing import FormatLaws, LossLaws, ModelLaws, TaskLaws

PAGE = Path(__file__).parents[2] / "docs" / "adding.md"


@pytest.fixture(scope="module")
def page() -> Iterator[types.ModuleType]:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    module = types.ModuleType("code_of_adding_md")
    sys.modules[module.__name__] = module  # where dataclasses look up the class's module
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), module.__dict__)
    yield module
    del sys.modules[module.__name__]


class TestModels(ModelLaws):
    @pytest.fixture(params=["Smear", "Equaliser"])
    def model(self, page: types.ModuleType, request: pytest.FixtureRequest) -> Model:
        cls = getattr(page, request.param)
        return cls(cls.Config())


def test_the_test_on_the_page_is_a_kit(page: types.ModuleType) -> None:
    assert issubclass(page.TestSmear, ModelLaws)


class TestLoss(LossLaws):
    @pytest.fixture
    def loss(self, page: types.ModuleType) -> Loss:
        return page.Absolute(page.Absolute.Config())


class TestTask(TaskLaws):
    @pytest.fixture
    def task(self, page: types.ModuleType) -> Task:
        return page.Restore()


class TestFormat(FormatLaws):
    @pytest.fixture
    def format(self, page: types.ModuleType) -> Format:
        return page.Layers()

    @pytest.fixture
    def artifact(self, page: types.ModuleType, tmp_path: Path) -> Artifact:
        model = page.Smear(page.Smear.Config())
        return save(tmp_path / "smear.fxkit", model, Manifest(name="smear", model="smear"))
