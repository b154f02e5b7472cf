"""Each law of formats finds the one that breaks it, and passes one that keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from fxkit.artifact import Artifact, save
from fxkit.artifact import open as open_artifact
from fxkit.format import Format
from fxkit.manifest import Manifest
from fxkit.testing import FormatLaws
from fxkit.testing import format_laws as formats


class Copy(Format):
    """A good format: the model file itself under another name."""

    title = "A copy"
    suffixes = (".copy",)

    def write(self, artifact: Artifact, path: Path) -> None:
        save(path, artifact.model, artifact.manifest)

    def read(self, path: Path) -> Artifact:
        return open_artifact(path)


class Crashes(Copy):
    def read(self, path: Path) -> Artifact:
        raise KeyError("weights")


class ReadsAnything(Copy):
    def read(self, path: Path) -> Artifact:
        return None  # type: ignore[return-value]


class LeavesHalf(Copy):
    def write(self, artifact: Artifact, path: Path) -> None:
        path.with_suffix(".part").write_bytes(b"half")
        super().write(artifact, path)


class Louder(Copy):
    def write(self, artifact: Artifact, path: Path) -> None:
        artifact.model.output_gain.mul_(2.0)
        super().write(artifact, path)
        artifact.model.output_gain.mul_(0.5)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    from fxkit_models.gru import GRU

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("law") / "law.fxkit"
    return save(path, GRU(GRU.Config(hidden=4)), Manifest(name="law", model="gru"))


class TestGoodFormat(FormatLaws):
    @pytest.fixture
    def format(self) -> Format:
        return Copy()


def test_a_broken_format_is_found(artifact: Artifact) -> None:
    with pytest.raises(AssertionError, match="begin with a dot"):
        formats.law_suffixes(type("Bad", (Copy,), {"suffixes": ("Copy",)})())
    with pytest.raises(AssertionError, match="neither write nor read"):
        formats.law_writes_or_reads(
            type("Idle", (Format,), {"title": "none", "suffixes": (".none",)})()
        )
    with pytest.raises(AssertionError, match="not True or False"):
        formats.law_sniffs(type("Shrugs", (Copy,), {"sniff": lambda self, path: None})())
    with pytest.raises(AssertionError, match="raises KeyError"):
        formats.law_junk_is_refused(Crashes())
    with pytest.raises(AssertionError, match="as if it were a model"):
        formats.law_junk_is_refused(ReadsAnything())
    with pytest.raises(AssertionError, match="leaves files behind"):
        formats.law_failed_write_leaves_nothing(LeavesHalf(), artifact)
    with pytest.raises(AssertionError, match="of the peak away"):
        formats.law_reads_what_it_writes(Louder(), artifact)
