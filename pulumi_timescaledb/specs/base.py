"""What every spec has in common: identity, references, wire form, validation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from ..datatypes import normal_type
from ..interval import normal_interval, parse_interval
from ..sqltext import MAX_IDENTIFIER_BYTES, display, mentions_of, parse_display, without_tail


class Reference(NamedTuple):
    """Another object, by kind and identity: ("Table", ("flows", "escos"))."""

    kind: str
    identity: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind} {display(*self.identity)}"


class Named(NamedTuple):
    """Fields of a spec that together name another object, and what its identity has besides them. A field may hold
    several names (roles); one that is empty, or the role "public", names nothing."""

    kind: str
    fields: tuple[str, ...]
    rest: tuple[str, ...] = ()


def _name(text: str) -> str:
    if not text:
        raise ValueError("a name cannot be empty")
    if "\0" in text:
        raise ValueError("a name cannot contain a zero byte")
    size = len(text.encode())
    if size > MAX_IDENTIFIER_BYTES:
        raise ValueError(
            f"the name has {size} bytes; PostgreSQL cuts names after {MAX_IDENTIFIER_BYTES} bytes, so shorten it"
        )
    return text


def _positive(text: str) -> str:
    if parse_interval(text).approximate_days() <= 0:
        raise ValueError(f'the interval "{text}" must be longer than zero')
    return text


def _sql(text: str) -> str:
    text = without_tail(text)
    if not text:
        raise ValueError("the SQL text cannot be empty")
    return text


def _parameters(texts: Mapping[str, str]) -> Mapping[str, str]:
    for name in texts:
        if name.partition(".")[0].lower() in ("timescaledb", "tsdb"):
            raise ValueError(f'"{name}" is an option of TimescaleDB, no storage parameter: declare a Columnstore')
        if not re.fullmatch(r"(toast\.)?[a-z_][a-z0-9_]*", name):
            raise ValueError(f'"{name}" is no name of a storage parameter: these are in small letters, as "fillfactor"')
    return texts


Name = Annotated[str, AfterValidator(_name)]
"""An identifier, unquoted, up to 63 bytes."""
Interval = Annotated[str, AfterValidator(normal_interval)]
"""An interval as PostgreSQL reads it, kept in one form."""
PositiveInterval = Annotated[Interval, AfterValidator(_positive)]
"""An interval longer than zero."""
SqlText = Annotated[str, AfterValidator(_sql)]
"""An SQL query or expression, without a closing semicolon."""
NamedTexts = Annotated[Mapping[str, str], AfterValidator(lambda texts: dict(sorted(texts.items())))]
"""Texts by name, sorted: the protocol keeps no order, and the statements made from them need one."""
StorageParameters = Annotated[NamedTexts, AfterValidator(_parameters)]
"""Storage parameters by name, values in the server's own words."""
SqlType = Annotated[str, AfterValidator(normal_type)]
"""A data type; give types of your own with their schema."""


class Part(BaseModel):
    """A value inside a spec. Frozen; unknown properties are errors; camelCase on the wire."""

    model_config = ConfigDict(
        frozen=True,
        defer_build=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        alias_generator=lambda name: to_camel(name.rstrip("_")),
    )


class Spec(Part):
    """One declared object. The same type describes what is wanted, what state holds and what is found."""

    KIND: ClassVar[str]
    """The kind's name, which is the last part of its type token: timescaledb:index:<KIND>."""
    COMPLETES_PARENT: ClassVar[bool] = False
    """Whether whoever mentions the parent needs this object too (a hypertable completes its table)."""
    VOLATILE: ClassVar[frozenset[str]] = frozenset({"allow", "previously"})
    """Fields that steer a change and describe nothing on the server: never compared with it."""

    NAMES: ClassVar[tuple[Named, ...]] = ()
    """Fields that name other objects: these are needed, and are followed when one of them is renamed."""

    allow: tuple[str, ...] = Field(
        default=(),
        description="Changes of this object that may lose data, each named as the refusal names it, "
        'for example "drop_column:firmware_version".',
    )

    def identity(self) -> tuple[str, ...]:
        """What tells this object from every other of its kind in the database."""
        raise NotImplementedError

    @classmethod
    def parse_id(cls, text: str) -> tuple[str, ...]:
        """The identity that an import key names.

        Raises:
            ValueError: `text` is not an import key of this kind.
        """
        return parse_display(text)

    def import_id(self) -> str:
        """The import key, which is the Pulumi id."""
        return display(*self.identity())

    def reference(self) -> Reference:
        """How other specs name this object."""
        return Reference(self.KIND, self.identity())

    def references(self) -> Iterable[Reference]:
        """Objects named by fields of their own kind: the table of an index, the schema of a table."""
        for named in self.NAMES:
            first, *others = (getattr(self, field) for field in named.fields)
            for value in first if isinstance(first, tuple) else (first,):
                if value is not None and not (named.kind == "Role" and value.lower() == "public"):
                    yield Reference(named.kind, (value, *others, *named.rest))

    def previous(self) -> Self | None:
        """This spec under the name that `previously` gives it, if it gives one."""
        name = getattr(self, "previously", None)
        return self.model_copy(update={"name": name, "previously": None}) if name else None

    def possible_references(self) -> Iterable[Reference]:
        """Objects it needs where they are declared (the unique index under a foreign key)."""
        return ()

    def sql_texts(self) -> Iterable[str]:
        """SQL texts (queries, expressions, types): their dotted names may be other declared objects, and two texts may
        be the same to the server."""
        return ()

    def mentions(self) -> set[tuple[str, ...]]:
        """Dotted names in the SQL texts; which of them are declared objects only the whole picture tells."""
        texts = (text for text in self.sql_texts() if "." in text)  # most are the name of a type, and hold none
        return {name for text in texts for name in mentions_of(text)}

    def body_texts(self) -> Iterable[str]:
        """SQL texts that are looked at only when they run, and whose mentions the server does not keep track of."""
        return ()

    def parent(self) -> Reference | None:
        """The object whose drop takes this one with it, if there is one."""
        return None

    def provides(self) -> Iterable[Reference]:
        """References that this object answers to besides its own."""
        return ()

    def lock_key(self) -> str:
        """What only one writer at a time may change: the relation it belongs to or is, else the object itself."""
        parent = self.parent()
        if parent is not None:
            return str(parent)
        return f"Relation {self.import_id()}" if any(True for _ in self.provides()) else str(self.reference())

    def to_wire(self) -> dict[str, Any]:
        """Plain, JSON-ready properties in camelCase, defaults left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    @classmethod
    def from_wire(cls, properties: Mapping[str, Any]) -> Self:
        """The inverse of `to_wire`.

        Raises:
            pydantic.ValidationError: one entry per fault, with its property path.
        """
        return cls.model_validate(properties)

    @classmethod
    @cache
    def secret_fields(cls) -> frozenset[str]:
        """Names of the fields that hold secrets: kept out of the manifest, the ledger and every log."""
        return frozenset(
            name
            for name, field in cls.model_fields.items()
            if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("secret")
        )

    def without_secrets(self) -> Self:
        """This spec as the manifest and the ledger keep it."""
        secret = self.secret_fields()
        return self.model_copy(update=dict.fromkeys(secret)) if secret else self

    def with_secrets_of(self, other: Spec | None) -> Self:
        """This spec with the secrets of another of its kind, for a source that keeps none."""
        secrets = self.secret_fields()
        return self if other is None or not secrets else self.model_copy(update={n: getattr(other, n) for n in secrets})

    def comparable(self) -> Self:
        """This spec without what the server cannot show: secrets and fields that only steer a change."""
        hidden = {name: usual for name, usual in self._hidden().items() if getattr(self, name) != usual}
        return self.model_copy(update=hidden) if hidden else self

    @classmethod
    @cache
    def _hidden(cls) -> Mapping[str, Any]:
        """Fields that `comparable` resets, with the value they get."""
        fields = cls.model_fields
        volatile = {n: fields[n].get_default(call_default_factory=True) for n in cls.VOLATILE if n in fields}
        return {**volatile, **dict.fromkeys(cls.secret_fields())}


class InSchema(Spec):
    """A spec of an object that lives in a schema and has a name there."""

    NAMES: ClassVar[tuple[Named, ...]] = (Named("Schema", ("schema_",)),)

    schema_: Name = Field(description="Schema that holds the object.")
    name: Name = Field(description="Name inside the schema.")

    def identity(self) -> tuple[str, ...]:
        return (self.schema_, self.name)


class OnRelation(Spec):
    """A spec of something that belongs to a table, view or aggregate and goes away with it."""

    NAMES: ClassVar[tuple[Named, ...]] = (Named("Relation", ("schema_", "relation")),)

    schema_: Name = Field(description="Schema of the relation.")
    relation: Name = Field(description="Table, hypertable or continuous aggregate it belongs to.")

    def identity(self) -> tuple[str, ...]:
        return (self.schema_, self.relation)

    def parent(self) -> Reference | None:
        return relation(self.schema_, self.relation)


OWNED = (*InSchema.NAMES, Named("Role", ("owner",)))
"""What an object in a schema names that has a declared owner."""


def relation(schema: str, name: str) -> Reference:
    """Any object in PostgreSQL's one namespace of relations: table, view, aggregate, sequence."""
    return Reference("Relation", (schema, name))
