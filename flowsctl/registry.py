"""Finds the commands: one file each in `flowsctl/commands/`, imported only when used.

A file `foo_bar.py` is the command `foo-bar`. It has a module docstring, whose first line is the help text in
the list, and a variable `app` of type `typer.Typer`. With one command in it that is the command; with a
callback or several commands it is a group (`flowsctl jobs run`).
"""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from flowsctl.options import declared, remember

COMMANDS = Path(__file__).resolve().parent / "commands"
HEAD_BYTES = 400


def names() -> list[str]:
    """Every command's name, sorted."""
    return sorted(path.stem.replace("_", "-") for path in COMMANDS.glob("[a-z]*.py"))


def summary(name: str) -> str:
    """The first line of a command file's docstring, read without importing it."""
    with (COMMANDS / f"{name.replace('-', '_')}.py").open(encoding="utf-8") as file:
        head = file.read(HEAD_BYTES)
    quote, text = head[:3], head[3:]
    return text.split(quote, 1)[0].split("\n", 1)[0].strip() if quote == '"""' else ""


@cache
def shared_params() -> tuple[Any, ...]:
    """Parameter objects of the options that every command takes, the same for all: what each takes to read its values
    is made once."""
    app = typer.Typer(add_completion=False)
    app.command()(declared)
    params = [param for param in typer.main.get_command(app).params if param.name != "help"]
    for param in params:
        param.expose_value = False
        param.callback = remember
    return tuple(params)


def load(name: str) -> Any:
    """Import one command file and give its command the shared options."""
    module = importlib.import_module(f"flowsctl.commands.{name.replace('-', '_')}")
    app: typer.Typer = module.app
    app._add_completion = False  # completion belongs to the root command alone
    command: Any = typer.main.get_command(app)
    command.name = name
    if not command.help:
        command.help = (module.__doc__ or "").strip()
    _equip(command)
    return command


def _equip(command: Any) -> None:
    """Give a command, or every command of a group, the shared options and plain help without Rich."""
    command.rich_markup_mode = None
    if isinstance(command, TyperGroup):
        for child in command.commands.values():
            _equip(child)
        if command.invoke_without_command:  # it is a command of its own too
            command.params.extend(shared_params())
    else:
        command.params.extend(shared_params())


class LazyGroup(TyperGroup):
    """A group that knows its commands by their files."""

    listing = False

    def __init__(self, **attributes: Any) -> None:
        attributes["rich_markup_mode"] = None
        super().__init__(**attributes)
        self.params = [*shared_params(), *self.params]

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all command files."""
        return names()

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The real command, or, while help or completion lists them, a stand-in with its help text."""
        if cmd_name not in names():
            return None
        if self.listing:
            return TyperCommand(name=cmd_name, short_help=summary(cmd_name), help=summary(cmd_name))
        return load(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is meant; for a wrong name typer suggests one from `commands`, which has nothing else to
        do here."""
        self.commands = {name: TyperCommand(name=name) for name in names()}
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands without importing one."""
        self.listing = True
        try:
            super().format_commands(ctx, formatter)
        finally:
            self.listing = False

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Complete command names without importing one."""
        self.listing = True
        try:
            return super().shell_complete(ctx, incomplete)
        finally:
            self.listing = False
