"""Config of a server that runs in containers: images, place, size."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.alias_generators import to_camel

MEMORY_LEAST = 512
"""MiB. Below it PostgreSQL, TimescaleDB's workers and a backup do not fit side by side."""


class ServerSettings(BaseModel):
    """Every value is known before the run. A field `max_connections` is the config key `flows:maxConnections`."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    image: str = Field(default="", description='Database image, by tag or digest; "" is the one `make image` builds.')
    api_image: str = Field(default="", description='PostgREST image; "" is the one `make image` builds.')
    database_name: str = Field(default="flows", description="Name of the database.")
    database_port: int = Field(default=0, ge=0, le=65535, description="Port on the host; 0 chooses one before the run.")
    bind_address: str = Field(default="127.0.0.1", description="Address of the host that the ports are bound to.")
    cpus: float = Field(default=2.0, gt=0, description="Most CPUs the database server takes.")
    memory: int = Field(default=2048, ge=MEMORY_LEAST, description="Most memory it takes, in MiB.")
    shared_memory: int = Field(default=256, ge=64, description="Size of /dev/shm (parallel queries), in MiB.")
    max_connections: int = Field(default=100, ge=20, le=5000, description="Most connections at once.")
    max_background_workers: int = Field(
        default=16, ge=0, le=1000, description="TimescaleDB's workers: jobs at once + 1 for each database; 0 = none."
    )
    replicas: Annotated[int, Field(ge=0, le=8)] = Field(default=0, description="Hot standbys beside the server.")
    parameters: dict[str, str] = Field(
        default_factory=dict, description="postgresql.conf settings that win over the computed ones."
    )

    @field_validator("database_name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not value or len(value.encode()) > 63 or not value.isidentifier() or value in ("postgres", "template1"):
            raise ValueError("must be a plain name of at most 63 bytes, and not one that PostgreSQL makes itself")
        return value
