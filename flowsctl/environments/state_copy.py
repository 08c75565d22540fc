"""The origin's Pulumi state for its clone, so that the clone's `up` sees every object as there, and drops what its
branch no longer declares."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flowsctl.engine import Engine
from flowsctl.errors import FlowsError
from flowsctl.stack_file import effective
from flowsctl.workspace import Workspace
from pulumi_timescaledb.local.server import socket_folder


def copy_state(origin: Engine, target: Engine, ledger: str, left: tuple[str, ...] = ()) -> None:
    """Writes the origin's resources into the target's (empty) stack, with the target's names, folders, port and
    `ledger` id, but for those whose types begin as in `left`: they stand for what was not copied. Secrets are in clear
    only in memory and in a pipe to the Pulumi command.

    Raises:
        FlowsError: the origin was never brought up.
    """
    exported = origin.export(show_secrets=True)
    deployment: dict[str, Any] = exported.get("deployment") or {}
    resources = deployment.get("resources") or []
    if not resources:
        raise FlowsError(f"stack {origin.workspace.stack} is not up", "run flowsctl up on it first")
    known = next((r["outputs"].get("ledger") for r in resources if r["type"] == "timescaledb:index:Manifest"), None)
    if not known:
        raise FlowsError(
            f"the state of stack {origin.workspace.stack} does not know its database", "run flowsctl up on it first"
        )
    target.make_stack()
    salted = target.export().get("deployment") or {}
    old, new = origin.workspace, target.workspace
    texts = {
        str(old.data): str(new.data),
        str(socket_folder(old.data)): str(socket_folder(new.data)),
        str(known): ledger,
        _history(old): _history(new),
        _api(old): _api(new),
    }
    for part in ("urn:pulumi:{}::", f"pulumi:pulumi:Stack::{old.project_name}-{{}}"):
        texts[part.format(old.stack)] = part.format(new.stack)
    deployment["resources"] = [_replaced(each, texts) for each in _without(resources, left)]
    deployment["secrets_providers"] = salted.get("secrets_providers")
    deployment.pop("pending_operations", None)
    target.import_state(json.dumps(exported))


def _without(resources: list[dict[str, Any]], left: tuple[str, ...]) -> list[dict[str, Any]]:
    """The resources but those of the types that are left, which nothing depends on any more."""
    kept = [each for each in resources if not each["type"].startswith(left)] if left else resources
    there = {each["urn"] for each in kept}
    for each in kept:
        each["dependencies"] = [urn for urn in each.get("dependencies") or () if urn in there]
        each["propertyDependencies"] = {
            name: [urn for urn in urns or () if urn in there]
            for name, urns in (each.get("propertyDependencies") or {}).items()
        }
    return kept


def _history(workspace: Workspace) -> str:
    return str(workspace.root / ".flows" / "history" / f"{workspace.stack}.jsonl")


def _api(workspace: Workspace) -> str:
    return f"http://127.0.0.1:{effective(workspace, 'apiPort', {})}"


def _replaced(value: Any, texts: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(each, texts) for key, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each, texts) for each in value]
    if isinstance(value, str):
        for before, after in texts.items():
            value = value.replace(before, after)
    return value
