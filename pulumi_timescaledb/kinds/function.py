"""Functions and procedures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..catalog import Catalog, Row
from ..datatypes import normal_type
from ..hazards import Hazard
from ..settings import LIST_SETTINGS, setting_value
from ..specs.function import Argument, Function
from ..sqltext import qualified
from ..statement import Rebuild, Statement
from .base import Context, Kind, changed, comment_on, owner_of, rename, statement, without_public

_NOT_DEFINED_HERE = frozenset({"allow", "name", "owner", "comment", "previously"})
_MODES = {"i": "in", "o": "out", "b": "inout", "v": "variadic"}


class FunctionKind(Kind[Function]):
    """CREATE OR REPLACE wherever the server takes it: what callers bind to (names, modes, result) must stay."""

    spec = Function
    sources = ("function",)
    many = True

    def create(self, new: Function, context: Context) -> Iterator[Statement]:
        yield from _unchecked("off", new, context)
        yield _definition(new, replace=False)
        yield from _unchecked("on", new, context)
        signature = f"{new.name}({', '.join(new.input_types())})"
        yield from without_public("ROUTINE", _target(new), (new.schema_, "function", signature), context)
        yield from owner_of(_what(new), _target(new), None, new.owner)
        yield from comment_on(_what(new), _target(new), None, new.comment)

    def alter(self, old: Function, new: Function, context: Context) -> Iterator[Statement]:
        if old.procedure != new.procedure:
            raise Rebuild("a function cannot become a procedure, nor the other way round")
        if normal_type(old.returns or "void") != normal_type(new.returns or "void"):
            raise Rebuild("the result type of a function cannot be altered")
        if not _callers_stay(old.arguments, new.arguments):
            raise Rebuild("names, modes and defaults of a function's parameters cannot be taken away")
        yield from rename(_what(old), _target(old), old.name, new.name)
        if changed(old, new, *(set(Function.model_fields) - _NOT_DEFINED_HERE)):
            hazards: tuple[Hazard, ...] = ()
            if changed(old, new, "security_definer"):
                hazards = (Hazard("authorisation", "with whose rights it runs changes"),)
            yield from _unchecked("off", new, context)
            yield Statement(_definition(new, replace=True).sql, hazards=hazards)
            yield from _unchecked("on", new, context)
        yield from owner_of(_what(new), _target(new), old.owner, new.owner)
        yield from comment_on(_what(new), _target(new), old.comment, new.comment)

    def drop(self, old: Function, context: Context) -> Iterator[Statement]:
        yield statement("function/drop", what=_what(old), target=_target(old))

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], Function]:
        found = (_function(row) for row in catalog.rows("function"))
        return {function.identity(): function for function in found}


def _unchecked(switch: str, function: Function, context: Context) -> Iterator[Statement]:
    """A body that mentions what needs the function itself is not checked when it is made, as pg_dump does it too."""
    if context.whole is not None and function.reference() in context.whole.unordered:
        yield statement("function/check_bodies", switch=switch)


def _what(function: Function) -> str:
    return "PROCEDURE" if function.procedure else "FUNCTION"


def _target(function: Function) -> str:
    return f"{qualified(function.schema_, function.name)}({', '.join(function.input_types())})"


def _definition(function: Function, *, replace: bool) -> Statement:
    return statement(
        "function/create",
        function=function,
        what=_what(function),
        standard_body=function.has_standard_body(),
        settings={name: setting_value(name, text) for name, text in function.settings.items()},
        replace=replace,
    )


def _callers_stay(old: tuple[Argument, ...], new: tuple[Argument, ...]) -> bool:
    """Whether CREATE OR REPLACE takes the new parameters (PostgreSQL documentation, CREATE FUNCTION)."""
    return len(old) == len(new) and all(
        before.mode == after.mode
        and before.type == after.type
        and before.name in (None, after.name)
        and (before.default is None or after.default is not None)
        for before, after in zip(old, new, strict=True)
    )


def _function(row: Row) -> Function:
    settings = dict(setting.split("=", 1) for setting in row["settings"] or ())
    return Function(
        schema_=row["schema"],
        name=row["name"],
        procedure=row["procedure"],
        arguments=tuple(
            Argument(
                name=argument["name"] or None,
                type=argument["type"],
                mode=_MODES[argument["mode"]],
                default=argument["default"],
            )
            for argument in row["arguments"] or ()
        ),
        returns=row["returns"],
        language=row["language"],
        body=row["body"],
        volatility=row["volatility"],
        strict=row["strict"],
        security_definer=row["security_definer"],
        leakproof=row["leakproof"],
        parallel=row["parallel"],
        cost=row["cost"],
        rows=row["rows_"],
        settings={name: "" if name in LIST_SETTINGS and text == '""' else text for name, text in settings.items()},
        owner=row["owner"],
        comment=row["comment"],
    )
