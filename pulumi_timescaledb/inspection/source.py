"""Python source of values, laid out as `ruff format` lays it out, so that a formatter has nothing left to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..specs import Part, Spec

WIDTH = 120
_STEP = 4
_FIRST = ("schema_", "name", "relation", "role")
"""Fields that say what a thing is, before those that say how it is."""


@dataclass(frozen=True)
class Code:
    """Source text as it stands."""

    text: str


def literal(text: str) -> str:
    """A string literal in double quotes, unless single ones need fewer escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    escaped = "".join(_escaped(character, quote) for character in text)
    return f"{quote}{escaped}{quote}"


def _escaped(character: str, quote: str) -> str:
    if character in ("\\", quote):
        return f"\\{character}"
    if character.isprintable():
        return character
    return repr(character)[1:-1]


def layout(value: Any, indent: int = 0, before: int = 0, after: int = 0) -> str:
    """`value` as source. `indent`: of the line it starts on; `before`, `after`: characters on that line beside it."""
    flat = _flat(value)
    if indent + before + len(flat) + after <= WIDTH and "\n" not in flat:
        return flat
    return _tall(value, indent)


def _flat(value: Any) -> str:
    opening, items, closing = _parts(value)
    if not items:
        return opening + closing
    inner = ", ".join(f"{label}{_flat(item)}" for label, item in items)
    return f"{opening}{inner}{',' if opening == '(' and len(items) == 1 else ''}{closing}"


def _tall(value: Any, indent: int) -> str:
    opening, items, closing = _parts(value)
    if not items:
        return opening + closing
    inside = indent + _STEP
    lines = [f"{' ' * inside}{label}{layout(item, inside, len(label), 1)}," for label, item in items]
    return "\n".join([opening, *lines, " " * indent + closing])


def _parts(value: Any) -> tuple[str, list[tuple[str, Any]], str]:
    """(opening, [(label, item)], closing); a value without items is all in the opening."""
    if isinstance(value, Part):
        return f"{type(value).__name__}(", [(f"{name}=", item) for name, item in fields(value)], ")"
    if isinstance(value, Mapping):
        return "{", [(f"{literal(str(key))}: ", item) for key, item in value.items()], "}"
    if isinstance(value, tuple):
        return "(", [("", item) for item in value], ")"
    if isinstance(value, list):
        return "[", [("", item) for item in value], "]"
    if isinstance(value, Code):
        return value.text, [], ""
    if isinstance(value, str):
        return literal(value), [], ""
    return repr(value), [], ""


def fields(part: Part) -> Iterator[tuple[str, Any]]:
    """Fields that differ from their defaults, what names the thing first."""
    model = type(part).model_fields
    ordered = sorted(model, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    for name in ordered:
        value = getattr(part, name)
        if model[name].is_required() or value != model[name].get_default(call_default_factory=True):
            yield name, value


def classes(value: Any) -> Iterator[type[Part]]:
    """Every spec class that the source of `value` names."""
    if isinstance(value, Part):
        yield type(value)
        for _, item in fields(value):
            yield from classes(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from classes(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from classes(item)


__all__ = ["WIDTH", "Code", "Spec", "classes", "fields", "layout", "literal"]
