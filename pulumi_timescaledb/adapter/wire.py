"""Property values between the protocol and plain Python.

The engine writes secrets as marked maps and unknown values as one magic string; inside the provider they are `Secret`
and `UNKNOWN`, so that nobody validates, compares or prints them by accident.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import struct_pb2

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
UNKNOWN_TEXTS = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
    }
)
"""sdk/go/common/resource/plugin/rpc.go: one per type of value."""


EXACT = 2**53
"""The protocol's numbers are doubles: whole numbers beyond go as text, which a spec's int field reads as well."""


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = _Unknown()
"""A value that only the update will know."""


@dataclass(frozen=True)
class Secret:
    """A value that must not be shown."""

    value: Any = field(repr=False)


def to_python(struct: struct_pb2.Struct) -> dict[str, Any]:
    """A protocol struct as plain values, `Secret` and `UNKNOWN`. Whole numbers become int."""
    return {key: _value(value) for key, value in struct.fields.items()}


def _value(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "string_value":
            return UNKNOWN if value.string_value in UNKNOWN_TEXTS else value.string_value
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [_value(item) for item in value.list_value.values]
        case "struct_value":
            return _marked(value.struct_value)
        case _:
            return None


def _marked(struct: struct_pb2.Struct) -> Any:
    signature = struct.fields[SIGNATURE].string_value if SIGNATURE in struct.fields else ""
    if signature == SECRET:
        return Secret(_value(struct.fields["value"]))
    if signature == OUTPUT:
        inner = _value(struct.fields["value"]) if "value" in struct.fields else UNKNOWN
        secret = "secret" in struct.fields and struct.fields["secret"].bool_value
        return Secret(inner) if secret else inner
    if signature == RESOURCE:
        return _value(struct.fields["id"]) if "id" in struct.fields else UNKNOWN
    return to_python(struct)


def to_struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """The inverse of `to_python`."""
    struct = struct_pb2.Struct()
    for key, value in properties.items():
        struct.fields[key].CopyFrom(_proto(value))
    return struct


def _proto(value: Any) -> struct_pb2.Value:
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if value is UNKNOWN:
        return struct_pb2.Value(string_value=min(UNKNOWN_TEXTS))
    if isinstance(value, Secret):
        return struct_pb2.Value(struct_value=to_struct({SIGNATURE: SECRET, "value": value.value}))
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, int) and abs(value) > EXACT:
        return struct_pb2.Value(string_value=str(value))
    if isinstance(value, (int, float)):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if isinstance(value, Mapping):
        return struct_pb2.Value(struct_value=to_struct(value))
    return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[_proto(item) for item in value]))


def bare(value: Any) -> Any:
    """The value without secret marks, at any depth."""
    if isinstance(value, Secret):
        return bare(value.value)
    if isinstance(value, Mapping):
        return {key: bare(item) for key, item in value.items()}
    if isinstance(value, list):
        return [bare(item) for item in value]
    return value


def secret_keys(properties: Mapping[str, Any]) -> frozenset[str]:
    """Top-level properties that hold a secret anywhere inside."""
    return frozenset(key for key, value in properties.items() if _has_secret(value))


def _has_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_secret(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_secret(item) for item in value)
    return isinstance(value, Secret)


def secret_texts(value: Any, inside: bool = False) -> Iterator[str]:
    """Every text inside a secret: what must never be shown."""
    if isinstance(value, Secret):
        yield from secret_texts(value.value, inside=True)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from secret_texts(item, inside)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from secret_texts(item, inside)
    elif inside and value is not UNKNOWN and value not in (None, ""):
        yield str(value)


def has_unknown(value: Any) -> bool:
    """Whether an unknown value is anywhere inside."""
    if isinstance(value, Secret):
        return has_unknown(value.value)
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return value is UNKNOWN


def marked(properties: Mapping[str, Any], secrets: frozenset[str]) -> dict[str, Any]:
    """`properties` with the named ones marked secret."""
    return {
        key: Secret(value) if key in secrets and not isinstance(value, Secret) else value
        for key, value in properties.items()
    }


def redact(text: str, secrets: frozenset[str]) -> str:
    """`text` without any of the secret texts, as they stand or as SQL, JSON or one line write them."""
    written = {form for secret in secrets for form in _written(secret)}
    for form in sorted(written, key=len, reverse=True):
        text = text.replace(form, "********")
    return text


def _written(secret: str) -> Iterator[str]:
    for text in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        sql = text.replace("'", "''")
        for form in (text, sql, sql.replace("\\", "\\\\")):
            yield form
            yield " ".join(form.split()) or form


def _step(path: str, key: str) -> str:
    """Property path of a key (sdk/go/common/resource/property_path.go): quoted unless it is a plain name."""
    if re.fullmatch(r"\w[\w$-]*", key):
        return f"{path}.{key}" if path else key
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'{path}["{quoted}"]'


def changed_paths(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(property path, "add" | "delete" | "update") of every difference, deepest common place."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(k for k in new if k not in old)]:
            inner = _step(path, key)
            if key not in new:
                yield inner, "delete"
            elif key not in old:
                yield inner, "add"
            else:
                yield from changed_paths(old[key], new[key], inner)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _changed_items(old, new, path)
    elif old != new:
        yield path, "update"


def _changed_items(old: list[Any], new: list[Any], path: str) -> Iterator[tuple[str, str]]:
    """Differences of two lists: an item put in the middle is one addition, not a change of all that follow."""
    if old == new:
        return
    from difflib import SequenceMatcher

    before, after = ([json.dumps(item, sort_keys=True, default=_distinct) for item in items] for items in (old, new))
    for verb, start, end, new_start, new_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if verb == "equal":
            continue
        pairs = min(end - start, new_end - new_start)
        for offset in range(pairs):
            yield from changed_paths(old[start + offset], new[new_start + offset], f"{path}[{new_start + offset}]")
        yield from ((f"{path}[{index}]", "delete") for index in range(start + pairs, end))
        yield from ((f"{path}[{index}]", "add") for index in range(new_start + pairs, new_end))


def _distinct(value: Any) -> Any:
    """For comparing only: the repr of a secret tells nothing of its value."""
    return {SECRET: value.value} if isinstance(value, Secret) else repr(value)
