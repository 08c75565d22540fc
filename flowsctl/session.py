"""What a command starts from: the stack's files, the Pulumi command, the engine."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flowsctl import pulumi_cli, stack_file
from flowsctl.errors import FlowsError
from flowsctl.options import Options
from flowsctl.workspace import Workspace, repository

if TYPE_CHECKING:
    from components.config import StackConfig
    from flowsctl.engine import Engine

# The provider's Seal refuses to let data go while this is set, whatever the state says about `disposable`.
KEEP_DATA_VARIABLE = "PULUMI_TIMESCALEDB_KEEP_DATA"


def open_workspace(options: Options) -> Workspace:
    """The files of the chosen stack."""
    return Workspace(repository(), options.stack)


def read_config(options: Options) -> tuple[Workspace, StackConfig]:
    """The files of the chosen stack, and its config under this run's `--config` values.

    Raises FlowsError where a config value is wrong.
    """
    from components.config import ConfigError, StackConfig

    workspace = open_workspace(options)
    is_disposable(workspace, options.config)
    try:
        return workspace, StackConfig.read(stack_file.values(workspace, options.config))
    except ConfigError as error:
        raise FlowsError(str(error), "correct it with --config or in the stack file") from None


def on_docker(options: Options) -> bool:
    """Whether the stack is on the docker engine."""
    return engine_of(options) == "docker"


def engine_of(options: Options) -> str:
    """Where the stack's database is."""
    return str(stack_file.effective(fresh_workspace(options), "engine", options.config))


def has_containers(options: Options) -> bool:
    """Whether the stack has any: all of it, or the API before an external server."""
    return stack_file.has_containers(fresh_workspace(options), options.config)


def fresh_workspace(options: Options) -> Workspace:
    """The files of the chosen stack, with what was committed since the last run."""
    workspace = open_workspace(options)
    workspace.prepare()
    stack_file.refresh_working_copy(workspace)
    return workspace


def demand_daemon(options: Options) -> None:
    """For a stack with containers: a daemon that answers, whose place Pulumi's plugin would not even name. Raises
    FlowsError where there is none."""
    if has_containers(options):
        from flowsctl.containers.host import Host

        host = Host(str(stack_file.effective(open_workspace(options), "dockerHost", options.config) or ""))
        try:
            _ = host.client
        finally:
            host.close()


def open_engine(options: Options) -> Engine:
    """The engine for the chosen stack; gets the Pulumi command on first use.

    Raises FlowsError where there is no Pulumi command and no way to get one.
    """
    import gc

    from flowsctl.engine import Engine

    gc.enable()  # bin/flowsctl turned it off
    workspace = open_workspace(options)
    cli = pulumi_cli.resolve(workspace.root, lambda text: print(text, file=sys.stderr, flush=True))
    engine = Engine(workspace, cli, options.config)
    if not is_disposable(workspace, options.config):
        engine.environment[KEEP_DATA_VARIABLE] = "1"
    return engine


def is_disposable(workspace: Workspace, overrides: Mapping[str, str]) -> bool:
    """Whether this run may let data go: `disposable` in `--config`, the stack file, or Pulumi.yaml."""
    workspace.prepare()
    stack_file.refresh_working_copy(workspace)  # what was committed since the last run counts
    value: Any = stack_file.effective(workspace, "disposable", overrides)
    return str(value).lower() == "true"
