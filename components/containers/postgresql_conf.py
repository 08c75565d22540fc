"""postgresql.conf of a container: what needs a restart. Settings that can be reloaded are ServerSetting resources.

Sizes follow timescaledb-tune (pkg/pgtune: memory.go, parallel.go, misc.go, wal.go) for the container's limits, not for
the host: a server that sees the whole host plans with memory it does not have.
"""

from __future__ import annotations

from collections.abc import Mapping

from components.server_config import ServerSettings

from . import paths

_BUILT_IN_WORKERS = 3
UNLIMITED_CPUS = 4
"""What is planned with where the container may take all."""


def postgresql_conf(server: ServerSettings, extra: Mapping[str, str] | None = None) -> str:
    """The whole file. `extra` comes from the container's role (archiving, recovery, inert copies) and wins over what is
    computed."""
    settings = {**_place(), **_memory(server), **_workers(server), **_writing(), **_watching(), **(extra or {})}
    return "".join(f"{name} = {quoted(value)}\n" for name, value in settings.items())


def quoted(value: str) -> str:
    """A value as the file takes it, whatever its type. Raises ValueError for what would end the line."""
    if any(ord(character) < 32 for character in value):
        raise ValueError("a setting of postgresql.conf must not hold control characters")
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _place() -> dict[str, str]:
    return {
        "data_directory": paths.PGDATA,
        "hba_file": f"{paths.CONFIGURATION}/pg_hba.conf",
        "listen_addresses": "*",
        "port": "5432",
        "unix_socket_directories": paths.SOCKETS,
        # Access to the socket is decided by pg_hba (peer), and the volume is shared with the scheduler only.
        "unix_socket_permissions": "0777",
        "password_encryption": "scram-sha-256",
        "timezone": "Etc/UTC",
        "log_timezone": "Etc/UTC",
    }


def _memory(server: ServerSettings) -> dict[str, str]:
    mib = server.memory
    halves = max(1, round(_cpus(server) / 2))
    work_mem_kib = int(mib / 1024 * 400 * 1024 / server.max_connections / halves)
    return {
        "shared_buffers": f"{mib // 4}MB",
        "effective_cache_size": f"{mib * 3 // 4}MB",
        "maintenance_work_mem": f"{min(2047, mib // 8)}MB",
        "work_mem": f"{max(64, work_mem_kib)}kB",
        # One lock per chunk and index that a statement touches: hypertables of two years in days are 730 chunks.
        "max_locks_per_transaction": "512" if mib >= 16384 else "256",
        "max_connections": str(server.max_connections),
        "dynamic_shared_memory_type": "posix",
        "huge_pages": "try",
    }


def _cpus(server: ServerSettings) -> int:
    """Without a limit the host's are unknown here: the file is part of the plan, which any machine may make."""
    return max(1, round(server.cpus)) if server.cpus else UNLIMITED_CPUS


def _workers(server: ServerSettings) -> dict[str, str]:
    cpus = _cpus(server)
    return {
        "shared_preload_libraries": "timescaledb,pg_stat_statements",
        "timescaledb.max_background_workers": str(server.max_background_workers),
        "timescaledb.telemetry_level": "off",
        "max_worker_processes": str(_BUILT_IN_WORKERS + server.max_background_workers + cpus),
        "max_parallel_workers": str(cpus),
        "max_parallel_workers_per_gather": str(max(1, round(cpus / 2))),
        "jit": "off",
        "autovacuum_max_workers": "10" if cpus >= 4 else "3",
        "autovacuum_naptime": "10s",
    }


def _writing() -> dict[str, str]:
    return {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "wal_level": "replica",
        "max_wal_senders": "10",
        # What a standby may miss while it is away without a slot: a slot that nobody reads fills the disk.
        "wal_keep_size": "512MB",
        "wal_compression": "zstd",
        "min_wal_size": "512MB",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "random_page_cost": "1.1",
        "effective_io_concurrency": "256",
        "default_toast_compression": "lz4",
        "hot_standby": "on",
    }


def _watching() -> dict[str, str]:
    return {
        "log_destination": "stderr",
        "logging_collector": "off",
        "log_line_prefix": "%m [%p] %q%u@%d %a ",
        "log_checkpoints": "on",
        "log_lock_waits": "on",
        "log_autovacuum_min_duration": "10s",
        # Statements that set passwords must not be kept in the clear: they are utility statements.
        "pg_stat_statements.track_utility": "off",
        "pg_stat_statements.track": "top",
        "compute_query_id": "on",
        "track_io_timing": "on",
        "idle_in_transaction_session_timeout": "10min",
    }
