"""A table: columns, keys, checks, comments, row-level-security flags."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from .base import OWNED, InSchema, Name, Named, Part, Reference, SqlText, SqlType, StorageParameters, relation
from .index import IndexKey


class Column(Part):
    """One column."""

    name: Name = Field(description="Column name.")
    type: SqlType = Field(description="Data type.")
    not_null: bool = Field(default=False, description="Whether NULL is refused.")
    default: SqlText | None = Field(default=None, description="Default expression.")
    identity: Literal["always", "by default"] | None = Field(default=None, description="GENERATED ... AS IDENTITY.")
    generated: SqlText | None = Field(default=None, description="Expression of a stored generated column.")
    collation: str | None = Field(default=None, description="Collation, as written in SQL.")
    comment: str | None = Field(default=None, description="COMMENT ON COLUMN.")
    previously: Name | None = Field(default=None, description="Old name: turns drop + add into RENAME COLUMN.")


class PrimaryKey(Part):
    """PRIMARY KEY."""

    name: Name = Field(description="Constraint name.")
    columns: tuple[Name, ...] = Field(description="Key columns in order.", min_length=1)
    deferrable: bool = Field(default=False, description="DEFERRABLE.")
    initially_deferred: bool = Field(default=False, description="INITIALLY DEFERRED.")


class Unique(Part):
    """UNIQUE constraint."""

    name: Name = Field(description="Constraint name.")
    columns: tuple[Name, ...] = Field(description="Columns in order.", min_length=1)
    nulls_not_distinct: bool = Field(default=False, description="Whether two NULLs collide (PostgreSQL 15 or newer).")
    deferrable: bool = Field(default=False, description="DEFERRABLE.")
    initially_deferred: bool = Field(default=False, description="INITIALLY DEFERRED.")


class Check(Part):
    """CHECK constraint."""

    name: Name = Field(description="Constraint name.")
    expression: SqlText = Field(description="Condition over the row.")
    validated: bool = Field(
        default=True, description="False leaves rows unchecked that were there before it (NOT VALID)."
    )


class ExclusionElement(IndexKey):
    """One column or expression of an exclusion constraint."""

    operator: SqlText = Field(description='Operator, as written in SQL: "=", "&&", "OPERATOR(app.@@)".')


class Exclusion(Part):
    """EXCLUDE constraint: no two rows for which all operators hold."""

    name: Name = Field(description="Constraint name.")
    elements: tuple[ExclusionElement, ...] = Field(description="What is compared, in order.", min_length=1)
    method: str = Field(default="gist", description="Access method of its index.")
    include: tuple[Name, ...] = Field(default=(), description="Columns carried along (INCLUDE).")
    where: SqlText | None = Field(default=None, description="Condition of the rows that are compared.")
    deferrable: bool = Field(default=False, description="DEFERRABLE.")
    initially_deferred: bool = Field(default=False, description="INITIALLY DEFERRED.")

    def columns(self) -> tuple[str, ...]:
        """Columns that it names outside expressions."""
        return (*(element.column for element in self.elements if element.column is not None), *self.include)


class Table(InSchema):
    """CREATE TABLE. Foreign keys, indexes, triggers, policies and rights are resources of their own."""

    KIND: ClassVar[str] = "Table"
    NAMES: ClassVar[tuple[Named, ...]] = OWNED

    columns: tuple[Column, ...] = Field(description="Columns in order.", min_length=1)
    primary_key: PrimaryKey | None = Field(default=None, description="Primary key.")
    unique: tuple[Unique, ...] = Field(default=(), description="Unique constraints.")
    checks: tuple[Check, ...] = Field(default=(), description="Check constraints.")
    exclusions: tuple[Exclusion, ...] = Field(default=(), description="Exclusion constraints.")
    row_level_security: bool = Field(default=False, description="ENABLE ROW LEVEL SECURITY.")
    force_row_level_security: bool = Field(default=False, description="FORCE: the owner obeys the policies too.")
    unlogged: bool = Field(
        default=False,
        description="UNLOGGED: writes skip the write-ahead log, so the table is empty after a crash of the server, on "
        "every standby and in every restore of a backup.",
    )
    parameters: StorageParameters = Field(
        default_factory=dict,
        description='Storage parameters, WITH (...), for example {"fillfactor": "70", "autovacuum_enabled": "false"}; '
        'those that begin with "toast." are set where it has a TOAST table. The chunks of a hypertable have them too; '
        'chunks made later do not get those of "toast." (TimescaleDB 2.29).',
    )
    rewrite_rules: tuple[Name, ...] = Field(
        default=(),
        description="Names of rewrite rules (CREATE RULE) on it that are left as they are. The provider makes none, "
        "and an update drops every other that it finds.",
    )
    owner: Name | None = Field(default=None, description="Owning role.")
    comment: str | None = Field(default=None, description="COMMENT ON TABLE.")
    previously: Name | None = Field(
        default=None, description="Old name in the same schema: turns the change into RENAME."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [column.name for column in self.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"columns occur twice: {', '.join(twice)}")
        keys = ([self.primary_key] if self.primary_key else []) + list(self.unique)
        named = [(key.name, key.columns) for key in keys] + [(each.name, each.columns()) for each in self.exclusions]
        for constraint, columns in named:
            unknown = [name for name in columns if name not in names]
            if unknown:
                raise ValueError(f'constraint "{constraint}" names unknown columns: {", ".join(unknown)}')
        constraints = [name for name, _ in named] + [check.name for check in self.checks]
        twice = sorted({name for name in constraints if constraints.count(name) > 1})
        if twice:
            raise ValueError(f"constraints occur twice: {', '.join(twice)}")
        return self

    def provides(self) -> Iterable[Reference]:
        yield relation(self.schema_, self.name)

    def sql_texts(self) -> Iterable[str]:
        for column in self.columns:
            yield column.type
            yield column.default or ""
            yield column.generated or ""
            yield column.collation or ""
        yield from (check.expression for check in self.checks)
        for exclusion in self.exclusions:
            yield exclusion.where or ""
            for element in exclusion.elements:
                yield element.operator
                yield from element.sql_texts()

    def comparable(self) -> Self:
        found = super().comparable()
        if all(column.previously is None for column in self.columns):
            return found
        columns = tuple(column.model_copy(update={"previously": None}) for column in self.columns)
        return found.model_copy(update={"columns": columns})

    def column(self, name: str) -> Column | None:
        """The column of that name, if there is one."""
        return next((column for column in self.columns if column.name == name), None)
