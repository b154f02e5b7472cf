"""A small LV2 host on liblilv, through ctypes: any block sizes, state, the latency port."""

from __future__ import annotations

import ctypes as c
import ctypes.util
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from . import bundles
from .signals import Samples

LV2 = "http://lv2plug.in/ns/"
CORE, ATOM = f"{LV2}lv2core#", f"{LV2}ext/atom#"
MOST = 8192
"""Frames that a block has at most."""


class Feature(c.Structure):
    _fields_ = (("uri", c.c_char_p), ("data", c.c_void_p))


Map = c.CFUNCTYPE(c.c_uint32, c.c_void_p, c.c_char_p)
Unmap = c.CFUNCTYPE(c.c_void_p, c.c_void_p, c.c_uint32)


class UridMap(c.Structure):
    _fields_ = (("handle", c.c_void_p), ("map", Map))


class UridUnmap(c.Structure):
    _fields_ = (("handle", c.c_void_p), ("unmap", Unmap))


class Option(c.Structure):
    _fields_ = (
        ("context", c.c_int),
        ("subject", c.c_uint32),
        ("key", c.c_uint32),
        ("size", c.c_uint32),
        ("type", c.c_uint32),
        ("value", c.c_void_p),
    )


class Descriptor(c.Structure):
    _fields_ = (
        ("uri", c.c_char_p),
        ("instantiate", c.c_void_p),
        ("connect_port", c.CFUNCTYPE(None, c.c_void_p, c.c_uint32, c.c_void_p)),
        ("activate", c.CFUNCTYPE(None, c.c_void_p)),
        ("run", c.CFUNCTYPE(None, c.c_void_p, c.c_uint32)),
        ("deactivate", c.CFUNCTYPE(None, c.c_void_p)),
        ("cleanup", c.CFUNCTYPE(None, c.c_void_p)),
        ("extension_data", c.c_void_p),
    )


class Instance(c.Structure):
    _fields_ = (("descriptor", c.POINTER(Descriptor)), ("handle", c.c_void_p), ("own", c.c_void_p))


class Atom(c.Structure):
    """An empty sequence, or room for one."""

    _fields_ = (("size", c.c_uint32), ("type", c.c_uint32), ("body", c.c_uint8 * MOST))


def library() -> Any:
    """Return liblilv; skip the test without it."""
    name = ctypes.util.find_library("lilv-0")
    if not name:
        pytest.skip("liblilv is not installed (Debian's package lilv-utils)")
    lilv = c.CDLL(name)
    pointer, text = c.c_void_p, c.c_char_p
    signatures: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "world_new": (pointer, ()),
        "world_free": (None, (pointer,)),
        "new_uri": (pointer, (pointer, text)),
        "new_file_uri": (pointer, (pointer, text, text)),
        "world_load_bundle": (None, (pointer, pointer)),
        "world_get_all_plugins": (pointer, (pointer,)),
        "plugins_get_by_uri": (pointer, (pointer, pointer)),
        "plugin_get_num_ports": (c.c_uint32, (pointer,)),
        "plugin_get_port_by_index": (pointer, (pointer, c.c_uint32)),
        "port_is_a": (c.c_bool, (pointer, pointer, pointer)),
        "port_get_symbol": (pointer, (pointer, pointer)),
        "node_as_string": (text, (pointer,)),
        "plugin_instantiate": (c.POINTER(Instance), (pointer, c.c_double, pointer)),
        "instance_free": (None, (pointer,)),
        "state_new_from_instance": (pointer, (*(pointer,) * 3, *(text,) * 4, *(pointer,) * 2,
                                              c.c_uint32, pointer)),
        "state_to_string": (pointer, (pointer, pointer, pointer, pointer, text, text)),
        "state_new_from_string": (pointer, (pointer, pointer, text)),
        "state_restore": (None, (pointer, pointer, pointer, pointer, c.c_uint32, pointer)),
    }  # fmt: skip
    for function, (result, arguments) in signatures.items():
        entry = getattr(lilv, f"lilv_{function}")
        entry.restype, entry.argtypes = result, arguments
    return lilv


class Plugin:
    """One running instance of the LV2.

    offline: whether the host says that it renders, not plays.
    """

    def __init__(self, rate: int, *, offline: bool = True) -> None:
        bundle = bundles.find("LV2")
        self._lilv = lilv = library()
        self._urids: dict[bytes, int] = {}
        self._texts: dict[int, Any] = {}
        self._world = lilv.lilv_world_new()
        there = lilv.lilv_new_file_uri(self._world, None, f"{bundle}/".encode())
        lilv.lilv_world_load_bundle(self._world, there)
        self._plugin = lilv.lilv_plugins_get_by_uri(
            lilv.lilv_world_get_all_plugins(self._world), self._uri(bundles.LV2_URI)
        )
        assert self._plugin, "the bundle holds no such plug-in"
        self._features = self._make_features()
        self._instance = lilv.lilv_plugin_instantiate(self._plugin, rate, self._features)
        assert self._instance, "the plug-in cannot be instantiated"
        self._connect(offline)
        self._call("activate")

    def close(self) -> None:
        self._call("deactivate")
        self._lilv.lilv_instance_free(self._instance)
        self._lilv.lilv_world_free(self._world)

    def play(self, x: Samples, sizes: Iterable[int]) -> Samples:
        """Play stereo ``[2, frames]`` in blocks of these sizes, all given over and over."""
        sizes = list(sizes)
        parts: list[Samples] = []
        at = 0
        while at < x.shape[1]:
            size = min(sizes[len(parts) % len(sizes)], x.shape[1] - at)
            for channel, row in zip(x, self._inputs, strict=True):
                row[:size] = channel[at : at + size]
            for atom in self._arrivals:
                atom.size, atom.type = 8, self._map(f"{ATOM}Sequence")
            for atom in self._departures:
                atom.size, atom.type = MOST, self._map(f"{ATOM}Chunk")
            self._call("run", size)
            parts.append(np.stack([row[:size] for row in self._outputs]))
            at += size
        return np.concatenate(parts, axis=1)

    @property
    def latency(self) -> int:
        """In samples, as of the last block."""
        return int(self.controls["latency"][0])

    def store(self) -> str:
        """Return what a host stores, as Turtle."""
        state = self._lilv.lilv_state_new_from_instance(
            self._plugin, self._instance, c.byref(self._mapper), *(None,) * 6, 0, self._features
        )
        assert state
        text = self._lilv.lilv_state_to_string(
            self._world, c.byref(self._mapper), c.byref(self._unmapper), state,
            b"urn:fxkit:test", None,
        )  # fmt: skip
        return c.string_at(text).decode()

    def restore(self, stored: str) -> None:
        state = self._lilv.lilv_state_new_from_string(
            self._world, c.byref(self._mapper), stored.encode()
        )
        assert state
        self._lilv.lilv_state_restore(state, self._instance, None, None, 0, self._features)

    def _uri(self, uri: str) -> Any:
        return self._lilv.lilv_new_uri(self._world, uri.encode())

    def _call(self, name: str, *arguments: Any) -> None:
        instance = self._instance.contents
        getattr(instance.descriptor.contents, name)(instance.handle, *arguments)

    def _map(self, uri: str | bytes) -> int:
        key = uri.encode() if isinstance(uri, str) else uri
        if key not in self._urids:
            self._urids[key] = len(self._urids) + 1
            self._texts[self._urids[key]] = c.create_string_buffer(key)
        return self._urids[key]

    def _make_features(self) -> Any:
        def unmap(_: object, urid: int) -> int | None:
            return c.addressof(self._texts[urid]) if urid in self._texts else None

        self._mapper = UridMap(None, Map(lambda _, uri: self._map(uri)))
        self._unmapper = UridUnmap(None, Unmap(unmap))
        self._most = c.c_int32(MOST)
        self._options = (Option * 2)(
            Option(0, 0, self._map(f"{LV2}ext/buf-size#maxBlockLength"), 4,
                   self._map(f"{ATOM}Int"), c.addressof(self._most)),
            Option(),
        )  # fmt: skip
        data = {
            f"{LV2}ext/urid#map": c.addressof(self._mapper),
            f"{LV2}ext/urid#unmap": c.addressof(self._unmapper),
            f"{LV2}ext/options#options": c.addressof(self._options),
            f"{LV2}ext/buf-size#boundedBlockLength": None,
        }
        self._held = [Feature(uri.encode(), value) for uri, value in data.items()]
        pointers = [c.pointer(feature) for feature in self._held]
        return (c.POINTER(Feature) * (len(pointers) + 1))(*pointers)

    def _connect(self, offline: bool) -> None:
        lilv = self._lilv
        kinds = {k: self._uri(f"{CORE}{k}Port") for k in ("Audio", "Input", "Control")}
        self._inputs: list[Samples] = []
        self._outputs: list[Samples] = []
        self._arrivals: list[Atom] = []
        self._departures: list[Atom] = []
        self.controls: dict[str, Samples] = {}
        for index in range(lilv.lilv_plugin_get_num_ports(self._plugin)):
            port = lilv.lilv_plugin_get_port_by_index(self._plugin, index)
            node = lilv.lilv_port_get_symbol(self._plugin, port)
            symbol = lilv.lilv_node_as_string(node).decode()
            is_a = {k: lilv.lilv_port_is_a(self._plugin, port, kind) for k, kind in kinds.items()}
            if is_a["Audio"]:
                row = np.zeros(MOST, np.float32)
                (self._inputs if is_a["Input"] else self._outputs).append(row)
                address = row.ctypes.data
            elif is_a["Control"]:
                value = {"enabled": 1.0, "freeWheeling": float(offline)}.get(symbol, 0.0)
                self.controls[symbol] = np.array([value], np.float32)
                address = self.controls[symbol].ctypes.data
            else:
                atom = Atom()
                (self._arrivals if is_a["Input"] else self._departures).append(atom)
                address = c.addressof(atom)
            self._call("connect_port", index, address)
