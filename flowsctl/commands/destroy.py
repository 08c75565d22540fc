"""Delete everything the stack has made; refuses where that would lose data that is not disposable."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from flowsctl.errors import FlowsError, UsageError
from flowsctl.options import Options

app = typer.Typer()


@app.command()
def destroy(
    ctx: typer.Context,
    preview: Annotated[bool, typer.Option("--preview", help="Show what would be deleted; touch nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    purge: Annotated[
        bool, typer.Option("--purge", help="Then also remove the stack itself, its secrets and local data.")
    ] = False,
) -> None:
    """Delete everything the stack has made; refuses where that would lose data that is not disposable."""
    from flowsctl.runs import carry_out
    from flowsctl.session import is_disposable, open_engine

    options = Options.of(ctx)
    if not preview and not yes:
        ask(options.stack)
    engine = open_engine(options)
    if engine.exists():
        if preview:
            carry_out(options, f"previewing: destroy stack {options.stack}", engine.preview_destroy, planned=True)
            return
        carry_out(options, f"destroying stack {options.stack}", engine.destroy, planned=False)
    else:
        holds = (engine.workspace.data / "data").exists()
        if purge and not preview and holds and not is_disposable(engine.workspace, options.config):
            raise FlowsError(
                f"{engine.workspace.data} holds a database and the backend does not know stack {options.stack}",
                "check PULUMI_BACKEND_URL, or delete the folder by hand",
            )
        print(f"nothing to destroy: stack {options.stack} does not exist", file=sys.stderr)
    if purge and not preview:
        from flowsctl.database import remove_local_processes

        clear_containers(options)
        engine.forget()
        remove_local_processes(engine.workspace)
        engine.workspace.remove()


def ask(stack: str) -> None:
    """Have the user confirm. Raises UsageError where nobody can be asked, Abort where the answer is no."""
    if not sys.stdin.isatty():
        raise UsageError(f"destroying stack {stack} needs a yes and there is no terminal to ask", "add --yes")
    typer.confirm(f"Delete everything that stack {stack} has made?", abort=True)


def clear_containers(options: Options) -> None:
    """Of a stack with containers: what a run that broke off has left, if the stack is disposable.

    Raises FlowsError where something is left that is not to be lost.
    """
    from flowsctl.session import has_containers, is_disposable, open_workspace
    from flowsctl.stack_file import effective

    if not has_containers(options):
        return
    workspace = open_workspace(options)
    daemon = str(effective(workspace, "dockerHost", options.config) or "")
    from flowsctl.containers.stack import left, remove_all

    if is_disposable(workspace, options.config):
        remove_all(workspace, daemon)
    elif found := left(workspace, daemon):
        names = ", ".join(f"{kind} {name}" for kind, name in found)
        raise FlowsError(
            f"stack {options.stack} has left {names}", "it is not disposable: look, then remove it by hand"
        )
