"""Values to frozen dataclasses and back, with errors that name the key and what it takes."""

from __future__ import annotations

import functools
import math
import re
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, PydanticSchemaGenerationError, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from fxkit.errors import FxkitError
from fxkit.registry import nearest

__all__ = ["OptionInfo", "build", "describe", "to_plain"]

T = TypeVar("T")

_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
_NULL = ("none", "null", "~")
_NUMBER = re.compile(r"[+-]?(\d[\d_]*\.?[\d_]*|\.\d+)([eE][+-]?\d+)?$")


@dataclass(frozen=True)
class OptionInfo:
    """One setting, as ``--help`` shows it."""

    key: str
    default: Any
    """None where there is none; see `required`."""
    required: bool
    takes: str
    """What it takes, in words: 'a whole number from 1 to 1024'."""
    unit: str
    help: str


def build(cls: type[T], values: Mapping[str, Any], *, prefix: str) -> T:
    """Make the frozen dataclass `cls` from `values`.

    Parameters
    ----------
    cls
        The dataclass; its fields are best made with `fxkit.options.option`.
    values
        Key to value without the prefix, dotted or nested where a field is a dataclass itself. Text
        is turned into what the field wants; what is not there gets the field's default.
    prefix
        What goes in front of the keys in messages: ``model``.

    Raises
    ------
    FxkitError
        In one line: the key, what it takes, and the nearest valid key where there is none.
    """
    hints = _hints(cls)
    known = {f.name: f for f in fields(cls) if f.init}  # type: ignore[arg-type]
    parts: dict[str, Any] = {}
    for key, value in values.items():
        head, _, rest = key.partition(".")
        if head not in known or (rest and not _is_group(hints[head])):
            raise FxkitError(_unknown(f"{prefix}.{key}", [i.key for i in describe(cls, prefix)]))
        if rest:
            parts.setdefault(head, {})[rest] = value
        elif isinstance(value, Mapping) and isinstance(parts.get(head), dict):
            parts[head].update(value)
        else:
            parts[head] = value
    made: dict[str, Any] = {}
    for name, value in parts.items():
        if _is_group(hints[name]) and isinstance(value, Mapping):
            made[name] = build(hints[name], value, prefix=f"{prefix}.{name}")
        else:
            made[name] = _convert(f"{prefix}.{name}", hints[name], known[name], value)
    for name, declared in known.items():
        if name not in made and _required(declared):
            raise FxkitError(
                f"{prefix}.{name} is missing: it needs {_takes(declared, hints[name])}"
            )
    try:
        return cls(**made)
    except (ValueError, TypeError) as error:
        raise FxkitError(f"{prefix}: {' '.join(str(error).split())}") from error


def to_plain(config: Any) -> dict[str, Any]:
    """Return the dataclass as JSON values, so that ``build(cls, to_plain(c)) == c``."""
    plain = to_jsonable_python(config, serialize_unknown=False)
    assert isinstance(plain, dict)
    return plain


def describe(cls: type[Any], prefix: str) -> list[OptionInfo]:
    """List the settings of the dataclass `cls`, those of dataclasses inside it included."""
    hints = _hints(cls)
    infos: list[OptionInfo] = []
    for declared in fields(cls):
        if not declared.init:
            continue
        key, hint = f"{prefix}.{declared.name}", hints[declared.name]
        if _is_group(hint):
            infos += describe(hint, key)
            continue
        infos.append(
            OptionInfo(
                key=key,
                default=None if _required(declared) else _default(declared),
                required=_required(declared),
                takes=_takes(declared, hint),
                unit=declared.metadata.get("unit", ""),
                help=declared.metadata.get("help", ""),
            )
        )
    return infos


def _unknown(key: str, known: list[str]) -> str:
    near = nearest(key, known)
    if near:
        return f"no setting {key!r}; did you mean {' or '.join(near)}?"
    if known:
        return f"no setting {key!r}; there is {', '.join(known)}"
    return f"no setting {key!r}; {key.rpartition('.')[0]} has no settings"


def _convert(key: str, hint: Any, declared: Field[Any], value: Any) -> Any:
    takes = _takes(declared, hint)
    refusal = FxkitError(f"{key}={_shown(value)}: needs {takes}")
    for member in _members(hint):
        try:
            made = _adapter(member).validate_python(_prepared(member, value))
        except (ValidationError, _RefusedError):
            continue
        if _allowed(made, declared):
            return made
        raise refusal
    raise refusal


class _RefusedError(Exception):
    """The value cannot be of this type."""


def _prepared(hint: Any, value: Any) -> Any:
    """Turn text into what pydantic takes for `hint`, and keep it from taking what nobody means."""
    if hint in (int, float):
        if isinstance(value, bool):
            raise _RefusedError
        if isinstance(value, str):
            # float() and int() alone would take 'nan', '１２' and, for whole numbers, no '1e3'.
            if not (value.isascii() and _NUMBER.match(value)):
                raise _RefusedError
            text = value.replace("_", "")
            if hint is int:
                return int(text) if text.lstrip("+-").isdigit() else float(text)
            return float(text)
    if hint is bool and not isinstance(value, bool | str):
        raise _RefusedError
    if hint is types.NoneType and isinstance(value, str):
        if value.lower() in _NULL:
            return None
        raise _RefusedError
    if get_origin(hint) is tuple:
        items = value
        if isinstance(value, str):
            inner = value.strip().removeprefix("[").removesuffix("]")
            items = [part.strip() for part in inner.split(",")] if inner.strip() else []
        if not isinstance(items, list | tuple):
            raise _RefusedError
        first = get_args(hint)[0] if get_args(hint) else str
        return tuple(_prepared(first, item) for item in items)
    if get_origin(hint) is Literal and isinstance(value, str):
        by_text = {str(choice): choice for choice in get_args(hint)}
        return by_text.get(value, value)
    return value


def _allowed(value: Any, declared: Field[Any]) -> bool:
    """Say whether the value is finite and within the bounds and choices of its option."""
    if isinstance(value, tuple | list):
        return all(_allowed(item, declared) for item in value)
    choices = declared.metadata.get("choices")
    low, high = declared.metadata.get("low"), declared.metadata.get("high")
    if choices is not None and value is not None and value not in choices:
        return False
    if isinstance(value, bool) or not isinstance(value, int | float):
        return True
    if not math.isfinite(value):
        return False
    return (low is None or value >= low) and (high is None or value <= high)


def _members(hint: Any) -> list[Any]:
    """Return the types to try, in order: text last, since everything could be meant as text."""
    if get_origin(hint) in (Union, types.UnionType):
        return sorted(get_args(hint), key=lambda member: member is str)
    return [hint]


def _takes(declared: Field[Any], hint: Any) -> str:
    choices = declared.metadata.get("choices")
    low, high = declared.metadata.get("low"), declared.metadata.get("high")
    if choices is not None:
        words = f"one of {', '.join(map(str, choices))}"
        # `None` beside the choices, as in `Literal["a", "b"] | None`.
        return f"{words}, or none" if types.NoneType in _members(hint) else words
    members = sorted(_members(hint), key=lambda member: member is types.NoneType)
    words = " or ".join(_name(member) for member in members)
    if low is not None and high is not None:
        return f"{words} from {low:g} to {high:g}"
    if low is not None:
        return f"{words}, at least {low:g}"
    return f"{words}, at most {high:g}" if high is not None else words


def _name(hint: Any) -> str:
    if hint is types.NoneType:
        return "none"
    if get_origin(hint) is Literal:
        choices = [str(choice) for choice in get_args(hint)]
        return choices[0] if len(choices) == 1 else f"one of {', '.join(choices)}"
    if get_origin(hint) is tuple and get_args(hint):
        return f"a list of {_name(get_args(hint)[0]).removeprefix('a ')}s, as in 1,2,4"
    if isinstance(hint, type):
        return _WORDS.get(hint, hint.__name__)
    return str(hint)


def _shown(value: Any) -> str:
    text = "none" if value is None else str(value)
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."


def _required(declared: Field[Any]) -> bool:
    return declared.default is MISSING and declared.default_factory is MISSING


def _default(declared: Field[Any]) -> Any:
    if declared.default_factory is not MISSING:
        return declared.default_factory()
    return declared.default


def _is_group(hint: Any) -> bool:
    return isinstance(hint, type) and is_dataclass(hint)


def _hints(cls: type[Any]) -> dict[str, Any]:
    try:
        return get_type_hints(cls)
    except NameError as error:
        raise FxkitError(
            f"{cls.__module__}.{cls.__qualname__}: its fields have types that cannot be found "
            f"({error}); define them in the module, not in a function"
        ) from None


@functools.cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=False))
    except PydanticSchemaGenerationError as error:
        raise FxkitError(f"a setting has a type that no text can be turned into: {hint}") from error
