"""The registries: names to plug-in classes, found through entry points.

Everything that can be chosen by name is a plug-in: a class that some installed distribution lists
in one of the entry-point groups ``fxkit.models``, ``fxkit.losses``, ``fxkit.tasks`` and
``fxkit.formats``. What ships with fxkit registers itself in the same way. Listing names imports
nothing; a plug-in is imported when it is asked for, and one that is broken never stops the others.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from importlib.metadata import Distribution, distributions
from typing import Any

from fxkit.errors import PluginError

__all__ = ["FORMATS", "LOSSES", "MODELS", "TASKS", "Entry", "Registry", "Status", "nearest"]

_VALUE = re.compile(r"(?P<module>\w+(?:\.\w+)*):(?P<attribute>\w+(?:\.\w+)*)$")


@dataclass(frozen=True)
class Entry:
    """One name that one distribution claims."""

    name: str
    distribution: str
    version: str
    value: str
    """Where the class is, as ``module:Class``."""

    @property
    def owner(self) -> str:
        """Distribution and version, as shown in messages."""
        return f"{self.distribution} {self.version}".rstrip()


@dataclass(frozen=True)
class Status:
    """What ``fxkit list`` shows of one plug-in."""

    name: str
    entries: tuple[Entry, ...]
    """Who claims the name; more than one is a clash."""
    summary: str
    """First line of the class's docstring; empty if the plug-in is broken."""
    problem: str
    """Why the plug-in cannot be used, in one line; empty if it can."""


class Registry:
    """The plug-ins of one kind.

    Parameters
    ----------
    kind
        What one of them is called in messages: ``"model"``.
    group
        The entry-point group.
    contract
        The base class that each has to subclass, as ``module:Class``; imported with the first
        plug-in.
    """

    def __init__(self, kind: str, group: str, contract: str) -> None:
        self.kind = kind
        self.group = group
        self.contract = contract

    def entries(self) -> list[Entry]:
        """Return every claim of every installed distribution, by name; imports nothing."""
        return sorted(_claims(self.group), key=lambda e: (e.name, e.distribution))

    def names(self) -> list[str]:
        """Return the names that can be asked for, sorted; imports nothing."""
        return sorted({entry.name for entry in self.entries()})

    def get(self, name: str) -> type[Any]:
        """Import and return the class called `name`.

        Raises
        ------
        PluginError
            If no distribution has that name, if two have it, or if its plug-in is broken.
        """
        entries = self.entries()
        claims = [entry for entry in entries if entry.name == name]
        if not claims:
            raise PluginError(self._unknown(name, sorted({e.name for e in entries})))
        if len(claims) > 1:
            raise PluginError(_clash(self.kind, name, claims))
        return self._load(claims[0])

    def status(self, name: str) -> Status:
        """Import the plug-in called `name` and say what it is, or why it cannot be used.

        Raises
        ------
        PluginError
            If no distribution has that name.
        """
        entries = self.entries()
        claims = tuple(entry for entry in entries if entry.name == name)
        if not claims:
            raise PluginError(self._unknown(name, sorted({e.name for e in entries})))
        if len(claims) > 1:
            return Status(name, claims, "", _clash(self.kind, name, claims))
        try:
            cls = self._load(claims[0])
        except PluginError as error:
            return Status(name, claims, "", str(error))
        return Status(name, claims, _summary(cls), "")

    def _unknown(self, name: str, known: list[str]) -> str:
        if not known:
            return (
                f"no {self.kind} {name!r}: no installed package has any {self.kind}; "
                "pip install 'fxkit[all]' brings those of fxkit"
            )
        near = nearest(name, known)
        if near:
            return f"no {self.kind} {name!r}; did you mean {' or '.join(near)}?"
        return f"no {self.kind} {name!r}; there is {', '.join(known)}"

    def _load(self, entry: Entry) -> type[Any]:
        broken = f"{self.kind} {entry.name!r} of package {entry.owner} is broken"
        match = _VALUE.match(entry.value.strip())
        if match is None:
            raise PluginError(f"{broken}: its entry point {entry.value!r} is not module:Class")
        contract = _follow(self.contract)
        try:
            found = _follow(match[0])
        # Whatever a stranger's module does on import is the stranger's: sys.exit included.
        except (Exception, SystemExit) as error:
            raise PluginError(f"{broken}: {_one_line(error)}") from error
        problem = _breach(found, contract)
        if problem:
            raise PluginError(f"{broken}: {entry.value} {problem}")
        assert isinstance(found, type)
        return found


MODELS = Registry("model", "fxkit.models", "fxkit.model:Model")
LOSSES = Registry("loss", "fxkit.losses", "fxkit.loss:Loss")
TASKS = Registry("task", "fxkit.tasks", "fxkit.task:Task")
FORMATS = Registry("format", "fxkit.formats", "fxkit.format:Format")


def nearest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Return the most similar of the `known` names, best first, or nothing if none is close."""
    by_lower = {k.lower(): k for k in known}
    close = difflib.get_close_matches(name.lower(), list(by_lower), n=count, cutoff=0.6)
    return [by_lower[c] for c in close]


def _claims(group: str) -> Iterator[Entry]:
    """Yield the claims of all installed distributions, the first of each distribution's name."""
    header = re.compile(rf"^\s*\[\s*{re.escape(group)}\s*\]", re.MULTILINE)
    seen: set[str] = set()
    for distribution in distributions():
        text = distribution.read_text("entry_points.txt") or ""
        # Metadata is parsed only where it matters: an environment may hold hundreds of packages.
        if not header.search(text):
            continue
        name, version = _identity(distribution)
        # Further along the path the same distribution is only the shadow of the first.
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in seen:
            continue
        seen.add(key)
        for line in _section(text, group):
            left, _, value = line.partition("=")
            yield Entry(left.strip(), name, version, re.sub(r"\s*\[.*\]$", "", value.strip()))


def _section(text: str, group: str) -> Iterator[str]:
    """Yield the lines of one section of an ``entry_points.txt``.

    Not with configparser, which gives up on the whole file for one bad line.
    """
    inside = False
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line.startswith(("#", ";")):
            continue
        if line.startswith("["):
            inside = line.strip("[] \t") == group
        elif inside:
            yield line


def _identity(distribution: Distribution) -> tuple[str, str]:
    """Return name and version, also for a distribution whose metadata is damaged."""
    metadata = distribution.metadata
    # A missing or empty METADATA makes the two None, whatever the annotations say.
    name = metadata["Name"] if "Name" in metadata else None  # noqa: SIM401 - not a dict
    version = metadata["Version"] if "Version" in metadata else None  # noqa: SIM401 - not a dict
    return name or "(unnamed distribution)", version or ""


def _follow(value: str) -> Any:
    module, _, attributes = value.partition(":")
    found: Any = importlib.import_module(module)
    for attribute in attributes.split("."):
        found = getattr(found, attribute)
    return found


def _breach(found: object, contract: type[Any]) -> str:
    """Say how `found` breaks the contract, or return an empty string."""
    if not isinstance(found, type):
        return f"is not a class but {type(found).__name__}"
    if not issubclass(found, contract):
        return f"is not a subclass of {contract.__module__}.{contract.__name__}"
    if inspect.isabstract(found):
        missing = ", ".join(sorted(getattr(found, "__abstractmethods__", ())))
        return f"does not implement {missing}"
    config = getattr(found, "Config", None)
    frozen = is_dataclass(config) and isinstance(config, type) and _is_frozen(config)
    if not frozen:
        return "has a Config that is not a frozen dataclass"
    return ""


def _is_frozen(cls: type[Any]) -> bool:
    # A dataclass without fields is as good as frozen.
    return bool(cls.__dataclass_params__.frozen) or not fields(cls)


def _clash(kind: str, name: str, claims: Iterable[Entry]) -> str:
    owners = " and ".join(entry.owner for entry in claims)
    return f"{kind} {name!r} is claimed by {owners}; uninstall one of them"


def _summary(cls: type[Any]) -> str:
    lines = (inspect.cleandoc(cls.__doc__) if cls.__doc__ else "").splitlines()
    return lines[0].strip() if lines else ""


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
