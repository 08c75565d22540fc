"""Who may do what: each role's rights on each object of a schema, from the grants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flowsctl.site.catalogue import OWNER, Catalogue
from pulumi_timescaledb.specs.grant import split_signature

LETTERS = {"select": "S", "insert": "I", "update": "U", "delete": "D", "execute": "X", "usage": "usage"}


@dataclass(frozen=True)
class Cell:
    """Rights of one role on one object: letters for the eye, a sentence for the pointer and for readers aloud."""

    letters: str = ""
    words: str = ""


@dataclass(frozen=True)
class Matrix:
    """Rows are objects, columns are the roles that have any right in the schema."""

    schema: str
    roles: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[Cell, ...]], ...]
    """Kind, name, a cell per role."""


def matrices(catalogue: Catalogue) -> list[Matrix]:
    """One matrix per schema, in the order of the schemas."""
    return [_matrix(catalogue, schema.name) for schema in catalogue.of("Schema")]


def _matrix(catalogue: Catalogue, schema: str) -> Matrix:
    grants = [grant for grant in catalogue.of("Grant") if grant.schema_ == schema]
    given = [grant for grant in grants if grant.privileges or grant.objects]
    roles = tuple(sorted({grant.role for grant in given}))
    objects = [("schema", schema)]
    objects += [(_kind(spec), spec.name) for spec in catalogue.relations(schema)]
    objects += [
        ("function", f"{spec.name}({', '.join(spec.input_types())})")
        for spec in catalogue.of("Function")
        if spec.schema_ == schema
    ]
    by_role = {grant.role: grant for grant in given}
    rows = []
    for kind, name in objects:
        cells = tuple(_cell(by_role[role], kind, name, _owner(catalogue, schema, kind, name)) for role in roles)
        if kind == "schema" or any(cell.letters for cell in cells):
            rows.append((kind, name, cells))
    return Matrix(schema, roles, tuple(rows))


def _kind(spec: Any) -> str:
    kind = str(spec.KIND)
    return {"ContinuousAggregate": "aggregate", "MaterializedView": "materialized view"}.get(kind, kind.lower())


def _owner(catalogue: Catalogue, schema: str, kind: str, name: str) -> str:
    if kind in ("schema", "function"):
        return OWNER
    found = next(spec for spec in catalogue.relations(schema) if spec.name == name)
    return found.owner or OWNER


def _cell(grant: Any, kind: str, name: str, owner: str) -> Cell:
    if grant.role == owner:
        return Cell("owner", "owns it")
    if kind == "schema":
        return Cell("usage", "may name its objects") if "usage" in grant.privileges else Cell()
    letters, words = [], []
    for rights in grant.objects:
        same = rights.name == name if rights.type != "function" else _same_function(rights.name, name)
        if not same or (rights.type == "function") != (kind == "function"):
            continue
        of = f" of {len(rights.columns)} columns" if rights.columns else ""
        letters += [LETTERS.get(each, each) + ("*" if rights.columns else "") for each in rights.privileges]
        words += [f"{each}{of}" for each in rights.privileges]
    order = "SIUDX"
    letters = sorted(dict.fromkeys(letters), key=lambda each: order.find(each[0]))
    return Cell(" ".join(letters), ", ".join(words))


def _same_function(granted: str, name: str) -> bool:
    return "{}({})".format(*split_signature(granted)) == name


def readers_of(catalogue: Catalogue, schema: str, relation: str) -> dict[str, list[str]]:
    """Privilege -> roles that have it on a relation, for whole rows or some columns."""
    found: dict[str, list[str]] = {}
    for grant in catalogue.of("Grant"):
        for rights in grant.objects if grant.schema_ == schema else ():
            if rights.type == "relation" and rights.name == relation:
                for privilege in rights.privileges:
                    roles = found.setdefault(privilege, [])
                    roles += [grant.role] if grant.role not in roles else []
    return found
