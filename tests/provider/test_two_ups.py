"""Two updates at once on one database, each in a plugin process of its own: one waits, or fails with a sentence."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from pulumi_timescaledb.adapter.protocol import provider_pb2, provider_pb2_grpc
from pulumi_timescaledb.adapter.wire import to_struct
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.whole import Whole

from .engine import Engine, Failed, loop, settings_of, sql
from .test_rename import OLD, RENAMED, settled

pytestmark = pytest.mark.server
Make = Callable[..., Engine]
TOKEN = "timescaledb:index:"


@contextmanager
def plugin() -> Iterator[int]:
    """A plugin process as the engine starts it; gives its port."""
    command = [sys.executable, "-m", "pulumi_timescaledb.plugin", "127.0.0.1:1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ}) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


async def up(port: int, server: EmbeddedServer, old: Sequence[Spec], new: Sequence[Spec], stack: str) -> list[str]:
    """An update as the engine makes it, up to the first error; what was said."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = provider_pb2_grpc.ResourceProviderStub(channel)

        async def call(method: str, kind: str, name: str, **fields: Any) -> Any:
            request = getattr(provider_pb2, f"{method}Request")
            urn = f"urn:pulumi:{stack}::flows::{TOKEN}{kind}::{name}"
            return await getattr(stub, method)(request(urn=urn, type=TOKEN + kind, **fields))

        await stub.Configure(provider_pb2.ConfigureRequest(args=to_struct(settings_of(server)), acceptSecrets=True))
        manifest = {name: to_struct({"declarations": Whole(specs).pack()}) for name, specs in (("o", old), ("n", new))}
        try:
            checked = await call("Check", "Manifest", "manifest", olds=manifest["o"], news=manifest["n"])
            if checked.failures:
                return [failure.reason for failure in checked.failures]
            await call("Create", "Manifest", "manifest", properties=manifest["n"])
            for number, spec in enumerate(new):
                wire, name = to_struct(spec.to_wire()), spec.import_id()
                if old:
                    before = to_struct(old[number].to_wire())
                    await call("Update", spec.KIND, name, id=name, old_inputs=before, olds=before, news=wire)
                else:
                    await call("Create", spec.KIND, name, properties=wire)
        except Failed as error:
            return [error.details() or ""]
    return []


def both(server: EmbeddedServer, old: Sequence[Spec], new: Sequence[Spec], stacks: tuple[str, str]) -> list[list[str]]:
    with plugin() as first, plugin() as second:

        async def work() -> list[list[str]]:
            return list(
                await asyncio.gather(
                    *(up(p, server, old, new, s) for p, s in zip((first, second), stacks, strict=True))
                )
            )

        return asyncio.run_coroutine_threadsafe(work(), loop()).result(180)


def test_of_one_stack_the_second_waits_and_finds_it_done(make: Make, server: EmbeddedServer) -> None:
    assert both(server, [], OLD, ("dev", "dev")) == [[], []]
    verbs = Counter(row[0] for row in sql(server, "SELECT verb FROM pulumi_timescaledb.history"))
    assert verbs == {"create": len(OLD)}
    new = RENAMED["all of them"][1]
    assert both(server, OLD, new, ("dev", "dev")) == [[], []]
    assert sql(server, "SELECT count(*) FROM pulumi_timescaledb.history WHERE verb = 'rename'") == [(3,)]
    settled(make, server, new)


def test_of_two_stacks_one_fails_and_says_whose_it_is(make: Make, server: EmbeddedServer) -> None:
    said = both(server, [], OLD, ("dev", "prod"))
    (told,) = [each for each in said if each]
    assert len(said) == 2
    assert 'belongs to stack "flows/' in told[0]
    assert len(sql(server, "SELECT DISTINCT stack FROM pulumi_timescaledb.ledger")) == 1
    assert sql(server, "SELECT count(*) FROM pulumi_timescaledb.ledger") == [(len(OLD),)]
