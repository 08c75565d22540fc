"""The package: modules of declarations, SQL texts as files, and what adopts them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..render import environment
from ..specs import Spec
from .areas import AREAS, DATABASE, TITLES, Names, area_of, schema_of
from .source import WIDTH, Code, classes, layout, literal

_TEXTS = {"Function": "body", "View": "query", "MaterializedView": "query", "ContinuousAggregate": "query"}
"""Fields that go into files of their own when they are longer than a line."""
_OWN = Path(__file__).parent / "templates"


def files(specs: Sequence[Spec], name: str, source: str, stack: str, plugin: str = ".venv/bin") -> dict[str, str]:
    """Every file of the package, by its path. `name`: of the package; `source`: where it was read, without secrets;
    `stack`: the stack that `pulumi import` finds the provider in; `plugin`: the folder of the provider's plugin."""
    written: dict[str, str] = {}
    folders = Names(["sql", "texts", *DATABASE])
    names = {schema: folders.new(schema) for schema in sorted({schema_of(spec) for spec in specs} - {""})}
    modules: dict[tuple[str, str], list[Spec]] = defaultdict(list)
    for spec in specs:
        modules[(schema_of(spec) if area_of(spec) not in DATABASE else "", area_of(spec))].append(spec)
    sql_names: dict[str, Names] = defaultdict(Names)
    for (schema, area), members in modules.items():
        folder = f"{name}/{names[schema]}" if schema else name
        title = f"{TITLES.get(area, area)}{f' of schema {schema}' if schema else ''}."
        written[f"{folder}/{area}.py"] = _module(title, members, name, names.get(schema, ""), written, sql_names)
    for schema, folder in names.items():
        areas = [area for held, area in modules if held == schema]
        written[f"{name}/{folder}/__init__.py"] = _joined(f"Schema {schema}", _sorted(areas))
    top = [area for held, area in modules if not held]
    written[f"{name}/__init__.py"] = _joined(f"Declarations read from {source}", [*_sorted(top), *names.values()])
    if sql_names:
        written[f"{name}/texts.py"] = _rendered("texts.py")
    written["__main__.py"] = _rendered("main.py", package=name)
    description = json.dumps(f"Adopted from {source}")
    written["Pulumi.yaml"] = _rendered("Pulumi.yaml", package=name, description=description, plugin=plugin)
    written["pyproject.toml"] = _rendered("pyproject.toml", package=name)
    written["import.json"] = _import_file(specs, name, stack)
    return written


def _sorted(areas: Sequence[str]) -> list[str]:
    order = [*DATABASE, *AREAS]
    return sorted(areas, key=lambda area: (order.index(area) if area in order else len(order), area))


def _module(
    title: str, members: list[Spec], package: str, folder: str, written: dict[str, str], sql_names: dict[str, Names]
) -> str:
    values = [_with_files(spec, package, folder, written, sql_names) for spec in members]
    imports: dict[str, set[str]] = defaultdict(set)
    imports["pulumi_timescaledb.specs.base"].add("Spec")
    for each in (made for spec in members for made in classes(spec)):
        imports[each.__module__].add(each.__name__)
    if any(value is not spec for value, spec in zip(values, members, strict=True)):
        imports[f"{package}.texts"].add("sql")
    lines = [
        _docstring(title),
        "",
        "from __future__ import annotations",
        "",
        *_import_lines(imports),
    ]
    head = "\n".join(lines)
    return f"{head}\n\n{_listed(values)}\n"


def _listed(values: Sequence[Any]) -> str:
    """The tuple of declarations, one a line."""
    target = "DECLARATIONS: tuple[Spec, ...] = "
    return target + layout(tuple(values), before=len(target) if len(values) == 1 else WIDTH)


def _import_lines(imports: Mapping[str, set[str]]) -> list[str]:
    lines = []
    for module, names in sorted(imports.items()):
        line = f"from {module} import {', '.join(sorted(names))}"
        if len(line) > WIDTH:
            line = "\n".join([f"from {module} import (", *(f"    {name}," for name in sorted(names)), ")"])
        lines.append(line)
    return lines


def _with_files(spec: Spec, package: str, folder: str, written: dict[str, str], sql_names: dict[str, Names]) -> Spec:
    """The spec with its long texts replaced by a call that reads them from a file beside the package."""
    field = _TEXTS.get(spec.KIND)
    text = getattr(spec, field) if field else ""
    if not field or ("\n" not in text and len(text) <= 80):
        return spec
    place = f"{folder}/{area_of(spec)}"
    path = f"{place}/{sql_names[place].new(spec.identity()[1])}.sql"
    # The server keeps a function's text to the last character; of a query the end does not matter.
    written[f"{package}/sql/{path}"] = text if field == "body" else f"{text}\n"
    return spec.model_copy(update={field: Code(f"sql({literal(path)})")})


def _joined(title: str, modules: Sequence[str]) -> str:
    lines = [
        _docstring(f"{title}."),
        "",
        "from __future__ import annotations",
        "",
        "from pulumi_timescaledb.specs.base import Spec",
        "",
    ]
    ordered = sorted(modules)
    line = f"from . import {', '.join(ordered)}"
    lines += [line] if len(line) <= WIDTH else ["from . import (", *(f"    {each}," for each in ordered), ")"]
    values = [Code(f"*{module}.DECLARATIONS") for module in modules]
    return "\n".join([*lines, "", _listed(values), ""])


def _docstring(text: str) -> str:
    plain = " ".join(text.replace("\\", "\\\\").replace('"""', "'''").split())
    return f'"""{plain}"""'


def _import_file(specs: Sequence[Spec], project: str, stack: str) -> str:
    """For `pulumi import --file`: ids per resource; the provider must be in the stack already."""
    resources = [
        {
            "type": f"timescaledb:index:{spec.KIND}",
            "name": spec.import_id(),
            "id": spec.import_id(),
            "provider": "database",
        }
        for spec in specs
    ]
    provider = f"urn:pulumi:{stack}::{project}::pulumi:providers:timescaledb::database"
    return (
        json.dumps({"nameTable": {"database": provider}, "resources": resources}, indent=2, ensure_ascii=False) + "\n"
    )


def _rendered(template: str, **values: Any) -> str:
    return environment(_OWN).get_template(f"{template}.j2").render(**values).rstrip("\n") + "\n"


def write(made: Mapping[str, str], target: Path) -> None:
    """Writes the files.

    Raises:
        FileExistsError: one is there already, with something else in it; nothing is written then.
    """
    differing = [path for path, text in made.items() if (target / path).exists() and _read(target / path) != text]
    if differing:
        raise FileExistsError(f"{target / differing[0]} is there already ({len(differing)} files differ)")
    for path, text in made.items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        with (target / path).open("w", encoding="utf-8", newline="") as file:
            file.write(text)


def _read(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


__all__ = ["files", "write"]
