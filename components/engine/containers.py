"""Containers, volumes and networks as tracked resources, from their plain descriptions.

What pulumi_docker 5.2.0 makes of each property was read in its source (upstream/internal/provider) and tried: most
properties can only be replaced, some are taken for changed although they cannot be (`REPLACED`), and what it does not
read back from the daemon (labels, uploads, environment) is compared with the state alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_docker as docker

from ..containers.spec import Container

WAIT_SECONDS = 300
"""Longest time until a new container counts as failed: a restart may have to replay WAL first."""
REPLACED = ("cpus", "healthcheck", "labels", "shmSize", "uploads", "envs", "stopTimeout")
"""An update would record these and change nothing (resourceDockerContainerUpdate)."""


@dataclass(frozen=True)
class Host:
    """One Docker daemon, and whether what is on it may be lost."""

    provider: docker.Provider
    disposable: bool

    def network(self, name: str, labels: Mapping[str, str]) -> docker.Network:
        """A network of its own."""
        return docker.Network(
            "network",
            name=name,
            labels=[docker.NetworkLabelArgs(label=key, value=value) for key, value in sorted(labels.items())],
            opts=pulumi.ResourceOptions(provider=self.provider, delete_before_replace=True),
        )

    def volume(self, part: str, name: str, labels: Mapping[str, str], *, precious: bool) -> docker.Volume:
        """A named volume; a precious one is neither deleted nor replaced unless the stack is disposable, and what the
        engine is made to forget stays on the host."""
        kept = precious and not self.disposable
        return docker.Volume(
            f"volume-{part}",
            name=name,
            labels=[docker.VolumeLabelArgs(label=key, value=value) for key, value in sorted(labels.items())],
            opts=pulumi.ResourceOptions(
                provider=self.provider, protect=kept, retain_on_delete=kept, delete_before_replace=True
            ),
        )

    def container(
        self, part: str, container: Container, after: Sequence[pulumi.Resource], *, wait: bool = True
    ) -> docker.Container:
        """A container, which is there when it is healthy. Its name is taken until the old one is gone."""
        return docker.Container(
            part,
            **_properties(container, wait=wait and container.health is not None),
            opts=pulumi.ResourceOptions(
                provider=self.provider,
                depends_on=[*after],
                delete_before_replace=True,
                replace_on_changes=list(REPLACED),
                custom_timeouts=pulumi.CustomTimeouts(create=f"{WAIT_SECONDS + 120}s"),
            ),
        )


def _properties(container: Container, *, wait: bool) -> dict[str, Any]:
    limits = container.limits
    found: dict[str, Any] = {
        "name": container.name,
        "image": container.image,
        "command": list(container.command),
        "networks_advanced": [
            docker.ContainerNetworksAdvancedArgs(name=container.network, aliases=[*container.aliases])
        ],
        "mounts": [
            docker.ContainerMountArgs(type="volume", source=mount.volume, target=mount.path, read_only=mount.read_only)
            for mount in container.mounts
        ],
        # An empty file is refused.
        "uploads": [
            docker.ContainerUploadArgs(
                file=file.path, content=pulumi.Output.secret(file.content or "\n"), permissions=f"{file.mode:04o}"
            )
            for file in container.files
        ],
        "labels": [
            docker.ContainerLabelArgs(label=key, value=value) for key, value in sorted(container.labels.items())
        ],
        "restart": container.restart,
        "must_run": True,
        "stop_timeout": container.stop_seconds,
        "destroy_grace_seconds": container.stop_seconds,
        "wait": wait,
        "wait_timeout": WAIT_SECONDS,
        # The daemon's defaults, said so that reading them back is no change.
        "log_driver": "json-file",
        "log_opts": {"max-size": "10m", "max-file": "3"},
    }
    if container.environment:
        found["envs"] = [f"{key}={value}" for key, value in sorted(container.environment.items())]
    if limits.memory:
        found |= {"memory": limits.memory, "memory_swap": limits.memory}
    if limits.cpus:
        found["cpus"] = _processors(limits.cpus)
    if limits.shared_memory:
        found["shm_size"] = limits.shared_memory
    if container.port is not None:
        port = container.port
        found["ports"] = [docker.ContainerPortArgs(internal=port.inside, external=port.outside, ip=port.address)]
    if container.health is not None:
        health = container.health
        found["healthcheck"] = docker.ContainerHealthcheckArgs(
            tests=["CMD", *health.command],
            interval=_duration(health.interval),
            timeout=_duration(health.timeout),
            start_period=_duration(health.start_period),
            retries=health.retries,
        )
    return found


def _duration(seconds: int) -> str:
    """As the daemon writes it back: Go's time.Duration, 1m0s and not 60s."""
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"


def _processors(cpus: float) -> str:
    """As the plugin writes them back (nanoInt64ToDecimalString): 2.0, 1.5, and for twenty "20."."""
    text = f"{cpus:.9f}"
    return f"{cpus:.1f}" if text.count("0") == 9 else text.rstrip("0")
