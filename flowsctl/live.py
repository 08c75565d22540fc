"""Looking at a stack's database through the provider's own eyes, without the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from flowsctl.errors import FlowsError
from flowsctl.options import Options
from flowsctl.session import open_engine
from pulumi_timescaledb.connection import ConnectionSettings, Database
from pulumi_timescaledb.errors import ProviderError
from pulumi_timescaledb.local.server import EmbeddedServer

T = TypeVar("T")


def ask(options: Options, question: Callable[[Database], Awaitable[T]]) -> T:
    """The answer of the stack's database to `question`; an embedded server is started if it does not run.

    Raises:
        FlowsError: the stack is not up, or the database does not answer.
    """
    from flowsctl.stack_outputs import StackOutputs

    engine = open_engine(options)
    outputs = StackOutputs.parse(engine.outputs(show_secrets=True), show_secrets=True)
    place, embedded = outputs.database, outputs.engine == "embedded"
    settings = ConnectionSettings(
        # The socket's place follows from the folder, which a renamed stack has moved.
        host=str(EmbeddedServer(engine.workspace.data).socket_dir) if embedded else place.host,
        port=place.port,
        user=place.user,
        password=outputs.passwords.get(place.user, ""),
        database=place.name,
        embedded_folder=str(engine.workspace.data) if embedded else "",
    )

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
