"""Entry point: parses the command line, runs one command, turns failures into a sentence and an exit code.

Exit codes: 0 done, 1 failed, 2 wrong usage (of `plan` and `drift`: there are differences; of `backup`: a fault), 3
refused, 130 interrupted.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
from typing import Annotated, NoReturn

import typer

from flowsctl.errors import EXIT_FAILED, FlowsError, Interrupted
from flowsctl.registry import LazyGroup

app = typer.Typer(
    name="flowsctl",
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage (plan, drift: differences; backup: faults), 3 refused, "
    "130 interrupted.",
)


def told_version(wanted: bool) -> None:
    """What a report of a fault has to name: this package, and the Pulumi command that it works with."""
    if not wanted:
        return
    from flowsctl.pulumi_cli import pinned_version
    from flowsctl.workspace import repository
    from pulumi_timescaledb import __version__

    print(f"flowsctl {__version__}, pulumi {pinned_version(repository())}, python {sys.version.split()[0]}")
    raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Show versions and end.", is_eager=True, callback=told_version)
    ] = False,
) -> None:
    """Stand up, look at and take down the Flows database."""


def run() -> NoReturn:
    """Run the command line in `sys.argv` and leave the process."""
    arguments = sys.argv[1:]
    try:
        _command()
    except KeyboardInterrupt:
        leave(Interrupted(), arguments)
    except FlowsError as error:
        leave(error, arguments)
    except BrokenPipeError:
        os._exit(EXIT_FAILED)  # the reader went away: nothing can be flushed to it
    except Exception as error:
        if "--debug" in arguments:
            raise
        sentence = " ".join(str(error).split()) or type(error).__name__
        leave(
            FlowsError(f"{type(error).__name__}: {sentence}", "run it again with --debug for the traceback"),
            arguments,
        )
    sys.exit(0)


def _command() -> None:
    """The command; where it only asked (nobody turned the collector on again, see bin/flowsctl) the process ends at
    once: taking half a thousand modules apart is a sixth of its work, and the operating system needs none of it."""
    try:
        app(prog_name="flowsctl")
    except SystemExit as end:  # how every command ends
        if gc.isenabled() or threading.active_count() > 1 or not isinstance(end.code, int):
            raise
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code)


def leave(error: FlowsError, arguments: list[str]) -> NoReturn:
    """Tell the user about `error` on standard error and exit with its code."""
    try:
        _tell(error, arguments)
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        os._exit(error.code)  # nobody listens, and nothing can be flushed
    if isinstance(error, Interrupted):
        os._exit(error.code)  # the program's threads may still be busy with what was cancelled
    sys.exit(error.code)


def _tell(error: FlowsError, arguments: list[str]) -> None:
    if "--debug" in arguments:
        import traceback

        traceback.print_exception(error)
    if "--json" in arguments:
        print(json.dumps(error.as_json()), file=sys.stderr)
        return
    print(f"error: {error.message}", file=sys.stderr)
    if error.hint:
        print(f"next:  {error.hint}", file=sys.stderr)
