"""A function or procedure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from ..datatypes import normal_type
from ..sqltext import display, parse_display, split_outside_quotes
from .base import OWNED, InSchema, Name, Named, NamedTexts, Part, SqlText, SqlType

_FUNCTIONS_ONLY = ("volatility", "strict", "leakproof", "parallel", "cost", "rows")
_MODIFIER = re.compile(r"\(\s*-?\d+(\s*,\s*-?\d+)?\s*\)")
_STANDARD_BODY = re.compile(r"\s*(BEGIN\s+ATOMIC|RETURN)\b", re.IGNORECASE)


class Argument(Part):
    """One parameter."""

    name: Name | None = Field(default=None, description="Parameter name.")
    type: SqlType = Field(description="Data type, without length or precision: the server ignores them here.")
    mode: Literal["in", "out", "inout", "variadic"] = Field(default="in", description="Parameter mode.")
    default: SqlText | None = Field(default=None, description="Default expression.")

    @field_validator("type")
    @classmethod
    def _no_modifier(cls, text: str) -> str:
        if _MODIFIER.search(re.sub(r'"(?:[^"]|"")*"', "", text)):
            raise ValueError(f'the server drops length and precision of a parameter, so write "{text}" without them')
        return text


class Function(InSchema):
    """CREATE FUNCTION or CREATE PROCEDURE. Overloads are told apart by their input types."""

    KIND: ClassVar[str] = "Function"
    NAMES: ClassVar[tuple[Named, ...]] = OWNED

    procedure: bool = Field(default=False, description="A procedure, run by CALL.")
    arguments: tuple[Argument, ...] = Field(default=(), description="Parameters in order.")
    returns: SqlText | None = Field(
        default=None, description='Result as after RETURNS: "trigger", "TABLE(id uuid)"; None for procedures.'
    )
    language: str = Field(default="plpgsql", description="Language: sql, plpgsql, or another that is installed.")
    body: str = Field(
        description="Text between the dollar quotes; in SQL also a bare BEGIN ATOMIC ... END or RETURN ... body."
    )
    volatility: Literal["volatile", "stable", "immutable"] = Field(
        default="volatile",
        description="immutable: same arguments, same result, always; stable: within one statement; volatile: neither.",
    )
    strict: bool = Field(default=False, description="RETURNS NULL ON NULL INPUT.")
    security_definer: bool = Field(
        default=False, description="Run with the owner's rights. Give search_path in `settings`."
    )
    leakproof: bool = Field(
        default=False, description="LEAKPROOF: tells nothing of its arguments but by its result; a superuser's word."
    )
    parallel: Literal["unsafe", "restricted", "safe"] = Field(
        default="unsafe",
        description="safe: any parallel worker may run it; restricted: only the leader; unsafe: no parallel plan.",
    )
    cost: float | None = Field(
        default=None, gt=0, description="COST in units of cpu_operator_cost; the server's default when absent."
    )
    rows: float | None = Field(default=None, gt=0, description="ROWS of a set; the server's default when absent.")
    settings: NamedTexts = Field(default_factory=dict, description='SET clauses, for example {"search_path": ""}.')
    owner: Name | None = Field(default=None, description="Owning role.")
    comment: str | None = Field(default=None, description="COMMENT ON FUNCTION.")
    previously: Name | None = Field(
        default=None,
        description="Old name in the same schema, the parameters being the same: turns the change into RENAME.",
    )

    @model_validator(mode="after")
    def _result(self) -> Self:
        if self.procedure and self.returns is not None:
            raise ValueError("a procedure has no returns")
        if self.procedure and any(
            getattr(self, name) != type(self).model_fields[name].default for name in _FUNCTIONS_ONLY
        ):
            raise ValueError(f"a procedure has none of {', '.join(_FUNCTIONS_ONLY)}")
        if not self.procedure and self.returns is None:
            raise ValueError('a function needs returns ("void" if there is no result)')
        return self

    def input_types(self) -> tuple[str, ...]:
        """Types that tell overloads apart, in order."""
        return tuple(argument.type for argument in self.arguments if argument.mode != "out")

    def identity(self) -> tuple[str, ...]:
        return (self.schema_, self.name, ", ".join(self.input_types()))

    def import_id(self) -> str:
        return f"{display(self.schema_, self.name)}({', '.join(self.input_types())})"

    @classmethod
    def parse_id(cls, text: str) -> tuple[str, ...]:
        head, *tail = split_outside_quotes(text, "(", 1)
        if not tail or not tail[0].endswith(")"):
            raise ValueError(f"not a function signature like flows.f(text, integer): {text!r}")
        types = tail[0][:-1].strip()
        signature = [normal_type(each) for each in split_outside_quotes(types, ",")] if types else []
        return (*parse_display(head), ", ".join(signature))

    def sql_texts(self) -> Iterable[str]:
        for argument in self.arguments:
            yield argument.type
            yield argument.default or ""
        yield self.returns or ""
        if self.has_standard_body():
            yield self.body

    def has_standard_body(self) -> bool:
        """Whether the body is SQL without quotes around it, which the server parses, and keeps track of, at once."""
        return self.language == "sql" and _STANDARD_BODY.match(self.body) is not None

    def body_texts(self) -> Iterable[str]:
        if self.language in ("sql", "plpgsql") and not self.has_standard_body():
            yield self.body
