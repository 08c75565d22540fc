"""A container's description as the Docker SDK takes it."""

from __future__ import annotations

from typing import Any

from components.containers.spec import Container, Health, Limits

MIB = 1024 * 1024
LOGS = {"type": "json-file", "config": {"max-size": "10m", "max-file": "3"}}
"""As in components/engine: without an end a log takes the disk."""
SECOND = 1_000_000_000
"""Docker's unit of time is the nanosecond."""


def arguments(container: Container) -> dict[str, Any]:
    """What makes the container, but for its image and its names in the network."""
    port = container.port
    found: dict[str, Any] = {
        "name": container.name,
        # Whatever entry point the image has: its own would make a cluster of its own.
        "entrypoint": list(container.command[:1]),
        "command": list(container.command[1:]),
        "user": "0",
        "environment": dict(container.environment),
        "labels": dict(container.labels),
        "volumes": [f"{mount.volume}:{mount.path}:{'ro' if mount.read_only else 'rw'}" for mount in container.mounts],
        "ports": {f"{port.inside}/tcp": (port.address, port.outside or None)} if port else {},
        "restart_policy": _restart(container.restart),
        "network": container.network,
        "security_opt": ["no-new-privileges"],
        "log_config": LOGS,
        **_limits(container.limits),
    }
    if container.health is not None:
        found["healthcheck"] = _health(container.health)
    return found


def _restart(policy: str) -> dict[str, Any]:
    return {"Name": policy} if policy != "no" else {}


def _limits(limits: Limits) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if limits.cpus:
        found["nano_cpus"] = int(limits.cpus * SECOND)
    if limits.memory:
        # No swap on top: a server that swaps is slower than one that is told to take less.
        found["mem_limit"] = found["memswap_limit"] = limits.memory * MIB
    if limits.shared_memory:
        found["shm_size"] = limits.shared_memory * MIB
    return found


def _health(health: Health) -> dict[str, Any]:
    return {
        "test": ["CMD", *health.command],
        "interval": health.interval * SECOND,
        "timeout": health.timeout * SECOND,
        "retries": health.retries,
        "start_period": health.start_period * SECOND,
    }
