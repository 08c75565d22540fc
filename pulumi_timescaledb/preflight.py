"""Whether the server is one that the declarations can be made on: asked before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg

from .capabilities import ServerCapabilities, version_tuple
from .connection import Database
from .errors import LibraryMissing
from .executor import query, retried, run_alone
from .kinds import Context, kind_of
from .manifest import violations
from .render import render
from .specs.extension import Extension
from .sqltext import ident
from .statement import Statement

if TYPE_CHECKING:
    from .whole import Whole

NAME = "timescaledb"


def assumed(whole: Whole | None) -> ServerCapabilities:
    """What a server is taken to be that nobody has asked yet: a current one of the declared edition."""
    extension = whole.get("Extension", NAME) if whole is not None else None
    return ServerCapabilities(community=getattr(extension, "edition", None) != "apache")


async def capabilities(database: Database, whole: Whole) -> ServerCapabilities:
    """What the server can do by the time of the declared objects: the first of them may make the extension."""
    found = await database.capabilities()
    extension = whole.get("Extension", NAME)
    if found.timescaledb is not None or not isinstance(extension, Extension):
        return found
    async with database.connection() as connection:
        rows = await query(connection, render("catalog/timescaledb_available"))
    version = extension.version or (rows[0]["default_version"] if rows else None)
    if version is None:
        return found
    coming = replace(found, timescaledb=version_tuple(version), background_workers=found.concurrent_index)
    if not found.concurrent_index:
        return replace(coming, community=True)  # the embedded server, which is built with it
    return await _tried(database, extension, replace(coming, community=assumed(whole).community))


async def _tried(database: Database, extension: Extension, coming: ServerCapabilities) -> ServerCapabilities:
    """With the edition, which only the extension's library tells: it is loaded by making the extension in a transaction
    that is taken back, in a session of its own."""
    version = f" VERSION {ident(extension.version)}" if extension.version else ""
    try:
        async with database.session(lock_timeout=database.settings.lock_timeout) as connection:
            await connection.execute(f"BEGIN; CREATE EXTENSION {NAME}{version}".encode())
            license = (await query(connection, "SELECT current_setting('timescaledb.license', true) AS name"))[0]
            await connection.execute("ROLLBACK")
    except psycopg.Error as error:  # FATAL where the library is not preloaded; else we are told when it is made
        return replace(coming, preloaded=()) if "preload" in str(error) else coming
    return replace(coming, community=license["name"] == "timescale")


async def catch_up(database: Database, whole: Whole) -> Statement | None:
    """Updates the extension to its declared version where the server's files have no library of the one it has, so that
    nothing else can be asked or done. What was run; None: there was no need.

    Raises:
        LibraryMissing: no version is declared that the server's files can update it to.
        StatementFailed: the server refused.
    """
    statement = await behind(database, whole)
    if statement is not None:
        await retried(lambda: run_alone(database, statement, f"Extension {NAME}"))
        database.forget_capabilities()
    return statement


async def behind(database: Database, whole: Whole) -> Statement | None:
    """What `catch_up` would run."""
    try:
        async with database.connection():
            return None
    except LibraryMissing as missing:
        extension = whole.get("Extension", NAME)
        if not isinstance(extension, Extension) or extension.version is None:
            raise
        missing.refuse(extension.version)
        (statement,) = kind_of("Extension").plan(Extension(name=NAME), extension, Context())
        return statement


async def examine(
    database: Database, whole: Whole, *, server_changes: bool = False
) -> tuple[ServerCapabilities, list[str]]:
    """What the server can do, and every reason, as a sentence, why the declarations cannot be made on it.
    `server_changes`: another one is about to take its place, so only what that cannot mend either is held against it.

    Raises:
        Unreachable: it cannot be reached.
    """
    found = await capabilities(database, whole)
    if server_changes:
        found = coming(found, whole)
    return found, [*violations(whole, found), *await _extensions(database, whole, server_changes)]


def coming(found: ServerCapabilities, whole: Whole) -> ServerCapabilities:
    """What a server is taken to be that comes in the place of one that was asked: of the declared version and edition.
    It is asked itself before anything is changed on it."""
    extension = whole.get("Extension", NAME)
    if not isinstance(extension, Extension):
        return found
    if extension.version is not None:
        found = replace(found, timescaledb=version_tuple(extension.version))
    return replace(found, community=extension.edition != "apache") if extension.edition is not None else found


async def _extensions(database: Database, whole: Whole, server_changes: bool) -> list[str]:
    """Extensions, or versions of them, that are not installed on the machine."""
    declared = [spec for spec in whole.of_kind("Extension") if isinstance(spec, Extension)]
    if not declared:
        return []
    async with database.connection() as connection:
        rows = await query(connection, render("catalog/extension_versions", names=[spec.name for spec in declared]))
    found = {row["name"]: row for row in rows}
    return list(_downgrades(declared, found) if server_changes else _missing(declared, found))


def _missing(declared: list[Extension], found: dict[str, Any]) -> Iterator[str]:
    for extension in declared:
        row = found.get(extension.name)
        if row is None:
            yield (
                f"Extension {extension.name}: the server does not have it. Install its package on the server's machine "
                "(in its image), or do not declare it."
            )
        elif extension.version is not None and extension.version not in row["versions"]:
            yield (
                f"Extension {extension.name}: version {extension.version} is declared, and the server's files have "
                f"{row['default_version']}. Install the package of {extension.version} (in its image), or declare a "
                "version that is there."
            )
        elif row["installed_version"] not in (None, extension.version) and extension.version not in (
            None,
            *(row["reachable"] or ()),
        ):
            yield _no_way(extension, row["installed_version"])


def _downgrades(declared: list[Extension], found: dict[str, Any]) -> Iterator[str]:
    """What no other files can mend. Versions of other extensions than TimescaleDB have no order that is known."""
    for extension in declared:
        has = found[extension.name]["installed_version"] if extension.name in found else None
        if extension.name != NAME or has is None or extension.version is None:
            continue
        if version_tuple(extension.version) < version_tuple(has):
            yield _no_way(extension, has)


def _no_way(extension: Extension, has: str) -> str:
    return (
        f"Extension {extension.name}: no update leads from version {has}, which is installed, to {extension.version}. "
        f"Extensions have no downgrade: declare {has} or a later version, or restore a backup into a server of that "
        "version."
    )
