"""The same with the real thing: `flowsctl` in a copy of this tree, one of its processes killed at a random moment."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flows import declarations
from flowsctl.database import remove_local_processes
from flowsctl.locks import locks_of
from flowsctl.tree import copy_of_tree
from flowsctl.workspace import Workspace
from pulumi_timescaledb.local import process
from pulumi_timescaledb.whole import Whole
from tests.stack import two_escos
from tests.stack.conftest import Stack

from . import checks
from .engine import ROOT
from .run import declared
from .scenarios import flows, flows_later
from .servers import Embedded, scratch

VICTIMS = ("pulumi", "flowsctl", "provider", "server")
LATER = """

_everything = declarations


def declarations(settings=None):
    from tests.kills.scenarios import flows_later

    return flows_later(list(_everything(settings)))
"""
"""Put at the end of flows/__init__.py, it makes the model the one after the change."""
PATIENCE = 120.0
"""Seconds after which a process that should have ended counts as left running."""


@dataclass
class Killed:
    """What one command went through."""

    told: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def descendants(pid: int) -> list[int]:
    """Every process under `pid`, itself first."""
    found, waiting = [], [pid]
    while waiting:
        here = waiting.pop()
        found.append(here)
        for path in Path(f"/proc/{here}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                waiting += [int(child) for child in path.read_text().split()]
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _victims(victim: str, flowsctl: int, stack: Stack) -> list[int]:
    """The processes that die; none where there is none of that sort yet."""
    if victim == "flowsctl":
        return [flowsctl]
    if victim == "server":
        record = process.recorded(Workspace(stack.root, "local").data / "host.json")
        return [record.pid] if record else []
    marks = {"pulumi": "/pulumi ", "provider": "pulumi_timescaledb.plugin"}
    return [pid for pid in descendants(flowsctl)[1:] if marks[victim] in _command(pid)]


def killed(stack: Stack, chance: random.Random, longest: float, command: tuple[str, ...]) -> Killed:
    """One command, one of its processes killed within `longest` seconds; waits until all of it has ended."""
    result = Killed()
    victim, moment = chance.choice(VICTIMS), chance.uniform(0.3, longest)
    running = stack.start(*command)
    deadline = time.monotonic() + moment
    while time.monotonic() < deadline and running.poll() is None:
        time.sleep(0.01)
    family = {pid: identity for pid in descendants(running.pid) if (identity := process.identify(pid))}
    struck = _victims(victim, running.pid, stack)
    for pid in struck:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    result.told.append(f"{victim} after {moment:.2f} s of {' '.join(command)}" + ("" if struck else " (not there)"))
    try:
        running.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        result.faults.append(f"flowsctl hangs after {result.told[-1]}")
        running.kill()
        running.communicate()
    outliving = [pid for pid, identity in family.items() if not _gone(identity)]
    for pid in outliving:
        result.faults.append(f"left running after {result.told[-1]}: {_command(pid)[:120]}")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return result


def _gone(record: process.ProcessRecord) -> bool:
    """Whether a process of the command ends by itself. The server and the API are meant to stay."""
    deadline = time.monotonic() + PATIENCE
    while record.alive():
        if any(mark in _command(record.pid) for mark in ("host.mjs", "postgrest")):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@contextlib.contextmanager
def _stack() -> Iterator[Stack]:
    folder = scratch()
    stack = Stack(copy_of_tree(ROOT, folder))
    try:
        yield stack
    finally:
        remove_local_processes(Workspace(stack.root, "local"))
        shutil.rmtree(folder, ignore_errors=True)


def run(seed: int, kills: int) -> Iterator[tuple[str, Killed]]:
    """An up, an update and a destroy of stack `local`, each killed `kills` times; (name, what happened) of each."""
    chance = random.Random(f"{seed}:cli")
    with _stack() as stack:
        yield "cli-up", _up(stack, chance, kills)
        with stack.connect() as connection:
            two_escos.load(connection)
        server = Embedded(Workspace(stack.root, "local").data)
        relations = checks.columns(server, declarations())
        rows = checks.contents(server, relations)
        model = stack.root / "flows" / "__init__.py"
        model.write_text(model.read_text() + LATER)
        result = _up(stack, chance, kills)
        found = checks.contents(server, relations)
        result.faults += [f"{name}: {rows[name]} became {found[name]}" for name in rows if rows[name] != found[name]]
        yield "cli-update", result
        yield "cli-destroy", _destroy(stack, chance, kills)


def _struck(stack: Stack, chance: random.Random, kills: int, command: tuple[str, ...]) -> Killed:
    result = Killed()
    for _ in range(kills):
        one = killed(stack, chance, 8.0, command)
        result.told += one.told
        result.faults += one.faults
    return result


def _ended(stack: Stack, result: Killed, *command: str) -> bool:
    """Whether a command works now; it is a fault if not."""
    dead = [lock.pid for lock in locks_of(Workspace(stack.root, "local")) if lock.is_dead()]
    done = stack.ctl(*command, check=False)
    result.faults += [f"the lock of {pid} was not reported" for pid in dead if f"(process {pid}, " not in done.stderr]
    if done.returncode != 0:
        result.faults.append(f"flowsctl {' '.join(command)}: {done.returncode} {done.stderr.strip()[-600:]}")
    return done.returncode == 0


def _up(stack: Stack, chance: random.Random, kills: int) -> Killed:
    result = _struck(stack, chance, kills, ("up",))
    if not _ended(stack, result, "up"):
        return result
    report = stack.json("preview")
    different = {op: count for op, count in report["counts"].items() if op != "same" and count}
    if different:
        result.faults.append(f"the second preview is not empty: {different}")
    _ended(stack, result, "drift")
    for entry in json.loads(stack.ctl("history", "flows.circuits", "--json").stdout):
        if not (entry["at"] and entry["stack"].endswith("local") and entry["statements"]):
            result.faults.append(f"history: {entry}")
    with stack.connect() as connection:
        rows = connection.execute(b"SELECT kind || ' ' || id, step FROM pulumi_timescaledb.ledger").fetchall()
        twice = connection.execute(
            b"SELECT kind || ' ' || id FROM pulumi_timescaledb.history GROUP BY 1 "
            b"HAVING count(*) FILTER (WHERE verb = 'create') > 1"
        ).fetchall()
    result.faults += [f"left at step {step}: {name}" for name, step in rows if step]
    result.faults += [f"created twice: {name}" for (name,) in twice]
    if report["counts"].get("same", 0) < len(rows):
        result.faults.append(f"{len(rows)} objects in the ledger, fewer in the state: {report['counts']}")
    return result


def _destroy(stack: Stack, chance: random.Random, kills: int) -> Killed:
    result = _struck(stack, chance, kills, ("destroy", "--yes"))
    if not _ended(stack, result, "destroy", "--yes"):
        return result
    history = stack.root / ".flows" / "history" / "local.jsonl"
    result.faults += checks.exported_faults(history, declared(Whole(flows_later(flows()))))
    data = Workspace(stack.root, "local").data
    if process.recorded(data / "host.json") is not None:
        result.faults.append("the embedded server still runs")
    _ended(stack, result, "destroy", "--yes", "--purge")
    if (stack.root / ".flows").exists():
        result.faults.append(f"left: {[str(path) for path in (stack.root / '.flows').rglob('*')][:5]}")
    return result
