from __future__ import annotations

import json
from typing import Any

import pytest
from fxkit.errors import ArtifactError
from fxkit.manifest import Control, Level, Manifest

FULL = Manifest(
    name="Heavy",
    model="gru",
    config={"hidden": 48, "dry": True},
    sample_rate=48_000,
    controls=(Control("drive", 0.25), Control("tone")),
    input=Level(rms=0.1, peak=1, loudness=-18.5, dbu=12.0),
    metrics={"esr": 0.01, "bands": {"63": None}},
)


def test_json_round_trip() -> None:
    assert Manifest.from_json(FULL.to_json()) == FULL
    assert Manifest.from_json('{"name": "a", "model": "b"}') == Manifest("a", "b")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": 1}, "name"),
        ({"model": ""}, "model"),
        ({"name": "n" * 20_000}, "name"),
        ({"controls": [{"name": "a", "default": 2}]}, "controls.0.default"),
        ({"controls": [{"name": "a", "low": 2}]}, "low"),
        ({"input": {"rms": -1, "peak": 1}}, "input.rms"),
        ({"input": {"rms": 1}}, "input.peak"),
        ({"sample_rate": True}, "sample_rate"),
        ({"sample_rate": 44_100.5}, "sample_rate"),
        ({"training": {"a": float("inf")}}, "not finite"),
        ({"latency": -1}, "latency"),
        ({"config": []}, "config"),
    ],
)
def test_wrong_entries_are_named(change: dict[str, Any], said: str) -> None:
    plain = {**json.loads(FULL.to_json()), **change}
    with pytest.raises(ArtifactError, match=said) as caught:
        Manifest.from_json(json.dumps(plain))
    assert "\n" not in str(caught.value)


def test_what_cannot_be_read_again_is_not_written() -> None:
    with pytest.raises(ArtifactError, match="latency"):
        Manifest("a", "b", latency=-1).to_json()
    with pytest.raises(ArtifactError, match="cannot be written"):
        Manifest("a", "b", metrics={"esr": object()}).to_json()  # type: ignore[dict-item]
