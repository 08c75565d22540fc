"""The engine starts the plugin several times a run: nothing heavy may load before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("pulumi.output", "pulumi.resource", "psycopg", "psycopg_pool", "jinja2", "pydantic")

STARTED = """
import asyncio, json, sys
from pulumi_timescaledb.adapter import service
from pulumi_timescaledb.adapter.protocol import provider_pb2, plugin_pb2
from pulumi_timescaledb.adapter.wire import to_struct

async def main():
    started = service.Service("")
    {calls}

asyncio.run(main())
print(json.dumps(sorted(sys.modules)))
"""
NOTHING = "pass"
SCHEMA = "await started.GetPluginInfo(None, None); await started.GetSchema(None, None)"
HANDSHAKE = 'await started.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1"), None)'


def _loaded(calls: str) -> set[str]:
    program = [sys.executable, "-c", STARTED.replace("{calls}", calls)]
    done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("calls", [NOTHING, SCHEMA, HANDSHAKE], ids=["start", "schema", "handshake"])
def test_start_loads_nothing_heavy(calls: str) -> None:
    assert not _loaded(calls) & set(HEAVY)


def test_the_sdk_is_never_loaded() -> None:
    """Not even by what imports everything else that the plugin has."""
    everything = (
        "from pulumi_timescaledb.adapter import objects, manifest, seal, local; "
        "from pulumi_timescaledb.kinds import all_kinds; all_kinds()"
    )
    loaded = _loaded(everything)
    assert {"psycopg", "jinja2", "pydantic"} <= loaded
    assert not loaded & {"pulumi.output", "pulumi.resource"}


def test_the_plugin_says_its_port_and_nothing_else() -> None:
    command = [sys.executable, "-m", "pulumi_timescaledb.plugin", "127.0.0.1:1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as plugin:
        try:
            assert plugin.stdout is not None
            assert int(plugin.stdout.readline()) > 1024
        finally:
            plugin.terminate()
        assert plugin.stdout.read() == ""


def test_the_real_sdk_can_still_be_imported_after_the_protocol() -> None:
    """In one process, whichever comes first: a program's tests may load both."""
    for first, second in (("adapter.protocol", "sdk"), ("sdk", "adapter.protocol")):
        lines = {
            "adapter.protocol": "from pulumi_timescaledb.adapter.protocol import provider_pb2",
            "sdk": "import pulumi, pulumi.automation; pulumi.ResourceOptions()",
        }
        code = f"{lines[first]}; {lines[second]}; from pulumi.runtime.proto import provider_pb2 as p; "
        code += (
            "from pulumi_timescaledb.adapter.protocol import provider_pb2 as q; assert p.CheckRequest is q.CheckRequest"
        )
        subprocess.run([sys.executable, "-c", code], check=True)
