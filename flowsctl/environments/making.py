"""Making an environment: claim, database, schema, data, until its API answers."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from flowsctl import progress, pulumi_cli
from flowsctl.engine import Engine
from flowsctl.environments import on_server
from flowsctl.environments.claim import Wanted, claim
from flowsctl.environments.clone import clone
from flowsctl.environments.containers import EXTERNAL
from flowsctl.environments.phases import Clock
from flowsctl.environments.record import Environment
from flowsctl.environments.removal import remove
from flowsctl.environments.secrets_copy import copy_secrets
from flowsctl.errors import FlowsError
from flowsctl.stack_outputs import StackOutputs
from flowsctl.workspace import Workspace

ANSWER_SECONDS = 20.0


def make(root: Path, wanted: Wanted, say: Callable[[str], None], quiet: bool, unchanged: bool = False) -> Environment:
    """The environment, up and answering. What was begun is taken back where it cannot be finished or is interrupted. An
    `unchanged` clone stays as its origin is: nothing is applied, and it is this process's: once that has ended, however
    it ended, gc takes what is left.

    Raises:
        FlowsError: it could not be made.
    """
    clock = Clock()
    with clock.phase("claim"):
        made = claim(root, wanted)
    try:
        _build(root, made, clock, say, quiet, unchanged, wanted.disconnect)
    except BaseException:
        say(f'taking back what was made of environment "{made.name}"')
        remove(root, made)
        raise
    if unchanged:
        return made
    ready = replace(made.in_state("ready"), phases=clock.phases)
    ready.write(root)
    return ready


def _build(
    root: Path,
    made: Environment,
    clock: Clock,
    say: Callable[[str], None],
    quiet: bool,
    unchanged: bool,
    disconnect: bool,
) -> None:
    workspace = Workspace(root, made.stack)
    engine = open_engine(root, made.stack)
    origin = open_engine(root, made.origin)
    copy_secrets(origin, engine)
    if made.engine == EXTERNAL:
        with clock.phase("database"):
            on_server.make_database(engine, made, origin, disconnect=disconnect)
    if made.data == "clone":
        with clock.phase("clone"):
            say(f"copying the database of stack {made.origin}")
            clone(origin, engine, made.engine)
    if unchanged:
        return
    title = f"bringing up stack {made.stack}"
    with clock.up() as milestones, progress.shown(title, quiet=quiet, follow=False) as report:
        from flowsctl.database import start_early

        report.listen(milestones)
        start_early(workspace, made.engine)
        engine.up(report)
    with clock.phase("outputs"):
        outputs = StackOutputs.parse(engine.outputs(show_secrets=True), show_secrets=True)
    if made.data == "demo":
        with clock.phase("demo data"):
            _load_demo(workspace, outputs, quiet)
    with clock.phase("API"):
        wait_for(outputs)


def upgrade(root: Path, made: Environment, quiet: bool) -> None:
    """What the working tree declares now, applied to an environment. Raises FlowsError where it cannot be."""
    engine = open_engine(root, made.stack)
    with progress.shown(f"bringing up stack {made.stack}", quiet=quiet, follow=False) as report:
        engine.up(report, refresh=True)
    wait_for(StackOutputs.parse(engine.outputs(show_secrets=True), show_secrets=True))


def open_engine(root: Path, stack: str) -> Engine:
    """The engine for a stack of this tree."""
    return Engine(Workspace(root, stack), pulumi_cli.resolve(root, lambda text: print(text, file=sys.stderr)))


def _load_demo(workspace: Workspace, outputs: StackOutputs, quiet: bool) -> None:
    from flowsctl.database import connect
    from flowsctl.demo.load import carry_out, plan
    from flowsctl.demo.show import shown_progress

    with shown_progress(quiet=quiet) as show, connect(workspace, outputs) as connection:
        carry_out(connection, plan(DEMO_ESCOS, DEMO_METERS, DEMO_DAYS, 1, None), show, replace=False, measure=False)


DEMO_ESCOS, DEMO_METERS, DEMO_DAYS = 2, 10, 7
"""Enough to look at: an environment is asked for in seconds; `demo load --stack` loads more."""


def wait_for(outputs: StackOutputs) -> None:
    """Until the API has answered once. A refusal of our anonymous question (401) is an answer.

    Raises:
        FlowsError: it did not within ANSWER_SECONDS.
    """
    import http.client
    from urllib.parse import urlsplit

    if outputs.api is None:
        return
    where = urlsplit(outputs.api.url)
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", "/")
            if connection.getresponse().status < 500:
                return
        except OSError:
            pass
        finally:
            connection.close()
        if time.monotonic() > deadline:
            raise FlowsError(f"the API at {outputs.api.url} does not answer", "look at api.log in the stack's data")
        time.sleep(0.05)
