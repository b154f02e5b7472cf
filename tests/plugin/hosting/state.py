"""The plug-in's settings inside what a VST3 host stores.

JUCE's hosts (pedalboard is one) store a plug-in as XML in JUCE's binary wrapping, with what the
plug-in itself stored in base 64 of JUCE's own alphabet. What the plug-in stored is XML in the same
wrapping, followed by what JUCE's plug-in side adds.
"""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_ALPHABET = ".ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+"
_MAGIC = 0x21324356


class HasState(Protocol):
    """A loaded plug-in of pedalboard."""

    raw_state: bytes


def decode(text: str) -> bytes:
    """Decode JUCE's base 64: the size, a dot, then six bits per character, lowest first."""
    size, _, digits = text.partition(".")
    number = sum(_ALPHABET.index(c) << (6 * i) for i, c in enumerate(digits))
    return number.to_bytes((6 * len(digits) + 7) // 8, "little")[: int(size)]


def encode(data: bytes) -> str:
    number = int.from_bytes(data, "little")
    count = (8 * len(data) + 5) // 6
    digits = "".join(_ALPHABET[(number >> (6 * i)) & 63] for i in range(count))
    return f"{len(data)}.{digits}"


def wrap(xml: str) -> bytes:
    """Wrap a text as AudioProcessor::copyXmlToBinary does."""
    text = xml.encode()
    return struct.pack("<II", _MAGIC, len(text)) + text + b"\0"


def unwrap(data: bytes) -> str:
    magic, size = struct.unpack_from("<II", data)
    assert magic == _MAGIC
    return data[8 : 8 + size].decode()


@dataclass
class Stored:
    """What a host stored of the plug-in: the plug-in's own bytes, and the rest."""

    host: ET.Element
    data: bytes

    @classmethod
    def of(cls, plugin: HasState) -> Stored:
        host = ET.fromstring(unwrap(plugin.raw_state))
        component = host.find("IComponent")
        assert component is not None
        return cls(host, decode(component.text or ""))

    def xml(self) -> ET.Element:
        """Return the plug-in's settings."""
        return ET.fromstring(unwrap(self.data))

    def put(self, plugin: HasState, data: bytes) -> None:
        """Restore `plugin` from other bytes of its own."""
        component = self.host.find("IComponent")
        assert component is not None
        component.text = encode(data)
        plugin.raw_state = wrap(ET.tostring(self.host, encoding="unicode"))


def change(plugin: HasState, **attributes: str | Path) -> None:
    """Restore a plug-in from its own state with another model=, cabinet=, folder=, ...."""
    stored = Stored.of(plugin)
    xml = stored.xml()
    for name, value in attributes.items():
        xml.set(name, str(value))
    stored.put(plugin, wrap(ET.tostring(xml, encoding="unicode")))
