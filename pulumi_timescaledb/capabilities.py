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
    preloaded: tuple[str, ...] | None = None
    """Libraries in shared_preload_libraries; None: not known, or the server does not need it."""
    job_workers: int | None = None
    """timescaledb.max_background_workers; None: not known."""
    worker_slots: int | None = None
    """max_worker_processes without the one that logical replication takes; None: not known."""

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> ServerCapabilities:
        """From the one row of `sql_templates/catalog/capabilities.sql.j2`."""
        number, version = int(row["server_version_num"]), row["timescaledb_version"]
        multi_process = not any(word in row["version"].lower() for word in ("emscripten", "wasm"))
        workers = row["job_workers"]
        return cls(
            postgres=(number // 10000, number % 10000),
            timescaledb=version_tuple(version) if version else None,
            community=row["timescaledb_license"] == "timescale",
            background_workers=multi_process and bool(version),
            concurrent_index=multi_process,
            preloaded=libraries(row["preloaded"]) if multi_process and row["preloaded"] is not None else None,
            job_workers=int(workers) if multi_process and workers is not None else None,
            worker_slots=int(row["worker_slots"]) if multi_process else None,
        )

    def to_wire(self) -> dict[str, Any]:
        """Plain JSON, kept by the Manifest so that a preview without a server still knows."""
        return asdict(self)

    @classmethod
    def from_wire(cls, properties: Mapping[str, Any]) -> ServerCapabilities:
        """The inverse of `to_wire`."""
        timescaledb, preloaded = properties["timescaledb"], properties.get("preloaded")
        limits = {name: properties.get(name) for name in ("job_workers", "worker_slots")}
        return cls(
            postgres=tuple(int(n) for n in properties["postgres"]),
            timescaledb=None if timescaledb is None else tuple(int(n) for n in timescaledb),
            community=bool(properties["community"]),
            background_workers=bool(properties["background_workers"]),
            concurrent_index=bool(properties["concurrent_index"]),
            preloaded=None if preloaded is None else tuple(preloaded),
            **{name: None if limit is None else int(limit) for name, limit in limits.items()},
        )


def version_tuple(text: str) -> tuple[int, ...]:
    """ "2.23.0-dev" -> (2, 23, 0)."""
    return tuple(int(part) for part in text.split("-")[0].split("."))


def libraries(setting: str) -> tuple[str, ...]:
    """ "timescaledb, '$libdir/pg_stat_statements'" -> ("timescaledb", "pg_stat_statements")."""
    names = (name.strip().strip("'\"").rpartition("/")[-1] for name in setting.split(","))
    return tuple(name.removesuffix(".so") for name in names if name)


EMBEDDED = ServerCapabilities((17, 5), (2, 23, 0), background_workers=False, concurrent_index=False)
"""The embedded server before it is made (DESIGN section 3)."""
