"""What a stack may configure about its server: name, type, default and meaning, in one place.

A field `bind_address` is the config key `flows:bindAddress`; `Pulumi.yaml` repeats type, default and description, and a
test compares the two. Fields of one engine are ignored by the others.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from flows.config_model import ConfigModel
from pulumi_timescaledb.specs.base import Name

_IMAGE = re.compile(r"[a-z0-9](?:[a-z0-9._/:-]*[a-z0-9])?(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?")
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$|^sha256:[0-9a-f]{64}$")
LEAST_MEMORY = 512
"""MiB. Below it PostgreSQL, TimescaleDB's workers and a backup do not fit side by side (estimate)."""
LEAST_WORKERS = 3
"""TimescaleDB needs more workers than there are databases: ours, `postgres`, and one that does the work."""


class ServerSettings(ConfigModel):
    """Images, ports, limits; how an external server is reached. Frozen; unknown names are errors."""

    image: str = Field(
        default="timescale/timescaledb-ha:pg17-ts2.28",
        description="Image of the database (engine docker): name:tag, or name@sha256:digest, which never changes.",
    )
    api_image: str = Field(
        default="flows/postgrest:local",
        description="Image of the REST API; flows/postgrest:local is built by make image. It needs bash and setpriv.",
    )
    api_enabled: bool = Field(default=True, description="Whether there is a REST API (engines docker and external).")
    database_name: Name = Field(default="flows", description="Name of the database (engines docker and external).")
    database_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port of the database on this machine (engine docker); flowsctl chooses a free one where it is 0.",
    )
    bind_address: str = Field(
        default="127.0.0.1", description="Address that the ports are bound to; 0.0.0.0 opens them to the network."
    )
    docker_host: str = Field(
        default="", description='Docker daemon, such as ssh://user@host; "" is the one that the docker command uses.'
    )
    cpus: float = Field(default=0.0, ge=0, description="Most processors the database takes; 0 = no limit.")
    memory: int = Field(
        default=2048, ge=LEAST_MEMORY, description="Memory of the database in MiB: its limit, and what it is tuned for."
    )
    shared_memory: int = Field(
        default=256, ge=64, description="Size of /dev/shm in MiB, which parallel queries exchange their rows through."
    )
    max_connections: int = Field(default=100, ge=20, le=10_000, description="Most connections of the database.")
    max_background_workers: int = Field(
        default=16, ge=LEAST_WORKERS, le=1000, description="Most workers of TimescaleDB: jobs that run at once."
    )
    replicas: int = Field(default=0, ge=0, le=8, description="Hot standbys beside the database.")

    host: str = Field(default="", description="Host of the server (engine external).")
    port: int = Field(default=5432, ge=1, le=65535, description="Its port (engine external).")
    admin_user: Name = Field(
        default="tsdbadmin", description="User that owns what is created; it makes roles (engine external)."
    )
    admin_password: SecretStr = Field(
        default=SecretStr(""),
        description="Password of that user, a secret; flowsctl takes it from FLOWS_ADMIN_PASSWORD once.",
    )
    admin_database: Name = Field(
        default="postgres", description="Database that exists already, from which ours is made (engine external)."
    )
    sslmode: Literal["", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = Field(
        default="", description='TLS as libpq names it; "" is verify-full for whatever is not this machine.'
    )
    sslrootcert: str = Field(
        default="",
        description='Certificate of the CA: PEM text, or a file; "" is what the operating system trusts.',
    )

    @property
    def is_local(self) -> bool:
        """Whether an external server is on this machine: a Unix socket or a loopback address."""
        return self.host.startswith("/") or _is_loopback(self.host)

    @property
    def tls(self) -> str:
        """libpq's sslmode for an external server."""
        return self.sslmode or ("prefer" if self.is_local else "verify-full")

    @property
    def reachable_host(self) -> str:
        """Where a client on this machine finds the published ports."""
        return "127.0.0.1" if self.bind_address in ("0.0.0.0", "::") else self.bind_address

    def unpinned(self) -> list[str]:
        """Images whose content may change under their name."""
        images = (self.image, self.api_image) if self.api_enabled else (self.image,)
        return [image for image in images if not _DIGEST.search(image)]

    @field_validator("image", "api_image")
    @classmethod
    def _image(cls, value: str) -> str:
        if not _IMAGE.fullmatch(value) and not _DIGEST.fullmatch(value):
            raise ValueError(f'"{value}" is not an image: name:tag or name@sha256:digest')
        return value

    @field_validator("bind_address")
    @classmethod
    def _address(cls, value: str) -> str:
        return str(ipaddress.ip_address(value))

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        if self.shared_memory > self.memory:
            raise ValueError(f"sharedMemory ({self.shared_memory}) must not exceed memory ({self.memory})")
        if self.host and not self.is_local and self.tls not in ("verify-ca", "verify-full"):
            raise ValueError(
                f"sslmode {self.tls} does not check whether {self.host} is the right server; passwords would go to "
                "whoever answers. Use verify-full, with sslrootcert where its CA is your own"
            )
        return self


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
