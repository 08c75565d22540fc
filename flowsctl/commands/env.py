"""Throw-away environments: a database and an API of its own for a branch."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowsctl.errors import FlowsError, UsageError
from flowsctl.options import DEFAULT_STACK, Options, stack_names

if TYPE_CHECKING:
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


@app.callback()
def env() -> None:
    """Throw-away environments: a database and an API of its own for a branch."""


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Any name of a git branch.", show_default=False)],
    origin: Annotated[
        str, typer.Option("--from", help="Stack whose settings (and data) it takes.", autocompletion=stack_names)
    ] = DEFAULT_STACK,
    engine: Annotated[str, typer.Option(help="Where it runs: embedded or docker (default: as --from).")] = "",
    data: Annotated[str, typer.Option(help="none, demo (two small escos), or clone (a copy of --from).")] = "none",
    ttl: Annotated[str, typer.Option(help="Time to live: a number with s, m, h or d.")] = "72h",
) -> None:
    """Make an environment and wait until its API answers."""
    from flowsctl.environments.claim import Wanted
    from flowsctl.environments.making import DATA, make
    from flowsctl.tokens import seconds
    from flowsctl.workspace import repository

    options = Options.of(ctx)
    if data not in DATA:
        raise UsageError(f"--data {data} is not known", f"take one of {', '.join(DATA)}")
    began = time.monotonic()
    made = make(repository(), Wanted(name, origin, engine, data, seconds(ttl)), teller(options), options.json)
    if options.json:
        print(json.dumps(shown(made), indent=2))
        return
    tell(made)
    parts = ", ".join(f"{phase} {took:.1f} s" for phase, took in made.phases.items())
    print(f"\nready after {time.monotonic() - began:.1f} s: {parts}")


@app.command(name="list")
def list_(ctx: typer.Context) -> None:
    """List the environments of this working tree."""
    from flowsctl.environments.record import every
    from flowsctl.workspace import repository

    found = list(every(repository()))
    if Options.of(ctx).json:
        print(json.dumps([shown(each) for each in found], indent=2))
        return
    if not found:
        print("no environments; make one with flowsctl env create NAME")
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("name", "stack", "state", "time left", "data", "API")
    for each in found:
        table.add_row(escape(each.name), each.stack, state(each), left(each), each.data, api_of(each))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


@app.command()
def show(ctx: typer.Context, name: Name) -> None:
    """Show one environment: where it is, what it was made from, how long it lives."""
    found = existing(name)
    if Options.of(ctx).json:
        print(json.dumps(shown(found), indent=2))
    else:
        tell(found)


@app.command()
def extend(
    ctx: typer.Context,
    name: Name,
    ttl: Annotated[str, typer.Option(help="Time to live from now: a number with s, m, h or d.")] = "72h",
) -> None:
    """Give an environment more time, counted from now."""
    from dataclasses import replace

    from flowsctl.tokens import seconds
    from flowsctl.workspace import repository

    found = existing(name)
    if found.state != "ready":
        raise FlowsError(f'environment "{name}" is {state(found)}', "run flowsctl env list")
    longer = replace(found, expires=time.time() + seconds(ttl))
    longer.write(repository())
    print(json.dumps(shown(longer), indent=2) if Options.of(ctx).json else f"{name}: {left(longer)} left")


@app.command()
def update(
    ctx: typer.Context,
    name: Name,
    or_create: Annotated[bool, typer.Option("--create", help="Make it where there is none (as create does).")] = False,
    ttl: Annotated[str, typer.Option(help="Time to live from now: a number with s, m, h or d.")] = "72h",
) -> None:
    """Bring an environment to what the working tree declares now, and start its time anew."""
    from dataclasses import replace

    from flowsctl.environments.claim import Wanted
    from flowsctl.environments.making import make, upgrade
    from flowsctl.environments.names import stack_of
    from flowsctl.environments.record import read
    from flowsctl.tokens import seconds
    from flowsctl.workspace import repository

    options, root = Options.of(ctx), repository()
    if or_create and read(root, stack_of(name)) is None:
        found = make(root, Wanted(name, DEFAULT_STACK, lifetime=seconds(ttl)), teller(options), options.json)
    else:
        found = existing(name)
        if found.state != "ready":
            raise FlowsError(f'environment "{name}" is {state(found)}', "run flowsctl env gc, then create it again")
        upgrade(root, found, options.json)
        found = replace(found, expires=time.time() + seconds(ttl))
        found.write(root)
    if options.json:
        print(json.dumps(shown(found), indent=2))
    else:
        tell(found)


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
) -> None:
    """Delete environments past their time, and what a crash left half made; never anything else."""
    from flowsctl.environments.removal import clear, due, left_copies, remove_copy
    from flowsctl.workspace import repository

    found, failed = [*due(repository()), *left_copies(repository())], []
    for each in found:
        if not Options.of(ctx).json:
            print(f"{'would delete' if dry_run else 'deleting'} {each.name or each.stack}: {each.why}", flush=True)
        if not dry_run:
            try:
                if each.is_copy:
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


def state(found: Environment) -> str:
    """Its state in words."""
    if found.is_abandoned:
        return f"{found.state}, abandoned"
    return "expired" if found.state == "ready" and found.expired else found.state


def left(found: Environment) -> str:
    """Time left, in the two largest units."""
    rest = int(found.expires - time.time())
    if rest <= 0:
        return "none"
    days, hours, minutes = rest // 86400, rest % 86400 // 3600, rest % 3600 // 60
    return f"{days} d {hours} h" if days else f"{hours} h {minutes} min" if hours else f"{minutes} min {rest % 60} s"


def api_of(found: Environment) -> str:
    """URL of its API, from its stack file."""
    from flowsctl.stack_file import effective
    from flowsctl.workspace import Workspace, repository

    port = effective(Workspace(repository(), found.stack), "apiPort", {})
    return f"http://127.0.0.1:{port}" if port else ""


def shown(found: Environment) -> dict[str, Any]:
    """The documented JSON form."""
    host, port, name = _database(found)
    at = host if found.engine == "embedded" else f"{host}:{port}/{name}"
    return found.as_json() | {"api": api_of(found), "database": at}


def _database(found: Environment) -> tuple[str, int, str]:
    """Host (a socket's folder), port and name of its database, from its stack file."""
    from components import place
    from components.config import StackConfig
    from components.secrets import StackSecrets
    from flowsctl import stack_file
    from flowsctl.workspace import Workspace, repository

    workspace = Workspace(repository(), found.stack)
    config = StackConfig.read(stack_file.values(workspace, {}))
    there = place.connection(config, workspace.root, workspace.stack, StackSecrets("where it is, not how to get in"))
    return there.host, there.port, there.database


def tell(found: Environment) -> None:
    """Where it is and what to try next."""
    until = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(found.expires))
    rows = [
        ("environment", found.name),
        ("stack", found.stack),
        ("state", f"{state(found)}, until {until} ({left(found)} left)"),
        ("made from", f"stack {found.origin}, data {found.data}, engine {found.engine}"),
        ("API", api_of(found)),
        ("database", "host={} port={} dbname={} user=tsdbadmin".format(*_database(found))),
        ("next", f"bin/flowsctl psql --stack {found.stack}; bin/flowsctl preview --stack {found.stack}"),
    ]
    print("\n".join(f"{name:<12}{value}" for name, value in rows))
