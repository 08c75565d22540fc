"""Throw-away environments: a database and an API of its own for a branch."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from flowsctl.errors import FlowsError, UsageError
from flowsctl.options import DEFAULT_STACK, Options, stack_names

if TYPE_CHECKING:
    from flowsctl.engine import Engine
    from flowsctl.environments.record import Environment

app = typer.Typer()


def environment_names(incomplete: str) -> list[str]:
    """Shell completion: environments of this working tree."""
    from flowsctl.environments.record import every
    from flowsctl.workspace import repository

    return [each.name for each in every(repository()) if each.name.startswith(incomplete)]


Name = Annotated[
    str, typer.Argument(help="The environment's name: any name of a git branch.", autocompletion=environment_names)
]
From = Annotated[
    str, typer.Option("--from", help="Stack whose settings (and data) it takes.", autocompletion=stack_names)
]
Where = Annotated[
    str, typer.Option("--engine", help="Where it runs: embedded, docker or external (default: as --from).")
]
Data = Annotated[str, typer.Option(help="none, demo (two small escos), or clone (a copy of --from).")]
Lifetime = Annotated[str, typer.Option("--ttl", help="Time to live, from now: a number with s, m, h or d.")]
Disconnect = Annotated[
    bool, typer.Option("--disconnect", help="Let a clone on an external server end the sessions of --from.")
]


@app.callback()
def env() -> None:
    """Throw-away environments: a database and an API of its own for a branch."""


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Any name of a git branch.", show_default=False)],
    origin: From = DEFAULT_STACK,
    engine: Where = "",
    data: Data = "none",
    ttl: Lifetime = "72h",
    disconnect: Disconnect = False,
) -> None:
    """Make an environment and wait until its API answers."""
    from flowsctl.environments import telling
    from flowsctl.environments.claim import Wanted
    from flowsctl.environments.making import make
    from flowsctl.tokens import seconds
    from flowsctl.workspace import repository

    options = Options.of(ctx)
    began = time.monotonic()
    wanted = Wanted(name, origin, engine, data, seconds(ttl), disconnect)
    made = make(repository(), wanted, teller(options), options.json)
    if options.json:
        print(json.dumps(telling.shown(made), indent=2))
        return
    telling.tell(made)
    parts = ", ".join(f"{phase} {took:.1f} s" for phase, took in made.phases.items())
    print(f"\nready after {time.monotonic() - began:.1f} s: {parts}")


@app.command(name="list")
def list_(
    ctx: typer.Context,
    server: Annotated[
        str, typer.Option("--on", help="Stack of engine external: those on its server, whoever made them.")
    ] = "",
) -> None:
    """List the environments of this working tree."""
    from flowsctl.environments import telling
    from flowsctl.environments.record import every
    from flowsctl.workspace import repository

    if server:
        list_on(server, Options.of(ctx))
        return
    found = list(every(repository()))
    if Options.of(ctx).json:
        print(json.dumps([telling.shown(each) for each in found], indent=2))
        return
    if not found:
        print("no environments; make one with flowsctl env create NAME")
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("name", "stack", "state", "time left", "data", "API")
    for each in found:
        table.add_row(
            escape(each.name), each.stack, telling.state(each), telling.left(each), each.data, telling.api_of(each)
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def list_on(stack: str, options: Options) -> None:
    """The environments on the server of a stack, from their labels."""
    from flowsctl.environments import on_server, telling

    found = on_server.labels(origin_engine(stack))
    if options.json:
        rows = [{"name": e.name, "stack": e.stack, "database": e.database, "expires": e.expires} for e in found]
        print(json.dumps(rows, indent=2))
        return
    for each in found:
        print(f"{each.name}: database {each.database}, {telling.time_left(each.expires)} left")
    if not found:
        print(f"no environments on the server of stack {stack}")


@app.command()
def show(ctx: typer.Context, name: Name) -> None:
    """Show one environment: where it is, what it was made from, how long it lives."""
    from flowsctl.environments import telling

    found = existing(name)
    if Options.of(ctx).json:
        print(json.dumps(telling.shown(found), indent=2))
    else:
        telling.tell(found)


@app.command()
def extend(
    ctx: typer.Context,
    name: Name,
    ttl: Lifetime = "72h",
) -> None:
    """Give an environment more time, counted from now."""
    from dataclasses import replace

    from flowsctl.environments import telling
    from flowsctl.tokens import seconds
    from flowsctl.workspace import repository

    found = existing(name)
    if found.state != "ready":
        raise FlowsError(f'environment "{name}" is {telling.state(found)}', "run flowsctl env list")
    longer = replace(found, expires=time.time() + seconds(ttl))
    longer.write(repository())
    labelled(longer)
    print(
        json.dumps(telling.shown(longer), indent=2) if Options.of(ctx).json else f"{name}: {telling.left(longer)} left"
    )


@app.command()
def update(
    ctx: typer.Context,
    name: Name,
    or_create: Annotated[bool, typer.Option("--create", help="Make it where there is none, as create does.")] = False,
    origin: From = DEFAULT_STACK,
    engine: Where = "",
    data: Data = "none",
    disconnect: Disconnect = False,
    ttl: Lifetime = "72h",
) -> None:
    """Bring an environment to what the working tree declares now, and start its time anew.

    --from, --engine, --data and --disconnect say how --create makes it; on one that is there they do nothing.
    """
    from dataclasses import replace

    from flowsctl.environments import telling
    from flowsctl.environments.claim import Wanted
    from flowsctl.environments.making import make, upgrade
    from flowsctl.environments.names import stack_of
    from flowsctl.environments.record import read
    from flowsctl.tokens import seconds
    from flowsctl.workspace import repository

    options, root = Options.of(ctx), repository()
    wanted = Wanted(name, origin, engine, data, seconds(ttl), disconnect)
    if not or_create and replace(wanted, lifetime=0) != Wanted(name, DEFAULT_STACK, lifetime=0):
        raise UsageError("--from, --engine, --data and --disconnect are for making one", "add --create")
    if or_create and read(root, stack_of(name)) is None:
        found = make(root, wanted, teller(options), options.json)
    else:
        found = existing(name)
        if found.state != "ready":
            raise FlowsError(
                f'environment "{name}" is {telling.state(found)}', "run flowsctl env gc, then create it again"
            )
        upgrade(root, found, options.json)
        found = replace(found, expires=time.time() + seconds(ttl))
        found.write(root)
        labelled(found)
    if options.json:
        print(json.dumps(telling.shown(found), indent=2))
    else:
        telling.tell(found)


@app.command()
def destroy(
    ctx: typer.Context,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete an environment with its database, its API and its stack."""
    from flowsctl.environments.removal import remove
    from flowsctl.workspace import repository

    found = existing(name)
    if found.state != "ready" and not found.is_abandoned:
        raise FlowsError(f'environment "{name}" is {found.state} by another run', "wait for that run to end")
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f'deleting environment "{name}" needs a yes and there is no terminal to ask', "add --yes")
        typer.confirm(f'Delete environment "{name}" with all its data?', abort=True)
    remove(repository(), found)
    print(json.dumps({"destroyed": [name]}) if Options.of(ctx).json else f"destroyed {name}")


@app.command()
def gc(
    ctx: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go; touch nothing.")] = False,
    server: Annotated[
        str, typer.Option("--on", help="Stack of engine external: also what is due on its server, whoever made it.")
    ] = "",
) -> None:
    """Delete environments past their time, and what a crash left half made; never anything else."""
    from flowsctl.environments import on_server
    from flowsctl.environments.removal import clear, due, expired_on, left_copies, remove_copy
    from flowsctl.workspace import repository

    origin = origin_engine(server) if server else None
    elsewhere = [*expired_on(origin)] if origin is not None else []
    found, failed = [*due(repository()), *left_copies(repository()), *elsewhere], []
    for each in found:
        if not Options.of(ctx).json:
            print(f"{'would delete' if dry_run else 'deleting'} {each.name or each.stack}: {each.why}", flush=True)
        if not dry_run:
            try:
                if each.label is not None and origin is not None:
                    on_server.remove_label(origin, each.label)
                elif each.is_copy:
                    remove_copy(repository(), each.stack)
                else:
                    clear(repository(), each.stack, abandoned=each.abandoned)
            except FlowsError as error:  # the others still go
                failed.append(f"{each.name or each.stack}: {error.message}")
    if Options.of(ctx).json:
        rows = [{"stack": each.stack, "name": each.name, "why": each.why} for each in found]
        print(json.dumps({"dry_run": dry_run, "due": rows, "failed": failed}, indent=2))
    elif not found:
        print("nothing is due")
    if failed:
        raise FlowsError("; ".join(failed), "run flowsctl env gc again")


def labelled(found: Environment) -> None:
    """Writes an environment's new time into its label, where it has one on a server."""
    from flowsctl.environments import on_server
    from flowsctl.environments.making import open_engine
    from flowsctl.workspace import repository

    on_server.extend(open_engine(repository(), found.stack), found)


def origin_engine(stack: str) -> Engine:
    """The engine of a stack whose server is asked."""
    from flowsctl.session import open_engine

    return open_engine(Options(stack=stack))


def teller(options: Options) -> Callable[[str], None]:
    """Tells what goes on, on standard error; says nothing with --json."""

    def say(text: str) -> None:
        if not options.json:
            print(text, file=sys.stderr, flush=True)

    return say


def existing(name: str) -> Environment:
    """The environment of that name. Raises UsageError, naming those there are, where there is none."""
    from flowsctl.environments.names import stack_of
    from flowsctl.environments.record import every, read
    from flowsctl.workspace import repository

    found = read(repository(), stack_of(name))
    if found is None:
        known = ", ".join(each.name for each in every(repository()))
        raise UsageError(f'there is no environment "{name}"', f"there are {known}" if known else "there are none")
    return found
