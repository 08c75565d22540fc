"""Writes docs/reference: one page per kind from its spec, with the example of docs/examples.

`python -m tools.reference` writes them; a test fails while a page is not what this writes.
"""

from __future__ import annotations

import importlib
import inspect
import runpy
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pulumi_timescaledb import specs
from pulumi_timescaledb.specs import Part, Spec, base, kind_names, module_name, spec_type

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "docs" / "examples"
PAGES = ROOT / "docs" / "reference"

_ALIASES = {
    "interval longer than zero": base.PositiveInterval,
    "interval": base.Interval,
    "name": base.Name,
    "SQL": base.SqlText,
    "SQL type": base.SqlType,
}
"""What a text really is, the narrowest first: an alias built on another begins with its validators."""
_SCALARS = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "any JSON"}


def examples(kind: str) -> list[Spec]:
    """What the example of a kind declares."""
    return list(runpy.run_path(str(EXAMPLES / f"{module_name(kind)}.py"))["declarations"])


def shown_type(hint: Any, parts: Mapping[str, type[Part]]) -> str:
    """A type for people. `parts` are those with a table of their own on the page."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        for name, alias in _ALIASES.items():
            own = get_args(alias)
            if arguments[: len(own)] == own:
                return name
        return shown_type(arguments[0], parts)
    if origin in (Union, types.UnionType):
        return " or ".join(shown_type(each, parts) for each in arguments if each is not type(None))
    if origin is Literal:
        return ", ".join(f"`{each}`" for each in arguments)
    if origin is tuple:
        inner = shown_type(arguments[0], parts)
        return f"list of {inner}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"map of {shown_type(arguments[0], parts)} to {shown_type(arguments[1], parts)}"
    if isinstance(hint, type) and hint.__name__ in parts:
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    return _SCALARS[hint]


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ((), {}):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _limits(field: Any) -> str:
    """Bounds that the type alone does not show."""
    found = []
    for limit in field.metadata:
        for attribute, text in (("ge", "at least {}"), ("gt", "more than {}"), ("le", "at most {}")):
            if (bound := getattr(limit, attribute, None)) is not None:
                found.append(text.format(bound))
        if (least := getattr(limit, "min_length", None)) is not None:
            found.append("not empty" if least == 1 else f"at least {least}")
    return f" ({', '.join(found)})" if found else ""


def _table(part: type[Part], parts: Mapping[str, type[Part]]) -> Iterator[str]:
    """The fields: required ones first, then in the spec's order; what every kind has comes last."""
    hints = get_type_hints(part, include_extras=True)
    yield "| field | type | default | meaning |"
    yield "|---|---|---|---|"
    common = set(Spec.model_fields)
    rows = sorted(part.model_fields.items(), key=lambda row: (row[0] in common, not row[1].is_required()))
    for name, field in rows:
        hint = hints[name]
        kind = shown_type(hint, parts) + _limits(field)
        secret = isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("secret")
        meaning = (field.description or "") + (" Secret: in no log, state or history in clear." if secret else "")
        default = _default(field)
        if field.is_required() and type(None) in get_args(hint):
            default = "required, may be `None`"
        cells = (f"`{name.rstrip('_')}`", kind, default, meaning)
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _parts(kind: str) -> dict[str, type[Part]]:
    """Types of values inside the spec of a kind."""
    module = importlib.import_module(f"{specs.__name__}.{module_name(kind)}")
    return {
        name: each
        for name, each in vars(module).items()
        if isinstance(each, type)
        and issubclass(each, Part)
        and each.__module__ == module.__name__
        and each is not spec_type(kind)
    }


def _import_id(example: Spec) -> str:
    """The form of the import id: the fields it is made of in the places of their values."""
    texts = {name: value for name, value in example if isinstance(value, str)}
    of_identity = {
        name: name.rstrip("_")
        for name in texts
        if example.model_copy(update={name: "other"}).identity() != example.identity()
    }
    return example.model_copy(update=of_identity).import_id()


def page(kind: str) -> str:
    """The page of a kind."""
    spec, parts = spec_type(kind), _parts(kind)
    example = next(each for each in reversed(examples(kind)) if kind == each.KIND)
    lines = [f"# {kind}", "", inspect.cleandoc(spec.__doc__ or ""), ""]
    lines += [f"- In a program: `specs.{kind}`; in the state: `timescaledb:index:{kind}`."]
    lines += [f"- Import id: `{_import_id(example)}`, in the example `{example.import_id()}`."]
    lines += [f"- What a change of each field does and costs: [changes](../changes.md#{kind.lower()})."]
    lines += ["", "## Fields", "", *_table(spec, parts), ""]
    for name, part in parts.items():
        lines += [f"### {name}", "", inspect.cleandoc(part.__doc__ or ""), "", *_table(part, parts), ""]
    code = (EXAMPLES / f"{module_name(kind)}.py").read_text(encoding="utf-8").strip()
    lines += ["## Example", "", f"[docs/examples/{module_name(kind)}.py](../examples/{module_name(kind)}.py)", ""]
    lines += ["```python", code, "```"]
    return "\n".join(lines) + "\n"


def index() -> str:
    """The list of pages."""
    lines = [
        "# Reference",
        "",
        "One page per kind, written from its spec by `python -m tools.reference`. Every example is run by a test.",
        "",
        "Field names are Python's; in the state, in messages and in other languages they are in camelCase. A *name* is",
        "written without quotes, up to 63 bytes. An *interval* is text as PostgreSQL reads it (`7 days`, `1 month`,",
        "`36 hours`). *SQL* is a query or expression without a closing semicolon; name tables with their schema. An",
        "*SQL type* is written as in SQL (`timestamptz`, `numeric(10, 2)`, `metrics.severity`).",
        "",
        "| kind | what it is |",
        "|---|---|",
    ]
    for kind in kind_names():
        first = inspect.cleandoc(spec_type(kind).__doc__ or "").split("\n\n")[0].replace("\n", " ")
        lines.append(f"| [{kind}]({module_name(kind)}.md) | {first} |")
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """Every file of docs/reference, by name."""
    return {"README.md": index(), **{f"{module_name(kind)}.md": page(kind) for kind in kind_names()}}


if __name__ == "__main__":
    PAGES.mkdir(exist_ok=True)
    for stale in PAGES.glob("*.md"):
        stale.unlink()
    for name, text in pages().items():
        (PAGES / name).write_text(text, encoding="utf-8")
