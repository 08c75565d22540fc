"""Make the database and its API what the program declares, then say where they are."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowsctl.options import Options

if TYPE_CHECKING:
    from flowsctl.engine import Engine
    from flowsctl.report import Report
    from flowsctl.stack_outputs import StackOutputs

app = typer.Typer()


@app.command()
def up(
    ctx: typer.Context,
    plan: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Carry out exactly this reviewed plan (flowsctl plan --out), or refuse."
        ),
    ] = None,
    refresh: Annotated[
        bool | None,
        typer.Option(
            "--refresh/--no-refresh",
            help="Look at the database first, or do not; without either: where something was changed outside.",
        ),
    ] = None,
) -> None:
    """Make the database and its API what the program declares, then say where they are.

    What was changed in the database behind the program's back is put right. Exit code 0 done, 3 refused, 1 failed.
    """
    from flowsctl.database import start_early
    from flowsctl.looking import has_drifted
    from flowsctl.reach import demand_administrator
    from flowsctl.runs import carry_out
    from flowsctl.session import open_engine
    from flowsctl.stack_file import effective
    from flowsctl.stack_outputs import StackOutputs

    began = time.monotonic()
    options = Options.of(ctx)
    engine = open_engine(options)

    def more() -> dict[str, Any]:
        return {"outputs": StackOutputs.parse(engine.outputs(), show_secrets=False).as_json()}

    mends = False
    if plan is not None:
        from flowsctl.planning import hold_to

        mends = hold_to(engine, options, plan)

    def bring_up(report: Report) -> None:
        demand_administrator(options, must_answer=True)
        refuse_another_database(options, engine)
        start_stopped_containers(options, engine)
        look = mends or refresh
        if look is None:
            look = lost_its_processes(engine) or has_drifted(options)
        start_early(engine.workspace, str(effective(engine.workspace, "engine", options.config)))
        if serves_from_a_container(options):
            refuse_first(engine, report, refresh=bool(look))
        engine.up(report, refresh=bool(look))

    carry_out(options, f"bringing up stack {options.stack}", bring_up, planned=False, more=more)
    if not options.json:
        outputs = StackOutputs.parse(engine.outputs(), show_secrets=False)
        print("\n".join(farewell(options.stack, outputs, first_esco(engine, outputs))))
        print(f"\n{'API' if outputs.api else 'database'} ready after {time.monotonic() - began:.0f} s")


def refuse_another_database(options: Options, engine: Engine) -> None:
    """On the docker engine: the engine would refuse it as well, after it had replaced the server's container, which has
    the name in its command line; and a preview asks the database of the new name, which is not there."""
    from flowsctl.errors import EXIT_REFUSED, FlowsError
    from flowsctl.session import is_disposable, on_docker, read_config
    from flowsctl.stack_outputs import StackOutputs

    if not on_docker(options) or is_disposable(engine.workspace, options.config):
        return
    try:
        name = StackOutputs.parse(engine.outputs(), show_secrets=False).database.name
    except FlowsError:
        return
    _, config = read_config(options)
    if name != config.server.database_name:
        raise FlowsError(
            f"database {name} would be deleted for {config.server.database_name}: it is marked for protection",
            f"leave flows:databaseName at {name}; to move its rows to another name: flowsctl dump, flowsctl load",
            EXIT_REFUSED,
        )


def refuse_first(engine: Engine, report: Report, *, refresh: bool) -> None:
    """What is refused ends the run here. The update alone comes to most refusals only after it has replaced containers,
    so that the database would have restarted for nothing."""
    from flowsctl.errors import FlowsError
    from flowsctl.report import Report

    ahead = Report()
    try:
        engine.preview(ahead, refresh)
    except FlowsError:
        report.diagnostics, report.refused = ahead.diagnostics, ahead.refused
        raise


def serves_from_a_container(options: Options) -> bool:
    """Whether there is a database that an update could restart. One that does not answer is no reason to wait: the
    update may be what mends it, and a preview would stop for want of an answer."""
    from flowsctl.looking import answers
    from flowsctl.session import on_docker

    return on_docker(options) and answers(options)


def start_stopped_containers(options: Options, engine: Engine) -> None:
    """What was stopped, or did not come up with the machine, after what a killed run left and what is gone were seen
    to. Builds the images that are to be built here, too."""
    from flowsctl.session import has_containers, read_config

    if not has_containers(options):
        return
    workspace, config = read_config(options)
    from components.config import DOCKER
    from flowsctl.containers.settling import settle, settle_server
    from flowsctl.containers.stack import make_images, start_stopped

    make_images(config)
    half_made = settle(engine, workspace, config.server.docker_host)
    for name in start_stopped(workspace, config.server.docker_host):
        print(f"started container {name}", file=sys.stderr)
    if config.engine == DOCKER:
        settle_server(workspace, config.server.docker_host, half_made)


def lost_its_processes(engine: Engine) -> bool:
    """Whether embedded processes of an earlier run are gone, which only a refresh notices."""
    from flowsctl.database import has_stopped
    from flowsctl.errors import FlowsError
    from flowsctl.stack_outputs import StackOutputs

    if not engine.workspace.data.exists():
        return False
    try:
        return has_stopped(engine.workspace, StackOutputs.parse(engine.outputs(), show_secrets=False))
    except FlowsError:
        return False


def first_esco(engine: Engine, outputs: StackOutputs) -> str:
    """The code of some esco in the database; empty where there is none or the database cannot be asked."""
    from flowsctl.database import esco_codes
    from flowsctl.errors import FlowsError

    try:
        codes = esco_codes(engine.workspace, outputs)
    except FlowsError:
        return ""
    return codes[0] if codes else ""


def farewell(stack: str, outputs: StackOutputs, esco: str) -> list[str]:
    """Where things are and the next three things to try; without an esco the first of them makes some."""
    flag = "" if stack == "local" else f" --stack {stack}"
    lines = ["", f"database  {outputs.database.dsn}"]
    if outputs.api:
        lines.append(f"API       {outputs.api.url}")
    tries = [] if esco else [f"bin/flowsctl demo load{flag}"]
    if outputs.api:
        token = f"bin/flowsctl token --esco {esco or 'CODE'}{flag}"
        tries.append(f'curl -H "Authorization: Bearer $({token})" {outputs.api.url}/meter_registry')
    tries += [f"bin/flowsctl psql{flag}", f"bin/flowsctl preview{flag}"]
    return [*lines, "", "next, try:", *(f"  {line}" for line in tries[:3])]
