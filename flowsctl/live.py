"""Looking at a stack's database through the provider's own eyes, without the engine and without the Pulumi command:
where the database is follows from the stack's config."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from flowsctl.errors import FlowsError
from flowsctl.options import Options
from pulumi_timescaledb.connection import Database
from pulumi_timescaledb.errors import ProviderError

T = TypeVar("T")


def ask(options: Options, question: Callable[[Database], Awaitable[T]]) -> T:
    """The answer of the stack's database to `question`; an embedded server is started if it does not run.

    Raises:
        FlowsError: the stack is not up, or the database does not answer.
    """
    from components import place
    from flowsctl.session import read_config

    workspace, config = read_config(options)
    settings = place.connection(config, workspace.root, workspace.stack)
    if Database(settings).gone():
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
