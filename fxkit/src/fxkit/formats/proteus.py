"""GuitarML's files (Proteus, NeuralPi, SmartGuitarPedal; Wright's trainer writes the same)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fxkit.artifact import Artifact
from fxkit.errors import FxkitError
from fxkit.format import Format
from fxkit.formats import document, imported, proof
from fxkit.formats.document import Section, short
from fxkit.formats.linear import recurrent_net
from fxkit.formats.recurrent_net import GATES, Kind, RecurrentLayer, RecurrentNet, play
from fxkit.options import option

__all__ = ["Proteus"]

HIDDEN = 40
"""The only size that Proteus plays."""
SAMPLE_RATE = 44_100
"""What Proteus plays its models at, Hz; the file does not say."""
MAX_HIDDEN, MAX_LAYERS, MAX_KNOBS = 4096, 16, 16
KINDS: dict[str, Kind] = {"LSTM": "lstm", "GRU": "gru"}


class Proteus(Format):
    """A capture for GuitarML's Proteus and NeuralPi: a recurrent network in PyTorch's layout.

    Read is any LSTM or GRU. Written is what Proteus plays: an LSTM of 40 units at 44.1 kHz, to
    which Proteus always adds the input at a gain of 1.
    """

    title = "Proteus, NeuralPi"
    suffixes = (".json",)

    @dataclass(frozen=True)
    class Config:
        """What the file does not say."""

        sample_rate: int = option(
            SAMPLE_RATE, "rate that the file was trained at", unit="Hz", low=1000, high=1_000_000
        )

    config: Config

    def sniff(self, path: Path) -> bool:
        """Say whether the file is JSON with a model and a state dict."""
        return document.mentions(path, "model_data", "state_dict")

    def read(self, path: Path) -> Artifact:
        """Read a capture.

        Raises
        ------
        FxkitError
            The file is damaged, or of a kind that is not known here.
        """
        with document.named(path):
            file = document.read(path)
            data = file.section("model_data")
            net = _net(data, file.section("state_dict"))
            model = play(net, self.config.sample_rate)
            source = {"format": "proteus", "model_data": data.values}
            return imported.artifact(model, path, source=source)

    def write(self, artifact: Artifact, path: Path) -> None:
        """Write a file that Proteus computes exactly.

        Raises
        ------
        FxkitError
            Proteus would not; says which setting to train with.
        """
        net = recurrent_net(artifact, "Proteus")
        rate = artifact.model.sample_rate
        want = [
            (net.kind == "lstm", "an LSTM", "model=lstm"),
            (len(net.layers) == 1, "1 layer", "model.layers=1"),
            (net.hidden == HIDDEN, f"{HIDDEN} units", f"model.hidden={HIDDEN}"),
            (net.dry == 1, "a dry gain of 1", "model.dry=true model.dry_gain=fixed"),
            (rate == SAMPLE_RATE, f"{SAMPLE_RATE} Hz", f"data.sample_rate={SAMPLE_RATE}"),
            (net.controls <= 1, "1 knob at most", "one knob in the recordings"),
        ]
        if missing := [(what, setting) for holds, what, setting in want if not holds]:
            raise FxkitError(
                f"Proteus plays only models with {' and '.join(what for what, _ in missing)}: "
                f"train with {' '.join(setting for _, setting in missing)}"
            )
        data = json.dumps(_file(net), allow_nan=False).encode()
        proof.hand_out(artifact, path, data, lambda p: Proteus().read(p).model, "a Proteus file")


def _net(data: Section, state: Section) -> RecurrentNet:
    if data.text("model", "SimpleRNN") != "SimpleRNN":
        raise FxkitError(f"model {short(data.values['model'])!r} is not known here, only SimpleRNN")
    unit = data.text("unit_type")
    if unit not in KINDS:
        raise FxkitError(f"unit_type {short(unit)!r} is not known here, only {', '.join(KINDS)}")
    kind = KINDS[unit]
    inputs = data.integer("input_size", 1, 1 + MAX_KNOBS)
    hidden = data.integer("hidden_size", 1, MAX_HIDDEN)
    count = data.integer("num_layers", 1, MAX_LAYERS, 1)
    data.integer("output_size", 1, 1, 1)
    skip = data.integer("skip", 0, 1, 1)
    rows = GATES[kind] * hidden
    names = {f"rec.{n}_l{i}" for i in range(count)
             for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}  # fmt: skip
    names |= {"lin.weight"} | ({"lin.bias"} if data.flag("bias_fl", True) else set())
    if set(state.values) != names:
        odd = sorted(set(state.values) ^ names)[0]
        what = "is missing" if odd in names else "has no place in the network"
        raise FxkitError(f"{state.name(odd)} {what}")

    def rows_of(name: str, height: int, width: int) -> NDArray[np.float64]:
        return document.matrix(state.values[name], height, width, state.name(name))

    def row_of(name: str, width: int) -> NDArray[np.float64]:
        return document.numbers(state.values[name], state.name(name), width)

    layers = tuple(
        RecurrentLayer(
            rows_of(f"rec.weight_ih_l{i}", rows, inputs if i == 0 else hidden),
            rows_of(f"rec.weight_hh_l{i}", rows, hidden),
            row_of(f"rec.bias_ih_l{i}", rows),
            row_of(f"rec.bias_hh_l{i}", rows),
        )
        for i in range(count)
    )
    bias = float(row_of("lin.bias", 1)[0]) if "lin.bias" in names else 0.0
    head = rows_of("lin.weight", 1, hidden)[0]
    return RecurrentNet(kind, layers, head, bias, float(skip), inputs - 1)


def _file(net: RecurrentNet) -> dict[str, Any]:
    layer = net.layers[0]

    def plain(array: NDArray[Any]) -> Any:
        return array.astype(np.float32).astype(float).tolist()

    return {
        "model_data": {
            "model": "SimpleRNN",
            "input_size": 1 + net.controls,
            "skip": 1,
            "output_size": 1,
            "unit_type": "LSTM",
            "num_layers": 1,
            "hidden_size": net.hidden,
            "bias_fl": True,
        },
        "state_dict": {
            "rec.weight_ih_l0": plain(layer.weight_ih),
            "rec.weight_hh_l0": plain(layer.weight_hh),
            "rec.bias_ih_l0": plain(layer.bias_ih),
            "rec.bias_hh_l0": plain(layer.bias_hh),
            "lin.weight": plain(net.head[None]),
            "lin.bias": [float(np.float32(net.bias))],
        },
    }
