"""What is secret in the config of the stack that an environment comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowsctl import stack_file
from flowsctl.workspace import Workspace

if TYPE_CHECKING:
    from flowsctl.engine import Engine


def secret_keys(workspace: Workspace) -> list[str]:
    """Keys that are encrypted in the stack's file, but for the root secret: every stack has its own."""
    config = stack_file.read(workspace.config_file).get("config") or {}
    secret = [key for key, value in config.items() if isinstance(value, dict) and "secure" in value]
    return [key for key in secret if key != f"{workspace.project_name}:{stack_file.ROOT_SECRET}"]


def copy_secrets(origin: Engine, target: Engine) -> None:
    """The origin's secrets, encrypted with the target's key. They are in clear only in memory and in pipes."""
    if not (keys := secret_keys(origin.workspace)):
        return
    target.make_stack()
    for key in keys:
        name = key.partition(":")[2]
        target.set_secret(name, origin.secret(name))
