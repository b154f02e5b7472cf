"""Neural Amp Modeler's files (.nam): LSTM and WaveNet are read and written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fxkit.artifact import Artifact, Level
from fxkit.errors import FxkitError
from fxkit.format import Format
from fxkit.formats import document, imported, nam_lstm, nam_wavenet, proof
from fxkit.formats.document import Section, short
from fxkit.formats.linear import recurrent_net, spec_of
from fxkit.formats.nam_wavenet_shape import wavenet
from fxkit.graph import GraphModel, memory, recurrent
from fxkit.options import option

__all__ = ["Nam"]

OLDEST, NEWEST = (0, 5, 0), (0, 7, 0)
WRITES = "0.5.4"
"""What the most players read."""
SAMPLE_RATE = 48_000
"""What players assume where the file has no rate, Hz."""
MAX_WEIGHTS = 1 << 24
CONTAINER = "SlimmableContainer"


class Nam(Format):
    """A capture for Neural Amp Modeler: its LSTM and WaveNet, slimmable ones included.

    Read are versions 0.5.0 to 0.7.0; written is 0.5.4, and only what its players compute exactly: a
    model of LSTM layers, or of the layers of a WaveNet, without a dry path and without knobs.
    """

    title = "Neural Amp Modeler"
    suffixes = (".nam",)

    @dataclass(frozen=True)
    class Config:
        """How a file is read."""

        size: float = option(
            1.0, "of a slimmable file, the model for this size; 1 is the full one", low=0, high=1
        )

    config: Config

    def sniff(self, path: Path) -> bool:
        """Say whether the file is JSON that names an architecture."""
        return document.mentions(path, "architecture", "config")

    def read(self, path: Path) -> Artifact:
        """Read a capture.

        Raises
        ------
        FxkitError
            The file is damaged, newer, or of an architecture that is not known here.
        """
        with document.named(path):
            outer = document.read(path)
            inner = self._choose(outer)
            rate = inner.values.get("sample_rate") or outer.values.get("sample_rate")
            model = _model(inner, _rate(rate))
            metadata = outer if isinstance(outer.values.get("metadata"), dict) else inner
            return _artifact(model, path, outer, metadata.section("metadata", {}))

    def write(self, artifact: Artifact, path: Path) -> None:
        """Write version 0.5.4.

        Raises
        ------
        FxkitError
            A .nam player would not compute this model exactly; says which setting to train with.
        """
        architecture, write = ("WaveNet", _wavenet) if _convolves(artifact) else ("LSTM", _lstm)
        config, weights = write(artifact)
        file = {
            "version": WRITES,
            "metadata": _metadata(artifact),
            "architecture": architecture,
            "config": config,
            "weights": weights,
            "sample_rate": artifact.model.sample_rate,
        }
        data = json.dumps(file, allow_nan=False).encode()
        proof.hand_out(artifact, path, data, lambda p: self.read(p).model, "a .nam file")

    def _choose(self, file: Section) -> Section:
        """Return the model in the file; of several, that for the size asked for."""
        _check_version(file)
        if file.values.get("architecture") != CONTAINER:
            return file
        models = file.section("config").sections("submodels")
        limits = [entry.number("max_value") for entry in models]
        if limits != sorted(set(limits)) or limits[-1] < 1:
            raise FxkitError("config.submodels: max_value must rise, and the last be 1 or more")
        chosen = next((m for m, top in zip(models, limits, strict=True) if self.config.size < top),
                      models[-1])  # fmt: skip
        inner = chosen.section("model")
        _check_version(inner)
        if inner.values.get("architecture") == CONTAINER:
            raise FxkitError(f"{inner.where} is a {CONTAINER} in another: not known here")
        return inner


def _model(file: Section, rate: int) -> GraphModel:
    architecture, config = file.text("architecture"), file.section("config")
    readers = {"LSTM": nam_lstm.read, "WaveNet": nam_wavenet.read}
    if architecture not in readers:
        raise FxkitError(
            f"architecture {short(architecture)!r} is not known here, only {', '.join(readers)} "
            f"and {CONTAINER}"
        )
    weights = file.items("weights")
    if len(weights) > MAX_WEIGHTS:
        raise FxkitError(f"{file.name('weights')} has {len(weights)} numbers: too many")
    flat = document.numbers(weights, file.name("weights"))
    return readers[architecture](config, flat, rate)


def _convolves(artifact: Artifact) -> bool:
    """Say whether a model has convolutions and no recurrent layers."""
    spec, tensors = spec_of(artifact)
    if any(isinstance(layer, recurrent.GRU | recurrent.LSTM) for layer in spec.layers):
        return False
    convs = [layer for layer in spec.layers if isinstance(layer, memory.Conv)]
    return any(tensors[layer.weight].shape[2] > 1 for layer in convs)


def _wavenet(artifact: Artifact) -> tuple[dict[str, Any], list[float]]:
    return nam_wavenet.write(wavenet(artifact))


def _lstm(artifact: Artifact) -> tuple[dict[str, Any], list[float]]:
    net = recurrent_net(artifact, "a .nam file as fxkit writes it")
    if net.kind != "lstm":
        raise FxkitError("a .nam file has no GRU: train with model=lstm model.dry=false")
    if net.controls:
        raise FxkitError("a .nam file has no knobs: train on recordings without knob values")
    if net.dry:
        raise FxkitError(
            f"a .nam file has no dry path, this model has one at a gain of {net.dry:.3g}: "
            "train with model.dry=false"
        )
    return nam_lstm.write(net)


def _check_version(file: Section) -> None:
    version = file.text("version")
    parts = version.split(".")
    if len(parts) != 3 or not all(p.isascii() and p.isdigit() and len(p) < 6 for p in parts):
        raise FxkitError(f"{file.name('version')} is {short(version)!r}, not like {WRITES}")
    number = tuple(int(p) for p in parts)
    if not OLDEST <= number <= NEWEST:
        raise FxkitError(
            f"version {version} of .nam is not known here, only "
            f"{'.'.join(map(str, OLDEST))} to {'.'.join(map(str, NEWEST))}"
        )


def _rate(value: Any) -> int:
    if value is None:
        return SAMPLE_RATE
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise FxkitError(f"sample_rate is {short(value)}, it must be a whole number in Hz")
    if not 1000 <= value <= 1_000_000:
        raise FxkitError(f"sample_rate is {short(value)}: out of range")
    return int(value)


def _artifact(model: GraphModel, path: Path, file: Section, metadata: Section) -> Artifact:
    source = {
        "format": "nam",
        "version": file.text("version"),
        "architecture": file.text("architecture"),
        "metadata": metadata.values,
    }

    def level(key: str) -> Level | None:
        value = metadata.values.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e3:
            return None
        return Level(rms=0.0, peak=0.0, dbu=float(value))

    return imported.artifact(
        model,
        path,
        source=source,
        name=imported.text(metadata, "name"),
        author=imported.text(metadata, "modeled_by"),
        gear=imported.text(metadata, "gear_make", "gear_model"),
        input=level("input_level_dbu"),
        output=level("output_level_dbu"),
    )


def _metadata(artifact: Artifact) -> dict[str, Any]:
    """Return what players show; what a .nam file said when it was imported is said again."""
    manifest = artifact.manifest
    source = manifest.training.get("imported")
    kept = source.get("metadata") if isinstance(source, dict) else None
    known: dict[str, Any] = {}
    if isinstance(source, dict) and source.get("format") == "nam" and isinstance(kept, dict):
        known |= kept
    known |= {"name": manifest.name}
    if manifest.author:
        known["modeled_by"] = manifest.author
    if manifest.gear and "gear_model" not in known:
        known["gear_model"] = manifest.gear
    for key, side in (("input_level_dbu", manifest.input), ("output_level_dbu", manifest.output)):
        if side is not None and side.dbu is not None:
            known[key] = side.dbu
    return known
