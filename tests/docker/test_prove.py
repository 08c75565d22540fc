"""A change of a stack in containers, proved on a copy: locks, waits of writers, rows; nothing left, however it ended.

The stack has a table with so many rows that its rewrite is seen, and old rows that a job would delete in the copy.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from components.containers.names import PROJECT_LABEL, STACK_LABEL
from flowsctl.containers.host import Host

from .stacks import DockerStack, docker_stack, edition_of, missing_plugins

pytestmark = [
    pytest.mark.docker,
    pytest.mark.xdist_group("docker prove"),
    pytest.mark.skipif(bool(missing_plugins()), reason=missing_plugins()),
]
METERS = 200_000
COLUMNS = """\
col("imsi", "text", "Subscriber identity of the SIM card."),
        col("tag", "uuid", "Mark of the meter.", default="gen_random_uuid()"),
        col("hardware", "text\""""
INDEX = """\
_SEED = (
    _index("meter_registry_firmware", "meter_registry", "firmware_version"),
"""
EDITS = {"flows/tables/meters.py": ('col("hardware", "text"', COLUMNS), "flows/keys.py": ("_SEED = (\n", INDEX)}
"""Two columns more, one of which needs the whole table to be written again, and an index."""
RETENTION = {
    "flows/settings.py": ('keep("meter_csq", "90 days")', 'keep("meter_csq", "60 days")'),
    "Pulumi.yaml": (
        'meterCsqRetention:\n    type: string\n    default: "90 days"',
        'meterCsqRetention:\n    type: string\n    default: "60 days"',
    ),
}
ROWS = """
SET session_replication_role TO replica;
INSERT INTO flows.meter_registry (serial, firmware_version)
SELECT 'EML' || n, 'v' || n % 40 FROM generate_series(1, {meters}) n;
INSERT INTO flows.meter_voltage (meter_id, timestamp, voltage)
SELECT id, now() - interval '20 years', 230 FROM flows.meter_registry LIMIT 1;
"""
OVERDUE = """
SELECT _timescaledb_functions.stop_background_workers();
SELECT public.alter_job(job_id, next_start => now() - interval '1 minute')
FROM timescaledb_information.jobs WHERE hypertable_name = 'meter_voltage' AND proc_name = 'policy_retention';
"""
"""The job that deletes the old row does not run in the stack, and would run at once in a copy that let it."""


@pytest.fixture(scope="module")
def stack(host: Host, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerStack]:
    edition = edition_of(host, image)
    config = {"engine": "docker", "edition": edition, "image": image, "memory": 1024, "disposable": "true"}
    config |= {"apiEnabled": "false", "backupEnabled": "false"}
    with docker_stack(host, tmp_path_factory.mktemp("tree"), config) as found:
        found.ctl("up")
        with psycopg.connect(dsn(found), autocommit=True) as session:
            session.execute(rows(METERS))
            if edition == "community":
                session.execute(OVERDUE)
        edit(found.root, EDITS | (RETENTION if edition == "community" else {}))
        yield found
        for name in copies(found):
            host.remove({PROJECT_LABEL: "flows", STACK_LABEL: name})


def edit(root: Path, edits: Mapping[str, tuple[str, str]]) -> None:
    for name, (old, new) in edits.items():
        text = (root / name).read_text()
        assert old in text
        (root / name).write_text(text.replace(old, new, 1))


def rows(meters: int) -> bytes:
    return ROWS.replace("{meters}", str(meters)).encode()


def dsn(stack: DockerStack) -> str:
    outputs = stack.json("outputs", "--show-secrets")
    return f"{outputs['database']['dsn']} password={outputs['secrets']['passwords']['tsdbadmin']}"


def copies(stack: DockerStack) -> list[str]:
    """Stacks of copies in the tree."""
    return [path.name for path in (stack.root / ".flows" / "stacks").glob("env-*")]


def nothing_left(stack: DockerStack) -> None:
    assert copies(stack) == []
    everything = stack.host.found({PROJECT_LABEL: "flows"})
    assert [name for _, name in everything if f"trial-of-{stack.name}" in name] == []


@pytest.fixture(scope="module")
def proved(stack: DockerStack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    files = tmp_path_factory.mktemp("reports")
    before = stack.things()
    began = time.monotonic()
    done = stack.ctl(
        "preview", "--prove", "--json-file", str(files / "pr.json"), "--markdown", str(files / "pr.md"), check=False
    )
    print(f"proved in {time.monotonic() - began:.0f} s\n{done.stdout}{done.stderr}")
    assert done.returncode == 2, done.stdout + done.stderr
    assert stack.things() == before
    print((files / "pr.md").read_text())
    return {**json.loads((files / "pr.json").read_text()), "comment": (files / "pr.md").read_text()}


def test_the_proof_holds(stack: DockerStack, proved: dict[str, Any]) -> None:
    proof = proved["proof"]
    assert proof["holds"]
    assert proof["secondPreview"] == proof["changedTables"] == proof["strongerThanPlanned"] == []
    assert proof["untouchedTables"] > 20
    nothing_left(stack)


def test_locks_are_those_of_the_steps_even_outside_transactions(proved: dict[str, Any]) -> None:
    locks = proved["proof"]["locks"]
    assert locks["Table flows.meter_registry"]["flows.meter_registry"] == "ACCESS EXCLUSIVE"
    index = locks["Index flows.meter_registry_firmware"]
    assert index["flows.meter_registry"] == "SHARE UPDATE EXCLUSIVE", "built concurrently, seen while it was"


def test_the_wait_for_a_rewrite_is_measured(proved: dict[str, Any]) -> None:
    waits = proved["proof"]["waits"]
    assert waits["note"].startswith("measured")
    wait = waits["tables"]["flows.meter_registry"]
    assert 0.1 < wait["seconds"] < 120
    assert wait["waitedFor"].startswith("Table flows.meter_registry: ALTER TABLE")
    assert 'ADD COLUMN "tag"' in wait["waitedFor"], "of two that are one transaction it is the one that rewrites"
    assert f"- a writer of `flows.meter_registry`: up to {wait['seconds']:.2f} s for <code>" in proved["comment"]


def test_the_stack_itself_is_as_it_was(stack: DockerStack, proved: dict[str, Any]) -> None:
    with psycopg.connect(dsn(stack), autocommit=True) as session:
        column = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'flows.meter_registry'::regclass AND attname = %s"
        assert session.execute(column, ["imsi"]).fetchone() == (0,)
        assert session.execute("SELECT count(*) FROM flows.meter_registry").fetchone() == (METERS,)


def test_another_place_on_the_command_line_is_refused(stack: DockerStack) -> None:
    done = stack.ctl("preview", "--prove", "--config", "databaseName=postgres", check=False)
    assert done.returncode == 1
    assert "--config databaseName names another place" in done.stderr
    nothing_left(stack)


def until_made(stack: DockerStack, kind: str) -> str:
    """Waits until a proof has made something of its copy on the host."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        for name in copies(stack):
            if any(found == kind for found, _ in stack.host.found({PROJECT_LABEL: "flows", STACK_LABEL: name})):
                return name
        time.sleep(0.1)
    raise AssertionError(f"no {kind} of a copy")


def until_engine(stack: DockerStack, name: str) -> None:
    """Waits until the engine works on the copy."""
    folder = stack.root / ".flows" / "state" / ".pulumi" / "locks" / "organization" / "flows" / name
    state = stack.root / ".flows" / "stacks" / name
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        if any(state.glob("run-*.yaml")) and any(folder.glob("*.json")):
            return
        time.sleep(0.1)
    raise AssertionError("the engine did not come to the copy")


def test_an_interrupted_proof_leaves_nothing(stack: DockerStack) -> None:
    process = stack.start("preview", "--prove")
    until_engine(stack, until_made(stack, "volume"))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=200)
    assert process.returncode == 130, err
    nothing_left(stack)


def test_gc_finds_what_a_killed_proof_left(stack: DockerStack) -> None:
    process = stack.start("preview", "--prove")
    name = until_made(stack, "container")
    due = stack.json("env", "gc", "--dry-run")["due"]
    assert name not in {each["stack"] for each in due}, "one that is at work is nobody's to take"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    report = stack.json("env", "gc")
    assert name in {each["stack"] for each in report["due"]}
    nothing_left(stack)
