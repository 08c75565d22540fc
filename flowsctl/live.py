"""Looking at a stack's database through the provider's own eyes, without the engine and without the Pulumi command:
where the database is follows from the stack's config."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from flowsctl.errors import FlowsError
from flowsctl.options import Options
from pulumi_timescaledb.capabilities import ServerCapabilities
from pulumi_timescaledb.connection import Database
from pulumi_timescaledb.errors import ProviderError

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")


def ask(options: Options, question: Callable[[Database], Awaitable[T]]) -> T:
    """The answer of the stack's database to `question`; an embedded server is started if it does not run.

    Raises:
        FlowsError: the stack is not up, or the database does not answer.
    """
    from flowsctl import reach
    from flowsctl.session import read_config

    workspace, config = read_config(options)
    settings = reach.connection(options, workspace, config)
    if not reach.is_there(workspace, config, settings):
        raise FlowsError(f"stack {options.stack} is not up", "run flowsctl up")

    async def asked() -> T:
        database = Database(settings)
        try:
            return await question(database)
        finally:
            await database.close()

    try:
        return asyncio.run(asked())
    except ProviderError as error:
        raise FlowsError(str(error), "run flowsctl up, or look at the server") from error


def reach(options: Options) -> tuple[dict[str, Any], ServerCapabilities]:
    """Arguments for psycopg that lead to the stack's database, which runs, and what the server can do.

    Raises:
        FlowsError: the stack is not up, or the database does not answer.
    """

    async def reached(database: Database) -> tuple[dict[str, Any], ServerCapabilities]:
        capabilities = await database.capabilities()
        return database.settings.conninfo() | {"application_name": "flowsctl"}, capabilities

    return ask(options, reached)


def connect(options: Options) -> tuple[psycopg.Connection[tuple[Any, ...]], ServerCapabilities]:
    """A connection of one's own to the stack's database, in autocommit, and what the server can do.

    Raises:
        FlowsError: the stack is not up, or the database does not answer.
    """
    import psycopg

    conninfo, capabilities = reach(options)
    try:
        connection = psycopg.connect(
            **conninfo,
            autocommit=True,
            prepare_threshold=None,  # the embedded server pools by transaction: no named prepared statements
        )
    except psycopg.OperationalError as error:
        reason = " ".join(str(error).split())
        raise FlowsError(f"the database does not answer: {reason}", "run flowsctl up, or look at the server") from error
    return connection, capabilities
