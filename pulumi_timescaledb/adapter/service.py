"""The gRPC service the engine calls."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2

from .. import __version__
from ..errors import Declined, ProviderError
from ..local.process import LocalServerError
from .handler import Call, Handler
from .protocol import plugin_pb2, provider_pb2, provider_pb2_grpc
from .session import EngineLog, Session
from .wire import bare, has_unknown, redact, secret_texts, to_python, to_struct

ORPHAN_POLL = 1.0
"""Seconds between two looks whether the engine still lives: a killed one says no goodbye."""
SCHEMA = Path(__file__).parents[1] / "plugin" / "schema.json"

_SPECIAL = {
    "timescaledb:index:Manifest": ("manifest", "ManifestHandler"),
    "timescaledb:index:Seal": ("seal", "SealHandler"),
    "timescaledb:local:Server": ("local", "ServerHandler"),
    "timescaledb:local:RestApi": ("local", "ApiHandler"),
}
"""Resources that are not objects of a database. Every other type is a kind, found by its name."""


class Service(provider_pb2_grpc.ResourceProviderServicer):
    """Translates; decides nothing. Handlers load when their type is first used."""

    def __init__(self, engine_address: str) -> None:
        self.session = Session(EngineLog(engine_address))
        self._handlers: dict[str, Handler] = {}

    def _handler(self, resource_type: str) -> Handler:
        if resource_type not in self._handlers:
            if resource_type in _SPECIAL:
                module, name = _SPECIAL[resource_type]
                made: Handler = getattr(importlib.import_module(f".{module}", __package__), name)()
            else:
                from .objects import ObjectHandler

                try:
                    made = ObjectHandler(resource_type.rsplit(":", 1)[-1])
                except LookupError as error:
                    raise ProviderError(str(error)) from None
            self._handlers[resource_type] = made
        return self._handlers[resource_type]

    async def Handshake(self, request: Any, context: Any) -> Any:
        self.session.log = EngineLog(request.engine_address)
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True, accept_outputs=False)

    async def Attach(self, request: Any, context: Any) -> Any:
        self.session.log = EngineLog(request.address)
        return empty_pb2.Empty()

    async def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=__version__)

    async def GetSchema(self, request: Any, context: Any) -> Any:
        text = SCHEMA.read_text(encoding="utf-8") if SCHEMA.exists() else "{}"
        return provider_pb2.GetSchemaResponse(schema=text)

    async def CheckConfig(self, request: Any, context: Any) -> Any:
        properties = to_python(request.news)
        response = provider_pb2.CheckResponse(inputs=request.news)
        if not has_unknown(properties):
            from ..connection import ConnectionSettings

            try:
                ConnectionSettings.from_wire(bare(properties))
            except ValueError as error:
                response.failures.append(provider_pb2.CheckFailure(property="", reason=str(error)))
        return response

    async def DiffConfig(self, request: Any, context: Any) -> Any:
        from .wire import changed_paths

        old, new = bare(to_python(request.old_inputs)), bare(to_python(request.news))
        return _difference(dict(changed_paths(old, new)), frozenset())

    async def Configure(self, request: Any, context: Any) -> Any:
        from ..connection import ConnectionSettings

        async def work() -> Any:
            try:
                self.session.configure(ConnectionSettings.from_wire(bare(to_python(request.args))))
            except ValueError as error:
                raise ProviderError(str(error)) from None
            return provider_pb2.ConfigureResponse(
                acceptSecrets=True, acceptResources=True, acceptOutputs=False, supportsPreview=True
            )

        return await self._guarded(context, frozenset(), work)

    async def Check(self, request: Any, context: Any) -> Any:
        call = Call(request.urn, _type(request), old=to_python(request.olds), new=to_python(request.news))

        async def work() -> Any:
            inputs, faults = await self._handler(call.type).check(self.session, call)
            # An empty property name: with one, the engine prints that property's whole value (DESIGN 4.1, checked).
            failures = [
                provider_pb2.CheckFailure(property="", reason=redact(fault, _secrets(call))) for fault in faults
            ]
            return provider_pb2.CheckResponse(inputs=to_struct(inputs), failures=failures)

        return await self._guarded(context, _secrets(call), work, urn=call.urn)

    async def Diff(self, request: Any, context: Any) -> Any:
        call = Call(
            request.urn,
            _type(request),
            request.id,
            old=to_python(request.old_inputs),
            new=to_python(request.news),
            state=to_python(request.olds),
        )

        async def work() -> Any:
            difference = await self._handler(call.type).diff(self.session, call)
            return _difference(difference.paths, difference.replaces)

        return await self._guarded(context, _secrets(call), work, urn=call.urn)

    async def Create(self, request: Any, context: Any) -> Any:
        call = Call(request.urn, _type(request), new=to_python(request.properties), preview=request.preview)

        async def work() -> Any:
            made, outputs = await self._handler(call.type).create(self.session, call)
            return provider_pb2.CreateResponse(id="" if call.preview else made, properties=to_struct(outputs))

        return await self._guarded(context, _secrets(call), work, request.timeout, call.urn)

    async def Update(self, request: Any, context: Any) -> Any:
        call = Call(
            request.urn,
            _type(request),
            request.id,
            old=to_python(request.old_inputs),
            new=to_python(request.news),
            state=to_python(request.olds),
            preview=request.preview,
        )

        async def work() -> Any:
            outputs = await self._handler(call.type).update(self.session, call)
            return provider_pb2.UpdateResponse(properties=to_struct(outputs))

        return await self._guarded(context, _secrets(call), work, request.timeout, call.urn)

    async def Delete(self, request: Any, context: Any) -> Any:
        call = Call(
            request.urn,
            _type(request),
            request.id,
            old=to_python(request.old_inputs),
            state=to_python(request.properties),
        )

        async def work() -> Any:
            await self._handler(call.type).delete(self.session, call)
            return empty_pb2.Empty()

        return await self._guarded(context, _secrets(call), work, request.timeout, call.urn)

    async def Read(self, request: Any, context: Any) -> Any:
        call = Call(
            request.urn,
            _type(request),
            request.id,
            old=to_python(request.inputs),
            state=to_python(request.properties),
        )

        async def work() -> Any:
            found = await self._handler(call.type).read(self.session, call)
            if found is None:
                return provider_pb2.ReadResponse()
            return provider_pb2.ReadResponse(
                id=found.id, inputs=to_struct(found.inputs), properties=to_struct(found.outputs)
            )

        return await self._guarded(context, _secrets(call), work, urn=call.urn)

    async def Cancel(self, request: Any, context: Any) -> Any:
        await self.session.close()
        return empty_pb2.Empty()

    async def _guarded(
        self,
        context: Any,
        secrets: frozenset[str],
        work: Callable[[], Awaitable[Any]],
        timeout: float = 0,
        urn: str = "",
    ) -> Any:
        """Runs `work`; what goes wrong reaches the user as one sentence without secrets."""
        settings = self.session.settings
        if settings is not None and settings.password:
            secrets |= {settings.password}
        try:
            async with asyncio.timeout(timeout or None):
                return await work()
        except (ProviderError, LocalServerError) as error:
            if isinstance(error, Declined):
                await self.session.log.declined(urn)
            await context.abort(grpc.StatusCode.UNKNOWN, redact(str(error), secrets))
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, f"not done after {timeout:.0f} s (customTimeouts)")
        except (asyncio.CancelledError, grpc.aio.AbortError):
            raise
        except Exception as error:  # a bug: name the place, keep values out
            trace = error.__traceback__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
            text = redact(f"{type(error).__name__} at {place}: {error}", secrets)
            await context.abort(grpc.StatusCode.UNKNOWN, text)


def _type(request: Any) -> str:
    """The resource's own type: the field where the engine sends it, else the last part of the URN's type chain."""
    return str(request.type or request.urn.split("::")[2].rsplit("$", 1)[-1])


def _secrets(call: Call) -> frozenset[str]:
    return frozenset(text for each in (call.old, call.new, call.state) for text in secret_texts(each) if len(text) > 3)


_KINDS: dict[str, Any] = {"add": 0, "delete": 2, "update": 4}


def _difference(paths: dict[str, str], replaces: frozenset[str]) -> Any:
    """Always detailed: without it `--diff` shows the whole old input as unchanged (ecosystem.md C5)."""
    top = list(dict.fromkeys(path.split(".")[0].split("[")[0] for path in paths))
    detailed = {
        path: provider_pb2.PropertyDiff(kind=_KINDS[verb] + (1 if path in replaces else 0), inputDiff=True)
        for path, verb in paths.items()
    }
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if paths else provider_pb2.DiffResponse.DIFF_NONE,
        diffs=top,
        replaces=[name for name in top if any(p == name or p.startswith((f"{name}.", f"{name}[")) for p in replaces)],
        detailedDiff=detailed,
        hasDetailedDiff=True,
    )


async def serve(engine_address: str) -> None:
    """Serves until the engine ends the process, or has itself been killed. Prints the port, which is all the engine
    wants on stdout."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)])
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Service(engine_address), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    if not engine_address:  # started by hand, for a debugger: its parent is no engine
        await server.wait_for_termination()
    engine = os.getppid()
    while os.getppid() == engine:
        await asyncio.sleep(ORPHAN_POLL)
    os._exit(1)  # at once: what is open is rolled back, and nobody is left to hear how it ends
