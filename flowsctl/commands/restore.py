"""Restore from the backups: the whole database into a new one, or one table into the live one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from flowsctl.options import Options

if TYPE_CHECKING:
    from flowsctl.containers.host import Host

app = typer.Typer()
To = Annotated[str, typer.Option("--to", help="latest, a time (ISO 8601; UTC without a zone), or a backup's label.")]
Name = Annotated[str, typer.Argument(help="Name of a restored copy.", show_default=False)]


@app.callback(invoke_without_command=True)
def restore(
    ctx: typer.Context,
    to: To = "",
    into: Annotated[str, typer.Option("--into", help="Name of the new environment; nothing of it may exist.")] = "",
) -> None:
    """Restore from the backups: --to latest --into NAME makes a copy in which nothing runs, beside the stack. Exit code
    0: as the ledger says, 2: rows are missing."""
    if ctx.invoked_subcommand is not None:
        return
    import time

    from flowsctl.containers.host import Host
    from flowsctl.errors import UsageError
    from flowsctl.restoring import told
    from flowsctl.restoring.judging import judge
    from flowsctl.restoring.making import make
    from flowsctl.restoring.origin import origin_of
    from flowsctl.restoring.target import parse

    options = Options.of(ctx)
    if not to or not into:
        raise UsageError("a restore needs --to and --into", "flowsctl restore --to latest --into NAME")
    _new_name(options, into)
    target, origin = parse(to), origin_of(options)
    told.end_like_ctrl_c()
    host, tell = Host(origin.server.docker_host), told.teller(options.json)
    made = make(host, origin, target, into, tell)
    tell("holding it against the ledger")
    began = time.monotonic()
    judgement = judge(made.conninfo(), origin.owner, made.backup, made.recovered_to or made.backup.finished)
    made.seconds["judgement"] = time.monotonic() - began
    if options.json:
        print(json.dumps({"restore": made.as_json(), "judgement": judgement.as_json()}, indent=2, ensure_ascii=False))
    else:
        print("\n".join(told.restored(made, judgement)))
        print(f"next:  flowsctl restore promote {into}, or flowsctl restore discard {into}")
    raise typer.Exit(0 if judgement.ok else 2)


@app.command()
def table(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="TABLE", help="For example flows.meter_csq.", show_default=False)],
    to: To,
    where: Annotated[
        str, typer.Option("--where", help="Only these rows: an SQL condition on the restored table.")
    ] = "",
    on_conflict: Annotated[
        str, typer.Option("--on-conflict", help="Rows that have changed since: fail, skip or replace.")
    ] = "fail",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything, keep nothing.")] = False,
) -> None:
    """Bring one table's rows back into the live database, while it is in use."""
    from flowsctl.containers.host import Host
    from flowsctl.live import reach
    from flowsctl.restoring import told
    from flowsctl.restoring.origin import origin_of
    from flowsctl.restoring.table import Wanted, restore_table
    from flowsctl.restoring.target import parse

    options = Options.of(ctx)
    wanted, target = Wanted(name, where, on_conflict, dry_run), parse(to)
    origin = origin_of(options)
    live, _ = reach(options)
    told.end_like_ctrl_c()
    tell = told.teller(options.json)
    found = restore_table(Host(origin.server.docker_host), origin, live, wanted, target, tell)
    if options.json:
        print(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
    else:
        print("\n".join(told.brought(found.brought, dry_run)))


@app.command()
def promote(
    ctx: typer.Context,
    name: Name,
    port: Annotated[int, typer.Option("--port", help="Port it shall have from now on (default: as it is).")] = 0,
) -> None:
    """Make a restored copy a database in use beside its stack: jobs on, archive and backups of its own."""
    from flowsctl.containers.host import Host
    from flowsctl.restoring import told
    from flowsctl.restoring.origin import origin_of
    from flowsctl.restoring.promoting import promote as make_own

    options = Options.of(ctx)
    origin = origin_of(options)
    host = Host(origin.server.docker_host)
    told.teller(options.json)("jobs on, first backup")
    found = make_own(host, origin, name, origin.jobs, port=port)
    if options.json:
        print(json.dumps(found.as_json(), indent=2))
        return
    print(f"{name} is in use at port {found.port}, its first backup is {found.backup} ({found.seconds:.1f} s)")
    print(f"the passwords are those of stack {origin.names.stack}")


@app.command()
def switch(
    ctx: typer.Context, name: Name, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
) -> None:
    """Let the stack itself go on with a restored copy: what its database holds now is set aside."""
    import sys

    from flowsctl.containers.host import Host
    from flowsctl.errors import UsageError
    from flowsctl.restoring import told
    from flowsctl.restoring.origin import origin_of
    from flowsctl.restoring.switching import switch as put_in_place

    options = Options.of(ctx)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("a switch needs a yes and there is no terminal to ask", "add --yes")
        typer.confirm(f"Stop stack {options.stack} and let it go on with copy {name}?", abort=True)
    origin = origin_of(options)
    found = put_in_place(Host(origin.server.docker_host), origin, name, told.teller(options.json))
    if options.json:
        print(json.dumps(found.as_json(), indent=2))
        return
    print(f"stack {options.stack} goes on with {name} ({found.seconds:.1f} s, stopped for {found.stopped:.1f} s)")
    print(
        "next:  flowsctl backup run --full" if found.started else "next:  flowsctl up, which makes its containers again"
    )


@app.command()
def discard(
    ctx: typer.Context,
    name: Name,
    promoted: Annotated[bool, typer.Option("--promoted", help="Also a copy that is in use.")] = False,
) -> None:
    """Take a restored copy away: containers, volumes, network."""
    from components.containers.names import Names
    from flowsctl.restoring import copies

    host, project = _host(Options.of(ctx))
    copies.discard(host, Names(project, name), promoted=promoted)
    print(json.dumps({"discarded": name}) if Options.of(ctx).json else f"discarded {name}")


@app.command(name="list")
def list_(ctx: typer.Context) -> None:
    """List the restored copies on this host."""
    from flowsctl.restoring import copies

    host, project = _host(Options.of(ctx))
    found = list(copies.every(host, project))
    if Options.of(ctx).json:
        print(json.dumps([each.as_json() for each in found], indent=2))
        return
    for each in found:
        at = f"port {each.port}" if each.port else "no server"
        print(f"{each.name}: from stack {each.origin}, {each.state}, {at}")
    if not found:
        print("no restored copies; make one with flowsctl restore --to latest --into NAME")


def _host(options: Options) -> tuple[Host, str]:
    """The Docker host of the stack's config, and the project's name."""
    from flowsctl.containers.host import Host
    from flowsctl.session import read_config

    workspace, config = read_config(options)
    return Host(config.server.docker_host), workspace.project_name


def _new_name(options: Options, name: str) -> None:
    """Raises FlowsError where a stack of that name is committed or was made here: its containers have those names."""
    from flowsctl.errors import EXIT_REFUSED, FlowsError
    from flowsctl.session import open_workspace
    from flowsctl.workspace import Workspace

    wanted = Workspace(open_workspace(options).root, name)
    if wanted.committed_file.exists() or wanted.config_file.exists():
        raise FlowsError(f"there is a stack {name}", "take another --into", EXIT_REFUSED)
