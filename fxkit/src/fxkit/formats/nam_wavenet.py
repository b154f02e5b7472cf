"""The WaveNet of a .nam file, in the form of 0.5 (one kernel size) and of 0.7 (one per layer).

Weights, per layer array: the rechannelling (no bias); per layer a dilated convolution
``[out][in][tap]`` and its bias, the input mixin (no bias), the 1x1 and its bias, the head's 1x1 and
its bias if there is one; the array's head, with a bias if it says so. Then the convolutions of the
head behind the arrays, if any. The last number is the head's scale.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fxkit.errors import FxkitError
from fxkit.formats.document import Section, numbers, short
from fxkit.formats.nam_wavenet_shape import NAMES, LayerArray, WaveNet
from fxkit.formats.settled import SettledGraph, Settling
from fxkit.graph import GraphModel

__all__ = ["read", "write"]

MAX_WIDTH, MAX_TAPS, MAX_DILATION, MAX_GROUPS = 4096, 1 << 16, 1 << 16, 4096
ACTIVATIONS = {
    "Tanh": "tanh",
    "Hardtanh": "hardtanh",
    "ReLU": "relu",
    "LeakyReLU": "leaky_relu",
    "Sigmoid": "sigmoid",
    "SiLU": "silu",
    "Hardswish": "hardswish",
    "LeakyHardtanh": "leaky_hardtanh",
    "LeakyHardTanh": "leaky_hardtanh",
    "Softsign": "softsign",
}
SETTINGS = {
    "LeakyReLU": {"negative_slope": ("slope", 0.01)},
    "LeakyHardtanh": {
        "min_val": ("low", -1.0),
        "max_val": ("high", 1.0),
        "min_slope": ("low_slope", 0.01),
        "max_slope": ("high_slope", 0.01),
    },
}
SETTINGS["LeakyHardTanh"] = SETTINGS["LeakyHardtanh"]
FILMS = (
    *("conv_pre_film", "conv_post_film", "input_mixin_pre_film", "input_mixin_post_film"),
    *("activation_pre_film", "activation_post_film", "layer1x1_post_film", "head1x1_post_film"),
)


def read(config: Section, weights: NDArray[np.float64], sample_rate: int) -> GraphModel:
    """Make the model of a configuration and its flat weights, whose number must be right.

    Raises
    ------
    FxkitError
        The configuration asks for what is not known here, or the weights are not its.
    """
    if config.has("condition_dsp"):
        raise FxkitError("config.condition_dsp: a model inside the model is not known here")
    config.integer("in_channels", 1, 1, 1)
    flat = _Weights(weights)
    g = SettledGraph()
    h: Settling = g.x
    head: Settling | None = None
    for section in config.sections("layers"):
        array = _Array(section, g, flat)
        h, head = array.add(h, head)
    assert head is not None
    # The scale comes last in the file but acts before the head behind the arrays.
    scale = torch.from_numpy(weights[-1:].astype(np.float32))
    scaled = g.gain(head, scale)
    if config.has("head"):
        scaled = _post_head(config.section("head"), g, scaled, flat)
    flat.take(1)
    flat.end()
    if scaled.channels != 1:
        raise FxkitError(f"the WaveNet has {scaled.channels} outputs, only 1 can be played")
    return g.finish(scaled, sample_rate)


def write(net: WaveNet) -> tuple[dict[str, Any], list[float]]:
    """Return configuration and weights in the form of 0.5.

    Raises
    ------
    FxkitError
        Nothing of the last layers is heard.
    """
    layers: list[dict[str, Any]] = []
    parts: list[NDArray[np.float64]] = []
    for i, array in enumerate(net.arrays):
        last = i + 1 == len(net.arrays)
        parts.append(array.rechannel.ravel())
        for layer in array.layers:
            parts += [layer.conv.ravel(), layer.bias, layer.mixin]
            parts += [layer.residual.ravel(), layer.offset]
        parts.append(array.head if last else _head(array, net.arrays[i + 1]))
        layers.append(
            {
                "input_size": array.rechannel.shape[1],
                "condition_size": 1,
                "channels": array.channels,
                "head_size": 1 if last else net.arrays[i + 1].channels,
                "head_bias": last and net.bias != 0,
                "kernel_size": array.layers[0].conv.shape[2],
                "dilations": [layer.dilation for layer in array.layers],
                "activation": NAMES[array.activation],
                "gated": array.gated,
            }
        )
    if net.bias:
        parts.append(np.array([net.bias]))
    parts.append(np.ones(1))
    weights = np.concatenate(parts).astype(np.float32).astype(float)
    return {"layers": layers, "head": None, "head_scale": 1.0}, weights.tolist()


def _head(array: LayerArray, following: LayerArray) -> NDArray[np.float64]:
    """Return the head of an array, ``[channels behind, channels]``, flat.

    What it makes goes through the head behind it, a row. Only the product is heard, so that the
    matrix is chosen which is as small as can be.
    """
    row = following.head
    if not row.any():
        raise FxkitError("nothing is heard of this model's last layers: train it")
    return np.outer(row / (row @ row), array.head).ravel()


class _Weights:
    """The flat list, taken from the front."""

    def __init__(self, values: NDArray[np.float64]) -> None:
        self._values = values.astype(np.float32)
        self._place = 0

    def take(self, *shape: int) -> Tensor:
        size = 1
        for n in shape:
            size *= n  # Python's own numbers, which do not overflow
        if size > len(self._values) - self._place:
            raise FxkitError(
                f"weights has {len(self._values)} numbers, the layers need at least "
                f"{self._place + size}"
            )
        self._place += size
        return torch.from_numpy(self._values[self._place - size : self._place].reshape(shape))

    def end(self) -> None:
        if self._place != len(self._values):
            raise FxkitError(
                f"weights has {len(self._values)} numbers, the layers need {self._place}"
            )


class _Array:
    """One layer array: a stack of dilated convolutions of one width."""

    def __init__(self, config: Section, g: SettledGraph, weights: _Weights) -> None:
        self._g, self._weights, self._config = g, weights, config
        self._inputs = config.integer("input_size", 1, MAX_WIDTH)
        config.integer("condition_size", 1, 1)
        self._channels = config.integer("channels", 1, MAX_WIDTH)
        self._bottleneck = config.integer("bottleneck", 1, MAX_WIDTH, self._channels)
        self._groups = config.integer("groups_input", 1, MAX_GROUPS, 1)
        config.integer("groups_input_mixin", 1, 1, 1)
        self._dilations = config.integers("dilations", 1, MAX_DILATION)
        self._kernels = self._kernel_sizes()
        self._activations = self._per_layer("activation", "Tanh")
        self._gates = self._gating()
        self._residual = config.section("layer1x1", {"active": True, "groups": 1})
        self._skip = config.section("head1x1", {"active": False, "groups": 1})
        if config.has("slimmable"):
            raise FxkitError(f"{config.name('slimmable')}: slimming by slices is not known here")
        for film in FILMS:
            if self._film(film):
                raise FxkitError(f"{config.name(film)} is active: not known here")

    def add(self, h: Settling, before: Settling | None) -> tuple[Settling, Settling]:
        """Add the array; return what goes to the next array and what goes to the next head."""
        g, channels = self._g, self._channels
        if h.channels != self._inputs:
            raise FxkitError(
                f"{self._config.name('input_size')} is {self._inputs}, but {h.channels} channels "
                "come in"
            )
        h = g.conv(h, self._weights.take(channels, self._inputs, 1), relative=True)
        total = [] if before is None else [before]
        for i, (taps, dilation) in enumerate(zip(self._kernels, self._dilations, strict=True)):
            gated = self._gates[i] is not None
            rows = self._bottleneck * (2 if gated else 1)
            z = self._conv(h, rows, taps, dilation=dilation, groups=self._groups)
            z = g.add(z, g.conv(g.x, self._weights.take(rows, 1, 1)))
            z = self._activate(z, i)
            if self._residual.flag("active"):
                groups = self._residual.integer("groups", 1, MAX_GROUPS, 1)
                step = self._conv(z, channels, 1, groups=groups, relative=True)
                residual = g.add(h, step)
            else:
                residual = h
            if self._skip.flag("active"):
                out = self._skip.integer("out_channels", 1, MAX_WIDTH)
                groups = self._skip.integer("groups", 1, MAX_GROUPS, 1)
                total.append(self._conv(z, out, 1, groups=groups))
            else:
                total.append(z)
            h = residual
        if total[0].channels != total[-1].channels:
            raise FxkitError(
                f"{self._config.where}: {total[0].channels} channels come from the head before, "
                f"its layers give {total[-1].channels}"
            )
        return h, self._head(g.add(*total))

    def _head(self, total: Settling) -> Settling:
        config = self._config
        if config.has("head"):
            head = config.section("head")
            out = head.integer("out_channels", 1, MAX_WIDTH)
            return self._conv(
                total, out, head.integer("kernel_size", 1, MAX_TAPS), bias=head.flag("bias")
            )
        out = config.integer("head_size", 1, MAX_WIDTH)
        return self._conv(total, out, 1, bias=config.flag("head_bias"))

    def _conv(
        self,
        x: Settling,
        out: int,
        taps: int,
        *,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        relative: bool = False,
    ) -> Settling:
        if x.channels % groups or out % groups:
            raise FxkitError(
                f"{self._config.where}: {x.channels} and {out} channels cannot be cut into "
                f"{groups} groups"
            )
        weight = self._weights.take(out, x.channels // groups, taps)
        offset = self._weights.take(out) if bias else None
        return self._g.conv(x, weight, offset, dilation=dilation, groups=groups, relative=relative)

    def _activate(self, z: Settling, layer: int) -> Settling:
        g, width = self._g, self._bottleneck
        second = self._gates[layer]
        where = f"{self._config.name('activation')}[{layer}]"
        if second is None:
            return _activation(g, z, self._activations[layer], where)
        return g.multiply(
            _activation(g, g.slice(z, 0, width), self._activations[layer], where),
            _activation(g, g.slice(z, width, 2 * width), second, where),
        )

    def _kernel_sizes(self) -> list[int]:
        if self._config.has("kernel_sizes"):
            sizes = self._config.integers("kernel_sizes", 1, MAX_TAPS)
            return self._counted("kernel_sizes", sizes)
        return [self._config.integer("kernel_size", 1, MAX_TAPS)] * len(self._dilations)

    def _per_layer(self, key: str, default: Any) -> list[Any]:
        value = self._config.values.get(key, default)
        if isinstance(value, list):
            return self._counted(key, value)
        return [value] * len(self._dilations)

    def _counted(self, key: str, values: list[Any]) -> list[Any]:
        if len(values) != len(self._dilations):
            raise FxkitError(
                f"{self._config.name(key)} has {len(values)} entries for {len(self._dilations)} "
                "dilations"
            )
        return values

    def _gating(self) -> list[Any]:
        """Return the second activation of each layer; None where it has no gate."""
        if self._config.has("gating_mode"):
            modes = self._per_layer("gating_mode", "none")
        else:
            mode = "gated" if self._config.flag("gated", False) else "none"
            modes = [mode] * len(self._dilations)
        seconds = self._per_layer("secondary_activation", None)
        found: list[Any] = []
        for mode, second in zip(modes, seconds, strict=True):
            if mode not in ("none", "gated"):
                raise FxkitError(
                    f"{self._config.name('gating_mode')} {short(mode)!r} is not known here, only "
                    "none and gated"
                )
            found.append(None if mode == "none" else second or "Sigmoid")
        return found

    def _film(self, key: str) -> bool:
        value = self._config.values.get(key)
        if value is None or value is False:
            return False
        return self._config.section(key).flag("active", True)


def _activation(g: SettledGraph, x: Settling, plain: Any, where: str) -> Settling:
    """Add an activation that is given by name, or as an object with settings."""
    config = Section(plain if isinstance(plain, dict) else {"type": plain}, where)
    kind = config.text("type")
    if kind == "PReLU":
        if config.has("negative_slopes"):
            slopes = numbers(config.items("negative_slopes"), config.name("negative_slopes"))
            if len(slopes) not in (1, x.channels):
                raise FxkitError(f"{where}: {len(slopes)} slopes for {x.channels} channels")
        else:
            slopes = np.array([config.number("negative_slope", 0.01)])
        return g.prelu(x, torch.from_numpy(slopes.astype(np.float32)))
    if kind not in ACTIVATIONS:
        known = ", ".join([*ACTIVATIONS, "PReLU"])
        raise FxkitError(f"{where}: activation {short(kind)!r} is not known here, only {known}")
    if kind == "Softsign" and config.number("alpha", 1.0) != 1:
        raise FxkitError(f"{where}: Softsign with an alpha other than 1 is not known here")
    settings = {
        ours: config.number(theirs, default)
        for theirs, (ours, default) in SETTINGS.get(kind, {}).items()
    }
    return g.activation(x, ACTIVATIONS[kind], **settings)


def _post_head(config: Section, g: SettledGraph, x: Settling, weights: _Weights) -> Settling:
    """Add the head behind the arrays: an activation before each of its convolutions."""
    config.integer("in_channels", x.channels, x.channels, x.channels)
    taps = config.integers("kernel_sizes", 1, MAX_TAPS)
    width = config.integer("channels", 1, MAX_WIDTH)
    last = config.integer("out_channels", 1, MAX_WIDTH)
    for i, k in enumerate(taps):
        out = last if i + 1 == len(taps) else width
        x = _activation(g, x, config.values.get("activation"), config.name("activation"))
        x = g.conv(x, weights.take(out, x.channels, k), weights.take(out))
    return x
