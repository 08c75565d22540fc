"""Whether changed SQL text means the same. The server is asked; texts are never compared (DESIGN 4.2, rule 8).

What is wanted is made in a schema that exists for that moment only, under its own name, read back as the server
writes it, and undone. Where the server writes both alike there is nothing to change, whatever the texts look like.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any
from zlib import crc32

import psycopg

from .catalog import SESSION
from .connection import Database
from .errors import StatementFailed, Unreachable, is_transient
from .executor import run, transaction
from .kinds import Context, Kind, kind_of
from .kinds.base import shown
from .render import render
from .snapshot import Snapshot, read_one
from .specs import Part, Spec
from .statement import Refused
from .whole import Whole

_OF_THE_PLACE = frozenset({"schema_", "owner"})
"""Fields that the trial object has for itself."""


def may_be_the_same(old: Spec, new: Spec) -> bool:
    """Whether the two differ in SQL texts, so that only the server can tell what really changes."""
    return old.identity() == new.identity() and list(old.sql_texts()) != list(new.sql_texts())


async def in_words_of(connection: Any, kind: Kind[Any], live: Spec, old: Spec, new: Spec, context: Context) -> Spec:
    """`old` with the words of `new` wherever the server writes both alike; `live` is its form of `old`. Where it
    cannot be asked (the text names what is not there yet, or we may not create a schema), `old` as it is.

    Raises:
        psycopg.Error: a transient failure.
    """
    if not may_be_the_same(old, new):
        return old
    wanted = await _trial(connection, kind, new, context)
    if wanted is None:
        return old
    same: dict[str, Any] = {}
    for name in type(new).model_fields.keys() - _OF_THE_PLACE - new.VOLATILE - new.secret_fields():
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            same[name] = _merged(getattr(live, name), getattr(wanted, name), before, after)
    return old.model_copy(update=same)


async def in_new_words(database: Database, snapshot: Snapshot, old: Whole, new: Whole) -> Whole:
    """The same for every object of a whole picture, for a plan of it."""
    differing = [spec for spec in old.specs.values() if _differs(spec, new.specs.get(spec.reference()))]
    if not differing:
        return old
    context = Context(await database.capabilities())
    worded = dict(old.specs)
    async with transaction(database, SESSION) as connection:
        for spec in differing:
            live = snapshot.find(spec.KIND, spec.identity())
            if live is not None:
                with suppress(psycopg.Error):  # a lock that somebody holds: planned from the texts
                    worded[spec.reference()] = await in_words_of(
                        connection, kind_of(spec.KIND), live, spec, new.specs[spec.reference()], context
                    )
    return Whole(worded.values())


def _differs(old: Spec, new: Spec | None) -> bool:
    return new is not None and may_be_the_same(old, new)


async def if_it_can_be_asked(database: Database, old: Spec, new: Spec) -> Spec:
    """The same for the preview of a single object: `old` as it is where the server cannot be asked now."""
    if not may_be_the_same(old, new) or database.gone() or not database.running():
        return old
    with suppress(psycopg.Error, Unreachable):
        kind, context = kind_of(new.KIND), Context(await database.capabilities())
        async with transaction(database, SESSION) as connection:
            live = await read_one(connection, kind, new, context.capabilities)
            if live is not None:
                return await in_words_of(connection, kind, live, old, new, context)
    return old


def _merged(live: Any, wanted: Any, before: Any, after: Any) -> Any:
    """`before`, or `after` where the server's forms are equal: as a whole or item by item."""
    if live == wanted:
        return after
    items = (live, wanted, before, after)
    if not all(isinstance(value, tuple) and all(isinstance(item, Part) for item in value) for value in items):
        return before
    by_key = [dict(_keyed(value)) for value in items]
    kept = []
    for key, item in by_key[2].items():
        forms = [found.get(key) for found in by_key]
        kept.append(forms[3] if forms[3] is not None and forms[0] is not None and forms[0] == forms[1] else item)
    return tuple(kept)


def _keyed(items: Iterable[Part]) -> Iterable[tuple[Any, Part]]:
    """Items of a list by name, or by position where they have none."""
    return ((getattr(item, "name", None) or position, item) for position, item in enumerate(items))


async def _trial(connection: Any, kind: Kind[Any], new: Spec, context: Context) -> Spec | None:
    """The server's form of `new`, made and undone; None where it cannot be made."""
    schema = f"pulumi_timescaledb_{crc32(str(new.reference()).encode()):08x}"
    spec = new.without_secrets().model_copy(update=_here(new, schema))
    # Whatever the kind does about locks has no place here.
    alone = Context(replace(context.capabilities, concurrent_index=False))
    try:
        statements = kind.plan(None, spec, alone)
    except Refused:
        return None
    if not all(statement.transactional for statement in statements):
        return None
    try:
        relation = getattr(new, "relation", None)
        place = render("catalog/trial", schema=schema, source=getattr(new, "schema_", None), relation=relation)
        await connection.execute(f"SAVEPOINT trial;\n{place}".encode())
        await run(connection, statements, shown(new))
        found = await read_one(connection, kind, spec, context.capabilities)
    except (psycopg.Error, StatementFailed) as error:
        if connection.closed:
            raise
        await connection.execute(b"ROLLBACK TO SAVEPOINT trial")
        if is_transient(error):
            raise
        return None
    await connection.execute(b"ROLLBACK TO SAVEPOINT trial")
    return found


def _here(spec: Spec, schema: str) -> dict[str, Any]:
    """Changes that put a spec into the trial's schema, owned by whoever makes it and empty."""
    changes: dict[str, Any] = {"schema_": schema, "owner": None, "with_data": False}
    return {name: value for name, value in changes.items() if name in type(spec).model_fields}
