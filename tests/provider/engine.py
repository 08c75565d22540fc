"""A small Pulumi engine: calls the provider's service over gRPC as the real one does, and records what it is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from functools import cache
from typing import Any

import grpc
import psycopg
from google.protobuf import empty_pb2

from pulumi_timescaledb.adapter.protocol import engine_pb2_grpc, provider_pb2, provider_pb2_grpc
from pulumi_timescaledb.adapter.service import Service
from pulumi_timescaledb.adapter.wire import UNKNOWN, Secret, to_python, to_struct
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.specs import Spec

Failed = grpc.aio.AioRpcError
PATIENCE = 60  # seconds
WARNING = 2  # engine.proto, LogSeverity


@cache
def loop() -> asyncio.AbstractEventLoop:
    """One event loop in a thread of its own: grpc.aio wants a single one per process."""
    made = asyncio.new_event_loop()
    threading.Thread(target=made.run_forever, daemon=True, name="engine").start()
    return made


def start(work: Coroutine[Any, Any, Any]) -> Future[Any]:
    return asyncio.run_coroutine_threadsafe(work, loop())


class _Log(engine_pb2_grpc.EngineServicer):
    def __init__(self) -> None:
        self.requests: list[Any] = []

    async def Log(self, request: Any, context: Any) -> Any:
        self.requests.append(request)
        return empty_pb2.Empty()


class Engine:
    """One provider process as the engine sees it. `stack` and `settings` may differ between engines of a test."""

    def __init__(self, stack: str = "dev", **settings: Any) -> None:
        self.stack = stack
        self.settings = settings
        self.log = _Log()
        self.errors: list[str] = []
        start(self._start()).result(PATIENCE)
        if settings:
            self.call("Configure", args=to_struct(settings), acceptSecrets=True)

    async def _start(self) -> None:
        self._servers = [grpc.aio.server(), grpc.aio.server()]
        ports = [server.add_insecure_port("127.0.0.1:0") for server in self._servers]
        self.service = Service(f"127.0.0.1:{ports[0]}")
        engine_pb2_grpc.add_EngineServicer_to_server(self.log, self._servers[0])
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(self.service, self._servers[1])
        for server in self._servers:
            await server.start()
        self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{ports[1]}")
        self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)

    def close(self) -> None:
        async def end() -> None:
            await self.service.session.close()
            await self._channel.close()
            for server in self._servers:
                await server.stop(None)

        start(end()).result(PATIENCE)

    def said(self) -> str:
        """Everything the user was told: logs and errors."""
        return "\n".join([*(request.message for request in self.log.requests), *self.errors])

    def logs(self, *, ephemeral: bool = False) -> list[str]:
        """Messages that stay, or those that do not; warnings are none of them."""
        return [each.message for each in self.log.requests if each.ephemeral == ephemeral and each.severity < WARNING]

    def warnings(self) -> list[str]:
        """What the user was warned of."""
        return [each.message for each in self.log.requests if each.severity == WARNING]

    def connected(self) -> bool:
        """Whether the provider ever opened its database."""
        database = self.service.session._database
        return database is not None and database._pool is not None

    def begin(self, method: str, **fields: Any) -> Future[Any]:
        """A call under way."""
        request = getattr(provider_pb2, _REQUESTS.get(method, f"{method}Request"))(**fields)

        async def work() -> Any:
            return await getattr(self._stub, method)(request)

        return start(work())

    def call(self, method: str, **fields: Any) -> Any:
        """A call and its answer; an error is recorded and raised."""
        try:
            return self.begin(method, **fields).result(PATIENCE)
        except Failed as error:
            self.errors.append(error.details() or "")
            raise

    def cancel(self) -> None:
        async def work() -> None:
            await self._stub.Cancel(empty_pb2.Empty())

        start(work()).result(PATIENCE)

    def urn(self, spec_or_kind: Spec | str, name: str = "") -> str:
        kind = spec_or_kind if isinstance(spec_or_kind, str) else spec_or_kind.KIND
        name = name or (spec_or_kind.import_id() if isinstance(spec_or_kind, Spec) else kind.lower())
        return f"urn:pulumi:{self.stack}::flows::{_token(kind)}::{name}"

    def check(self, kind: str, new: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> tuple[Any, list[str]]:
        answer = self.call(
            "Check", urn=self.urn(kind), type=_token(kind), news=to_struct(new), olds=to_struct(old or {})
        )
        assert all(failure.property == "" for failure in answer.failures)
        return to_python(answer.inputs), [failure.reason for failure in answer.failures]

    def diff(self, kind: str, old: Mapping[str, Any], new: Mapping[str, Any], state: Mapping[str, Any] = {}) -> Any:
        return self.call(
            "Diff",
            urn=self.urn(kind),
            type=_token(kind),
            id="x",
            old_inputs=to_struct(old),
            olds=to_struct(state or old),
            news=to_struct(new),
        )

    def create(self, made: Resource, **fields: Any) -> dict[str, Any]:
        return to_python(self.call("Create", **self.creation(made, **fields)).properties)

    def creation(self, made: Resource, **fields: Any) -> dict[str, Any]:
        kind, name, inputs = _parts(made)
        return {"urn": self.urn(kind, name), "type": _token(kind), "properties": to_struct(inputs), **fields}

    def update(
        self, old: Resource, new: Resource, state: Mapping[str, Any] | None = None, **fields: Any
    ) -> dict[str, Any]:
        return to_python(self.call("Update", **self.updating(old, new, state), **fields).properties)

    def updating(self, old: Resource, new: Resource, state: Mapping[str, Any] | None = None) -> dict[str, Any]:
        kind, key, before = _parts(old)
        return {
            "urn": self.urn(kind, key),
            "type": _token(kind),
            "id": key,
            "old_inputs": to_struct(before),
            "news": to_struct(_parts(new)[2]),
            "olds": to_struct(state or before),
        }

    def delete(self, gone: Resource, **fields: Any) -> None:
        kind, key, inputs = _parts(gone)
        both = {"old_inputs": to_struct(inputs), "properties": to_struct(inputs)}
        self.call("Delete", urn=self.urn(kind, key), type=_token(kind), id=key, **both, **fields)

    def read(self, kind: str, key: str, known: Spec | None = None) -> tuple[str, dict[str, Any]]:
        """(id or "", inputs). Without `known` it is an import."""
        inputs = to_struct(known.to_wire() if known else {})
        answer = self.call("Read", urn=self.urn(kind, key), type=_token(kind), id=key, inputs=inputs, properties=inputs)
        return answer.id, to_python(answer.inputs)


_REQUESTS = {"CheckConfig": "CheckRequest", "DiffConfig": "DiffRequest", "Handshake": "ProviderHandshakeRequest"}


Resource = Spec | tuple[str, Mapping[str, Any]]
"""A declared object, or a kind and its inputs."""


def _parts(made: Resource) -> tuple[str, str, Mapping[str, Any]]:
    """(kind, id, inputs)."""
    return (
        (made.KIND, made.import_id(), made.to_wire()) if isinstance(made, Spec) else (made[0], made[0].lower(), made[1])
    )


def _token(kind: str) -> str:
    return kind if ":" in kind else f"timescaledb:index:{kind}"


def settings_of(server: EmbeddedServer, **more: Any) -> dict[str, Any]:
    """Provider configuration for an embedded server."""
    return {
        "host": str(server.socket_dir),
        "port": server.port,
        "user": "tsdbadmin",
        "embeddedFolder": str(server.folder),
        **more,
    }


@contextmanager
def engines(server: EmbeddedServer) -> Iterator[Any]:
    """`make(stack=..., **settings)`: engines on a server, closed at the end."""
    made: list[Engine] = []

    def make(stack: str = "dev", **more: Any) -> Engine:
        made.append(Engine(stack, **settings_of(server, **more)))
        return made[-1]

    try:
        yield make
    finally:
        for engine in made:
            engine.close()


def sql(server: EmbeddedServer, text: str) -> list[tuple[Any, ...]]:
    """Rows of the last statement, run behind the provider's back."""
    with psycopg.connect(server.dsn(), autocommit=True, prepare_threshold=None) as connection:
        cursor = connection.execute(text.encode())
        while cursor.nextset():
            pass
        return cursor.fetchall() if cursor.description else []


def wipe(server: EmbeddedServer) -> None:
    """An empty database again, the timescaledb extension aside."""
    rows = sql(
        server,
        "SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace WHERE nspname !~ '^(pg_|_?timescaledb)' "
        "AND nspname NOT IN ('information_schema', 'public') UNION ALL SELECT format('DROP OWNED BY %I; DROP ROLE %I', "
        "rolname, rolname) FROM pg_roles WHERE rolname !~ '^pg_' AND rolname NOT IN ('postgres', 'tsdbadmin')",
    )
    for (statement,) in rows:
        sql(server, statement)


__all__ = ["UNKNOWN", "Engine", "Failed", "Secret", "engines", "settings_of", "sql", "start", "wipe"]
