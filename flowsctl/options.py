"""The options every command takes, before or after the command's name."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from flowsctl.errors import UsageError

DEFAULT_STACK = "local"
PANEL = "Options of every command"


@dataclass
class Options:
    """What the user asked for on this command line."""

    stack: str = DEFAULT_STACK
    config: dict[str, str] = field(default_factory=dict)
    json: bool = False
    debug: bool = False

    @classmethod
    def of(cls, ctx: typer.Context) -> Options:
        """The options of the command that `ctx` belongs to."""
        found = ctx.find_object(cls)
        return found if found is not None else cls()


def parse_pairs(pairs: list[str]) -> dict[str, str]:
    """`KEY=VALUE` texts as a mapping. Raises UsageError for a text without a key or `=`."""
    parsed = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"--config {pair} is not KEY=VALUE", "write it as --config flows:disposable=false")
        parsed[key.strip()] = value
    return parsed


def stack_names(incomplete: str) -> list[str]:
    """Shell completion of `--stack`: the stacks with a committed file or a working copy."""
    root = Path(__file__).resolve().parent.parent
    names = {path.name.split(".")[1] for path in root.glob("Pulumi.*.yaml")}
    names |= {path.name for path in (root / ".flows" / "stacks").glob("*") if path.is_dir()}
    return sorted(name for name in names if name.startswith(incomplete))


def declared(
    stack: Annotated[
        str | None,
        typer.Option(help="Stack to work on (default: local).", autocompletion=stack_names, rich_help_panel=PANEL),
    ] = None,
    config: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Config value for this run only; repeatable.", rich_help_panel=PANEL),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Machine-readable report.", rich_help_panel=PANEL)] = False,
    debug: Annotated[
        bool,
        typer.Option("--debug", help="Tracebacks and the engine's own output.", rich_help_panel=PANEL),
    ] = False,
) -> None:
    """Carries the declarations of the options; never called. Plain booleans: for any other type typer builds a model of
    pydantic to read the value with, which takes milliseconds."""


def remember(ctx: Any, param: Any, value: Any) -> Any:
    """Parameter callback: put a value that was given on the command line into the shared Options."""
    options = ctx.find_root().ensure_object(Options)
    if value in (None, [], (), False):  # given nowhere, or before the command's name
        return value
    if param.name == "config":
        options.config.update(parse_pairs(list(value)))
    else:
        setattr(options, param.name, value)
    return value
