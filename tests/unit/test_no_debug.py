"""What the program tells the engine, over a real connection."""

from __future__ import annotations

import contextvars
from concurrent.futures import ThreadPoolExecutor

import grpc
import pulumi
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc
from pulumi.runtime.settings import SETTINGS, get_engine

from flowsctl.no_debug import no_debug


class Recorder(engine_pb2_grpc.EngineServicer):
    def __init__(self) -> None:
        self.heard: list[tuple[int, str]] = []

    def Log(self, request: engine_pb2.LogRequest, context: object) -> empty_pb2.Empty:
        self.heard.append((request.severity, request.message))
        return empty_pb2.Empty()


@pytest.mark.parametrize("quiet", [False, True])
def test_debug_messages_alone_are_kept_back(quiet: bool) -> None:
    engine = Recorder()
    server = grpc.server(ThreadPoolExecutor(1))
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()

    def program() -> None:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            SETTINGS.engine = engine_pb2_grpc.EngineStub(channel)
            if quiet:
                no_debug()
            pulumi.log.debug("of no use")
            pulumi.log.warn("look here")
            pulumi.log.error("this failed")

    before = get_engine()
    contextvars.copy_context().run(program)
    SETTINGS.engine = before
    server.stop(None).wait()
    told = [(engine_pb2.WARNING, "look here"), (engine_pb2.ERROR, "this failed")]
    assert engine.heard == (told if quiet else [(engine_pb2.DEBUG, "of no use"), *told])


def test_without_an_engine_there_is_nothing_to_keep_back() -> None:
    def program() -> None:
        SETTINGS.engine = None
        no_debug()
        assert get_engine() is None

    contextvars.copy_context().run(program)
