"""One container, its volumes and files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Mount:
    """A named volume in a container."""

    volume: str
    path: str
    read_only: bool = False


@dataclass(frozen=True)
class File:
    """A file put into a container before it starts. It belongs to root; 0600 for what holds a secret: the entry script
    begins as root and hands on what the server's user needs. Environment and command line are seen by `docker inspect`,
    files are not."""

    path: str
    content: str = field(repr=False)
    mode: int = 0o444


@dataclass(frozen=True)
class Port:
    """A port of the container on an address of the host."""

    inside: int
    outside: int
    address: str = "127.0.0.1"


@dataclass(frozen=True)
class Health:
    """A command that exits 0 when the container serves. Times in seconds."""

    command: tuple[str, ...]
    interval: int = 5
    timeout: int = 10
    retries: int = 6
    start_period: int = 60


@dataclass(frozen=True)
class Limits:
    """Most of the host a container takes. Sizes in MiB; 0 = no limit."""

    cpus: float = 0.0
    memory: int = 0
    shared_memory: int = 0


@dataclass(frozen=True)
class Container:
    """A container to run. `environment` holds no secret."""

    name: str
    image: str
    command: tuple[str, ...]
    network: str
    aliases: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    files: tuple[File, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    port: Port | None = None
    health: Health | None = None
    limits: Limits = Limits()
    labels: Mapping[str, str] = field(default_factory=dict)
    restart: str = "unless-stopped"
    stop_seconds: int = 60
    """Between SIGTERM (the entry script turns it into a fast shutdown) and SIGKILL."""
