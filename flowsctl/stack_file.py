"""The working copy of a stack file: committed values, generated values, values of one run."""

from __future__ import annotations

import json
import random
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from flowsctl.errors import FlowsError
from flowsctl.workspace import Workspace, dump_yaml, load_yaml, write_atomically

ROOT_SECRET = "rootSecret"
API_PORT, DATABASE_PORT = "apiPort", "databasePort"
AUTOMATIC_PORTS = (API_PORT, DATABASE_PORT)
# Below the range that Linux and macOS give to outgoing connections, so that a kept port stays free.
PORT_RANGE = range(23000, 30000)
PORT_ATTEMPTS = 200

StackFile = dict[str, Any]


def refresh_working_copy(workspace: Workspace) -> StackFile:
    """Bring the working copy up to date with the committed file; returns it.

    Committed values win, values that vanished from the committed file go, generated ones stay.
    """
    before = read(workspace.folder / "committed.yaml")
    committed = read(workspace.committed_file)
    merged = merge(read(workspace.config_file), before, committed, workspace.project_name)
    choose_ports(merged, workspace.project_name)
    write_atomically(workspace.config_file, dump_yaml(merged))
    write_atomically(workspace.folder / "committed.yaml", dump_yaml(committed))
    return merged


def merge(working: StackFile, before: StackFile, committed: StackFile, namespace: str) -> StackFile:
    """The working copy after the committed file went from `before` to `committed`."""
    automatic = {f"{namespace}:{port}" for port in AUTOMATIC_PORTS}
    config = dict(working.get("config") or {})
    wanted = {
        key: value for key, value in (committed.get("config") or {}).items() if not (key in automatic and not value)
    }
    gone = set(before.get("config") or {}) - set(wanted) - automatic
    top = {key: value for key, value in working.items() if key not in set(before) - set(committed)}
    top |= committed
    top["config"] = {key: value for key, value in config.items() if key not in gone} | wanted
    return top


def set_salt(workspace: Workspace, salt: str) -> None:
    """Put the salt of an existing state into the working copy."""
    file = read(workspace.config_file)
    write_atomically(workspace.config_file, dump_yaml({"encryptionsalt": salt} | file))


def choose_ports(file: StackFile, namespace: str) -> None:
    """Give every automatic port a free number, once; a port that was chosen is kept."""
    has_database_port = file["config"].get(f"{namespace}:engine") == "docker"
    for port in AUTOMATIC_PORTS if has_database_port else (API_PORT,):
        if not file["config"].get(f"{namespace}:{port}"):
            file["config"][f"{namespace}:{port}"] = free_port()


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on. Raises FlowsError if none is found."""
    for candidate in random.sample(PORT_RANGE, PORT_ATTEMPTS):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            return candidate
    raise FlowsError("no free port was found", "set flows:apiPort in the stack file")


@contextmanager
def for_one_run(workspace: Workspace, overrides: Mapping[str, str]) -> Iterator[Path | None]:
    """A stack file with `--config` values on top, gone afterwards; None where there are none."""
    if not overrides:
        yield None
        return
    import os

    file = read(workspace.config_file)
    file.setdefault("config", {}).update(qualified(overrides, workspace.project_name))
    path = workspace.folder / f"run-{os.getpid()}.yaml"
    write_atomically(path, dump_yaml(file))
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def effective(workspace: Workspace, key: str, overrides: Mapping[str, str]) -> Any:
    """A project config value in this run: from `--config`, the stack file or Pulumi.yaml; else None."""
    name = f"{workspace.project_name}:{key}"
    chosen = qualified(overrides, workspace.project_name)
    if name in chosen:
        return chosen[name]
    values = read(workspace.config_file).get("config") or {}
    if name in values:
        return values[name]
    declared = workspace.project().get("config") or {}
    schema = declared.get(name, declared.get(key))
    return schema.get("default") if isinstance(schema, dict) else schema


def has_containers(workspace: Workspace, overrides: Mapping[str, str]) -> bool:
    """Whether the stack has any, by two values alone: what is wrong with others must not keep a stack from being taken
    away, and is told where the program reads it."""
    return needs_containers(*(effective(workspace, key, overrides) for key in ("engine", "apiEnabled")))


def needs_containers(engine: object, api_enabled: object) -> bool:
    """Whether there is a container: a database, or the API before an external one."""
    return engine == "docker" or (engine == "external" and str(api_enabled).lower() != "false")


def values(workspace: Workspace, overrides: Mapping[str, str]) -> dict[str, Any]:
    """Every config value of this run by full key name; a secret is the mapping that hides it."""
    declared = workspace.project().get("config") or {}
    defaults = {
        key if ":" in key else f"{workspace.project_name}:{key}": entry["default"] if isinstance(entry, dict) else entry
        for key, entry in declared.items()
        if not isinstance(entry, dict) or "default" in entry
    }
    own = read(workspace.config_file).get("config") or {}
    return {**defaults, **own, **qualified(overrides, workspace.project_name)}


def qualified(overrides: Mapping[str, str], namespace: str) -> dict[str, Any]:
    """`--config` texts as typed values under full key names; a key without a namespace gets the project's."""
    return {key if ":" in key else f"{namespace}:{key}": typed(value) for key, value in overrides.items()}


def typed(text: str) -> Any:
    """`true`/`false` as a boolean, digits as an integer, JSON as what it says, anything else as text."""
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    if text[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def read(path: Path) -> StackFile:
    """A stack file, empty where there is none. Raises FlowsError where it is not a mapping."""
    if not path.exists():
        return {}
    try:
        found = load_yaml(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise FlowsError(f"{path} is not valid YAML: {' '.join(str(error).split())}", "correct the file") from error
    if not isinstance(found, dict):
        raise FlowsError(f"{path} does not hold a mapping", "correct the file")
    return found
