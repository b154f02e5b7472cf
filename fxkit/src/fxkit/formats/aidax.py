"""AIDA-X's files, in RTNeural's JSON (.json, .aidax): one LSTM or GRU, then a dense layer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fxkit import probe
from fxkit.artifact import Artifact
from fxkit.errors import FxkitError
from fxkit.format import Format
from fxkit.formats import document, imported, proof
from fxkit.formats.document import Section, matrix, numbers, short
from fxkit.formats.linear import recurrent_net
from fxkit.formats.recurrent_net import GATES, Kind, RecurrentLayer, RecurrentNet, play
from fxkit.graph import GraphModel

__all__ = ["AidaX"]

SAMPLE_RATE = 48_000
"""What players assume where the file has no number, Hz."""
HIDDEN = (8, 12, 16, 20, 24, 32, 40, 64, 80)
"""The sizes that its players have."""
MAX_HIDDEN, MAX_INPUTS = 4096, 3
CHECKED = 2048
"""Samples of the self-check."""
TOLERANCE = 1e-2
"""How far the self-check of a file may be off, over its peak: it is made by another program."""

ZRN = (1, 0, 2)
"""Where the gates z, r, n of the file are in PyTorch's r, z, n, and the other way round."""


class AidaX(Format):
    """A capture for AIDA-X and other players of RTNeural's JSON: one LSTM or GRU.

    Written is what all of them compute exactly: no dry path, or one at a gain of 1 (``in_skip``).
    All gains are folded into the weights, since players differ in what they do with those in the
    file.
    """

    title = "AIDA-X, RTNeural JSON"
    suffixes = (".json", ".aidax")

    def sniff(self, path: Path) -> bool:
        """Say whether the file is JSON with layers and the shape of an input."""
        return document.mentions(path, "in_shape", "layers")

    def caution(self, artifact: Artifact) -> str:
        """Say that some players take every file for one of 48 kHz."""
        rate = artifact.model.sample_rate
        if rate == SAMPLE_RATE:
            return ""
        return f"some AIDA-X players ignore the {rate} Hz of this model: prefer models of 48000 Hz"

    def read(self, path: Path) -> Artifact:
        """Read a capture; its self-check must come out.

        Raises
        ------
        FxkitError
            The file is damaged, or has layers that are not known here.
        """
        with document.named(path):
            file = document.read(path)
            net = _net(file)
            metadata = file.section("metadata", {})
            model = play(net, _rate(metadata, file))
            _self_check(file, net, model)
            return imported.artifact(
                model,
                path,
                source={"format": "aida-x", "metadata": metadata.values},
                name=imported.text(metadata, "name"),
                author=imported.text(metadata, "author"),
                gear=imported.text(metadata, "based"),
                licence=imported.text(metadata, "license"),
            )

    def write(self, artifact: Artifact, path: Path) -> None:
        """Write a file that its players compute exactly.

        Raises
        ------
        FxkitError
            They would not; says which setting to train with.
        """
        net = recurrent_net(artifact, "AIDA-X")
        if len(net.layers) != 1:
            raise FxkitError("AIDA-X plays one recurrent layer: train with model.layers=1")
        if net.hidden not in HIDDEN:
            sizes = ", ".join(map(str, HIDDEN))
            raise FxkitError(
                f"AIDA-X has no players for {net.hidden} units: train with model.hidden= one of "
                f"{sizes}"
            )
        if net.dry not in (0.0, 1.0):
            raise FxkitError(
                f"AIDA-X adds the input at a gain of 1 or not at all, this model at {net.dry:.3g}: "
                "train with model.dry=false or with model.dry_gain=fixed"
            )
        if net.controls > MAX_INPUTS - 1:
            raise FxkitError(
                f"AIDA-X has {MAX_INPUTS - 1} knobs, this model {net.controls}: train on "
                "recordings with fewer knob values"
            )
        file = _file(net, artifact)
        data = json.dumps(file, allow_nan=False).encode()
        proof.hand_out(artifact, path, data, lambda p: self.read(p).model, "an AIDA-X file")


def _net(file: Section) -> RecurrentNet:
    shape = file.items("in_shape")
    inputs = Section({"in_shape": shape[-1]}).integer("in_shape", 1, MAX_INPUTS)
    layers = file.sections("layers")
    kinds = [layer.text("type") for layer in layers]
    for found in kinds:
        if found not in ("lstm", "gru", "dense"):
            raise FxkitError(f"layer {short(found)!r} is not known here, only lstm, gru and dense")
    if len(kinds) != 2 or kinds[0] == "dense" or kinds[1] != "dense":
        raise FxkitError(
            f"its layers are {', '.join(map(short, kinds))}; "
            "known are an lstm or a gru, then a dense"
        )
    kind: Kind = "lstm" if kinds[0] == "lstm" else "gru"
    recurrent, dense = layers
    _activation(recurrent, ("", "tanh"))
    _activation(dense, ("", "linear"))
    hidden = _size(recurrent, MAX_HIDDEN)
    _size(dense, 1)
    weights = _weights(recurrent, 3)
    where = recurrent.name("weights")
    rows = GATES[kind] * hidden
    weight_ih = matrix(weights[0], inputs, rows, f"{where}[0]").T
    weight_hh = matrix(weights[1], hidden, rows, f"{where}[1]").T
    if kind == "lstm":
        bias_ih = numbers(weights[2], f"{where}[2]", rows)
        bias_hh = np.zeros(rows)
    else:
        biases = matrix(weights[2], 2, rows, f"{where}[2]")
        weight_ih, weight_hh = _swapped(weight_ih), _swapped(weight_hh)
        bias_ih, bias_hh = _swapped(biases[0]), _swapped(biases[1])
    head, bias = _weights(dense, 2)
    inside = matrix(head, hidden, 1, f"{dense.name('weights')}[0]")[:, 0]
    offset = float(numbers(bias, f"{dense.name('weights')}[1]", 1)[0])
    before, after = _gain(file, "in_gain"), _gain(file, "out_gain")
    weight_ih = weight_ih * np.array([before] + [1.0] * (inputs - 1))
    layer = RecurrentLayer(weight_ih, weight_hh, bias_ih, bias_hh)
    dry = file.integer("in_skip", 0, 1, 0) * before * after
    return RecurrentNet(kind, (layer,), inside * after, offset * after, dry, inputs - 1)


def _activation(layer: Section, known: tuple[str, ...]) -> None:
    found = layer.text("activation", "")
    if found not in known:
        raise FxkitError(f"{layer.name('activation')} {short(found)!r} is not known here")


def _size(layer: Section, high: int) -> int:
    shape = layer.items("shape")
    return Section({"shape": shape[-1]}, layer.where).integer("shape", 1, high)


def _weights(layer: Section, count: int) -> list[Any]:
    weights = layer.items("weights")
    if len(weights) != count:
        raise FxkitError(f"{layer.name('weights')} has {len(weights)} parts, it must have {count}")
    return weights


def _gain(file: Section, key: str) -> float:
    """Return a gain of the file, in dB there, as a linear factor."""
    decibels = file.number(key, 0.0)
    if abs(decibels) > 120:
        raise FxkitError(f"{key} is {decibels:g} dB: out of range")
    return float(10 ** (decibels / 20))


def _rate(*places: Section) -> int:
    """Return the sample rate; as players do, only a number counts."""
    for place in places:
        value = place.values.get("samplerate")
        if isinstance(value, int | float) and not isinstance(value, bool):
            if not 1000 <= value <= 1_000_000 or value != int(value):
                raise FxkitError(f"{place.name('samplerate')} is {short(value)}: out of range")
            return int(value)
    return SAMPLE_RATE


def _swapped(gates: NDArray[Any]) -> NDArray[Any]:
    """Exchange the first two of three gates along the first axis."""
    return np.concatenate([np.split(gates, 3)[i] for i in ZRN])


@torch.no_grad()
def _self_check(file: Section, net: RecurrentNet, model: GraphModel) -> None:
    """Play the samples that the file has, if it has them, and compare."""
    if not (file.has("input_batch") and file.has("output_batch")) or net.controls:
        return
    x = numbers(file.values["input_batch"], "input_batch")
    wanted = numbers(file.values["output_batch"], "output_batch", len(x))
    if not len(x):
        return
    signal = torch.from_numpy(x.astype(np.float32))[None, None]
    y = model(signal, model.initial_state(1))[0][0, 0].double().numpy()
    peak = max(float(np.abs(wanted).max()), 1e-6)
    # Some trainers leave the dry path out of it.
    error = min(float(np.abs(made - wanted).max()) for made in (y, y - net.dry * x))
    if not error <= TOLERANCE * peak:
        raise FxkitError(
            f"its self-check fails: output_batch is {error / peak:.2g} of its peak away from what "
            "the network makes of input_batch"
        )


@torch.no_grad()
def _file(net: RecurrentNet, artifact: Artifact) -> dict[str, Any]:
    layer, manifest, rate = net.layers[0], artifact.manifest, artifact.model.sample_rate

    def plain(array: NDArray[Any]) -> Any:
        return array.astype(np.float32).astype(float).tolist()

    weights = [layer.weight_ih, layer.weight_hh, layer.bias_ih, layer.bias_hh]
    if net.kind == "gru":
        weights = [_swapped(weight) for weight in weights]
        biases = plain(np.stack(weights[2:]))
    else:
        biases = plain(weights[2] + weights[3])
    file: dict[str, Any] = {
        "in_shape": [None, None, 1 + net.controls],
        "in_skip": int(net.dry),
        "samplerate": rate,
        "layers": [
            {
                "type": net.kind,
                "activation": "",
                "shape": [None, None, net.hidden],
                "weights": [plain(weights[0].T), plain(weights[1].T), biases],
            },
            {
                "type": "dense",
                "activation": "",
                "shape": [None, None, 1],
                "weights": [plain(net.head[:, None]), [float(np.float32(net.bias))]],
            },
        ],
        "metadata": {"name": manifest.name, "samplerate": rate}
        | {k: v for k, v in (("author", manifest.author), ("based", manifest.gear),
                             ("license", manifest.licence)) if v},
    }  # fmt: skip
    if not net.controls:
        x = probe.signal(CHECKED, rate, 0.5)
        model = play(net, rate)
        file["input_batch"] = x.double().tolist()
        file["output_batch"] = model(x[None, None], model.initial_state(1))[0][0, 0].tolist()
    return file
