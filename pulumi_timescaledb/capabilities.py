"""What the connected server can do. Decisions ask this, never the engine's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ServerCapabilities:
    """Versions and abilities. Versions are comparable tuples: PostgreSQL (17, 5), TimescaleDB (2, 23, 0)."""

    postgres: tuple[int, ...] = (17, 0)
    timescaledb: tuple[int, ...] | None = (2, 23, 0)
    community: bool = True
    background_workers: bool = True
    concurrent_index: bool = True

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> ServerCapabilities:
        """From the one row of `sql_templates/catalog/capabilities.sql.j2`."""
        number, version = int(row["server_version_num"]), row["timescaledb_version"]
        multi_process = not any(word in row["version"].lower() for word in ("emscripten", "wasm"))
        return cls(
            postgres=(number // 10000, number % 10000),
            timescaledb=version_tuple(version) if version else None,
            community=row["timescaledb_license"] == "timescale",
            background_workers=multi_process and bool(version),
            concurrent_index=multi_process,
        )

    def to_wire(self) -> dict[str, Any]:
        """Plain JSON, kept by the Manifest so that a preview without a server still knows."""
        return asdict(self)

    @classmethod
    def from_wire(cls, properties: Mapping[str, Any]) -> ServerCapabilities:
        """The inverse of `to_wire`."""
        timescaledb = properties["timescaledb"]
        return cls(
            postgres=tuple(int(n) for n in properties["postgres"]),
            timescaledb=None if timescaledb is None else tuple(int(n) for n in timescaledb),
            community=bool(properties["community"]),
            background_workers=bool(properties["background_workers"]),
            concurrent_index=bool(properties["concurrent_index"]),
        )


def version_tuple(text: str) -> tuple[int, ...]:
    """ "2.23.0-dev" -> (2, 23, 0)."""
    return tuple(int(part) for part in text.split("-")[0].split("."))


EMBEDDED = ServerCapabilities((17, 5), (2, 23, 0), background_workers=False, concurrent_index=False)
"""The embedded server before it is made (DESIGN section 3)."""
