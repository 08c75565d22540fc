"""All rights of one role in one schema."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ..datatypes import normal_type
from ..sqltext import display, split_outside_quotes
from .base import Name, Named, Part, Reference, Spec, relation

PUBLIC = "public"
"""The grantee that stands for everybody; PostgreSQL reserves the name, so no role has it."""

ObjectType = Literal["relation", "sequence", "function", "type"]
DefaultType = Literal["tables", "sequences", "functions", "types"]

_ALLOWED: dict[str, set[str]] = {
    "relation": {"select", "insert", "update", "delete", "truncate", "references", "trigger", "maintain"},
    "sequence": {"usage", "select", "update"},
    "function": {"execute"},
    "type": {"usage"},
}
_PER_COLUMN = {"select", "insert", "update", "references"}


def _sorted_privileges(privileges: tuple[str, ...]) -> tuple[str, ...]:
    """Each once, with the right to pass it on where that is given anywhere."""
    given = {privilege.lower() for privilege in privileges}
    return tuple(sorted(privilege for privilege in given if f"{privilege}*" not in given))


def _sorted_names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


Privileges = Annotated[tuple[str, ...], AfterValidator(_sorted_privileges)]
"""Privileges in lower case, in any order; "select*" is SELECT with the right to pass it on (GRANT OPTION)."""


def _check(kind: str, privileges: Iterable[str], allowed: set[str]) -> None:
    unknown = sorted({privilege.removesuffix("*") for privilege in privileges} - allowed)
    if unknown:
        raise ValueError(f"{kind} has no privilege {', '.join(unknown)}; it has {', '.join(sorted(allowed))}")


def split_signature(signature: str) -> tuple[str, str]:
    """Name and input types of a function: "f(text, int)" -> ("f", "text, integer").

    Raises:
        ValueError: `signature` has no list of types.
    """
    inside = signature.removesuffix(")")
    # The name is as it is, the types are SQL: the bracket before them is the last one that is not inside quotes.
    brackets = (at for at in range(len(inside) - 1, 0, -1) if inside[at] == "(")
    opening = next((at for at in brackets if not inside.count('"', at) % 2), 0)
    if not opening or not signature.endswith(")"):
        raise ValueError(f'"{signature}" is not a function signature like f(text, integer)')
    name, types = inside[:opening], inside[opening + 1 :]
    return name, ", ".join(normal_type(each) for each in split_outside_quotes(types, ",")) if types.strip() else ""


class ObjectRights(Part):
    """Rights on one object of the schema."""

    type: ObjectType = Field(default="relation", description="relation = table, view, materialized view or aggregate.")
    name: str = Field(description="Object name; for a function its signature: f(text, integer).", min_length=1)
    privileges: Privileges = Field(description="Privileges in lower case, in any order.", min_length=1)
    columns: Annotated[tuple[Name, ...], AfterValidator(_sorted_names)] = Field(
        default=(), description="Only these columns (relations only), in any order."
    )

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.columns and self.type != "relation":
            raise ValueError("columns need a relation")
        _check(
            "a column" if self.columns else self.type,
            self.privileges,
            _PER_COLUMN if self.columns else _ALLOWED[self.type],
        )
        if self.type == "function":
            split_signature(self.name)
        return self


class DefaultRights(Part):
    """Rights on objects that a role will create in the schema later (ALTER DEFAULT PRIVILEGES)."""

    creator: Name = Field(description="Role that creates the objects.")
    type: DefaultType = Field(description="Kind of objects.")
    privileges: Privileges = Field(description="Privileges in lower case, in any order.", min_length=1)

    @model_validator(mode="after")
    def _known(self) -> Self:
        _check(
            self.type,
            self.privileges,
            _ALLOWED["relation" if self.type == "tables" else self.type.removesuffix("s")],
        )
        return self


def _merged_objects(objects: tuple[ObjectRights, ...]) -> tuple[ObjectRights, ...]:
    """The same rights in one form: an entry per object, and per object one per set of columns with equal rights."""
    whole: defaultdict[tuple[ObjectType, str], set[str]] = defaultdict(set)
    by_column: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for item in objects:
        name = "{}({})".format(*split_signature(item.name)) if item.type == "function" else item.name
        for column in item.columns:
            by_column[name][column].update(item.privileges)
        if not item.columns:
            whole[(item.type, name)].update(item.privileges)
    merged = [
        ObjectRights.model_construct(type=kind, name=name, privileges=_sorted_privileges(tuple(rights)), columns=())
        for (kind, name), rights in whole.items()
    ]
    for name, columns in by_column.items():
        alike: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
        for column, rights in columns.items():
            alike[_sorted_privileges(tuple(rights))].append(column)
        merged += [
            ObjectRights.model_construct(type="relation", name=name, privileges=rights, columns=tuple(sorted(names)))
            for rights, names in alike.items()
        ]
    return tuple(sorted(merged, key=lambda item: (item.type, item.name, item.columns)))


def _merged_defaults(defaults: tuple[DefaultRights, ...]) -> tuple[DefaultRights, ...]:
    merged: defaultdict[tuple[str, DefaultType], set[str]] = defaultdict(set)
    for item in defaults:
        merged[(item.creator, item.type)].update(item.privileges)
    return tuple(
        DefaultRights.model_construct(creator=creator, type=kind, privileges=_sorted_privileges(tuple(rights)))
        for (creator, kind), rights in sorted(merged.items())
    )


class Grant(Spec):
    """The exact set of rights that `role` has in `schema`: what is not listed is revoked.

    A privilege with a star, "select*", may be passed on by the role. Taking that back takes what it passed on, too.

    "public" as role means PUBLIC. Only rights given by the objects' owners count, an owner's own rights are not
    touched, and members of extensions are left alone. Rights on a hypertable reach its chunks by themselves.

    PUBLIC may EXECUTE every function and USE every type by default. That is no drift while nothing is declared for
    "public"; a Grant of "public" in a schema takes back every right it does not list, these defaults included.
    Functions and types made later are taken from PUBLIC when they are made, where the Manifest knows such a Grant.

    A Grant may list nothing: then what somebody grants by hand is drift, seen and taken back.
    """

    KIND: ClassVar[str] = "Grant"
    NAMES: ClassVar[tuple[Named, ...]] = (Named("Role", ("role",)), Named("Schema", ("schema_",)))

    role: Name = Field(description='Role that gets the rights; "public" for everybody.')
    schema_: Name = Field(description="Schema.")
    privileges: Annotated[
        tuple[Literal["usage", "create", "usage*", "create*"], ...], AfterValidator(_sorted_privileges)
    ] = Field(default=(), description="Rights on the schema itself.")
    objects: Annotated[tuple[ObjectRights, ...], AfterValidator(_merged_objects)] = Field(
        default=(), description="Rights on its objects, in any order."
    )
    defaults: Annotated[tuple[DefaultRights, ...], AfterValidator(_merged_defaults)] = Field(
        default=(), description="Rights on objects to come, in any order."
    )

    @model_validator(mode="after")
    def _public_passes_nothing_on(self) -> Self:
        rights = [self.privileges, *(item.privileges for item in self.objects)]
        rights += [item.privileges for item in self.defaults]
        if self.role == PUBLIC and any(each.endswith("*") for privileges in rights for each in privileges):
            raise ValueError("PUBLIC cannot have the right to pass something on: leave out the star")
        return self

    def identity(self) -> tuple[str, ...]:
        return (self.role, self.schema_)

    def lock_key(self) -> str:
        """Rights of several roles on one object stand in one row of the catalog, and two writers of a row fail with
        "tuple concurrently updated": of 96 grants at 32 at once every one met it (PostgreSQL 17, measured)."""
        return f"Rights {display(self.schema_)}"

    def references(self) -> Iterable[Reference]:
        yield from super().references()
        yield from (Reference("Role", (rights.creator,)) for rights in self.defaults)
        yield from self.named()

    def named(self) -> Iterable[Reference]:
        """What its rights are on."""
        for rights in self.objects:
            if rights.type in ("relation", "sequence"):
                yield relation(self.schema_, rights.name)
            elif rights.type == "function":
                yield Reference("Function", (self.schema_, *split_signature(rights.name)))
            else:
                yield Reference("Type", (self.schema_, rights.name))
