"""The database server's container, its hot standbys, and copies that a restore has made."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

from components.backup_config import BackupSettings
from components.secrets import StackSecrets
from components.server_config import ServerSettings

from . import paths
from .names import Names
from .pg_hba import REPLICATOR, pg_hba
from .pgbackrest_conf import CERTIFICATE, CONFIG, PRIVATE_CONFIG, STANZA, archive_command, pgbackrest_conf
from .postgresql_conf import postgresql_conf, quoted
from .spec import Container, File, Health, Limits, Mount, Port

ADMIN = "tsdbadmin"
"""Superuser that the provider connects as. `postgres` comes in by the socket only."""
PORT = 5432
ALIAS = "database"
"""How the server is called in the stack's network."""
SCRIPTS = ("server.sh", "health.sh")
INERT = {
    "timescaledb.max_background_workers": "0",
    "archive_mode": "off",
    # Whatever else a restored database may start by itself.
    "autovacuum": "off",
}
"""A restored copy starts nothing: its own retention job would delete what was restored (reliability.md 0.3)."""

Role = Literal["primary", "replica", "copy"]


def database(
    names: Names,
    image: str,
    server: ServerSettings,
    secrets: StackSecrets,
    backup: BackupSettings | None = None,
    *,
    part: str = "database",
    inert: bool = False,
    make_database: bool = True,
    repository: Names | None = None,
) -> Container:
    """The container of the server of `names`.

    Args:
        image: any with PostgreSQL 17 in Debian's layout, TimescaleDB, bash, and pgbackrest where there are backups.
        backup: None or disabled: nothing is archived.
        part: `database`, or `replica-1`: a standby that copies the server at its first start and follows it.
        inert: starts what is in the volume `data` and nothing by itself: no job, no archive, no change of passwords.
        repository: whose backups a copy reads, where they are not its own.
        make_database: whether a new cluster gets the database at once; false where Pulumi makes it.
    """
    role: Role = "copy" if inert else "primary" if part == "database" else "replica"
    kept = backup if backup is not None and backup.enabled else None
    arguments = (role, server.database_name, ADMIN)
    return Container(
        name=names.container(part),
        image=image,
        command=("/bin/bash", f"{paths.CONFIGURATION}/server.sh", *arguments),
        network=names.network,
        aliases=(ALIAS if role != "replica" else part,),
        mounts=_mounts(names, part, role, kept, repository or names),
        files=(
            *_scripts(),
            *_files(part, role, server, secrets, kept, make_database),
            *_repository_files(repository or names, kept, secrets),
        ),
        port=_port(server) if role != "replica" else None,
        health=Health(("/bin/bash", f"{paths.CONFIGURATION}/health.sh", *arguments), start_period=120),
        limits=Limits(cpus=server.cpus, memory=server.memory, shared_memory=server.shared_memory),
        labels=names.labels(part),
    )


def _scripts() -> tuple[File, ...]:
    folder = files("components.containers").joinpath("scripts")
    return tuple(File(f"{paths.CONFIGURATION}/{name}", folder.joinpath(name).read_text("utf-8")) for name in SCRIPTS)


def _mounts(names: Names, part: str, role: Role, backup: BackupSettings | None, repository: Names) -> tuple[Mount, ...]:
    """A standby has data and socket of its own; like a copy it reads the repository only."""
    mounts = [Mount(names.volume("data" if role != "replica" else part), paths.DATA)]
    if role != "replica":
        mounts.append(Mount(names.volume("run"), paths.SOCKETS))
    if backup is not None and not backup.is_s3:
        mounts.append(Mount(repository.volume("backup"), paths.BACKUP, read_only=role != "primary"))
    return tuple(mounts)


def _port(server: ServerSettings) -> Port:
    return Port(PORT, server.database_port, server.bind_address)


def _files(
    part: str, role: Role, server: ServerSettings, secrets: StackSecrets, backup: BackupSettings | None, new: bool
) -> tuple[File, ...]:
    login = f"127.0.0.1:*:*:{ADMIN}:{secrets.password(ADMIN)}\n"
    if role == "replica":
        login += f"*:*:*:{REPLICATOR}:{secrets.password(REPLICATOR)}\n"
    found = [
        File(f"{paths.CONFIGURATION}/postgresql.conf", postgresql_conf(server, _by_role(part, role, backup))),
        File(f"{paths.CONFIGURATION}/pg_hba.conf", pg_hba(server.replicas > 0)),
        File(f"{paths.CONFIGURATION}/pgpass", login, 0o600),
    ]
    if role == "primary":
        found.append(File(f"{paths.CONFIGURATION}/roles.sql", _roles(secrets, server.replicas > 0), 0o600))
        found.append(File(f"{paths.CONFIGURATION}/first.sql", _first(server.database_name if new else "")))
    return tuple(found)


def _repository_files(names: Names, backup: BackupSettings | None, secrets: StackSecrets) -> tuple[File, ...]:
    if backup is None:
        return ()
    found = (File(CONFIG, pgbackrest_conf(names, backup, secrets), 0o600),)
    if backup.is_s3 and backup.s3_certificate:
        return (*found, File(CERTIFICATE, backup.s3_certificate))
    return found


def _by_role(part: str, role: Role, backup: BackupSettings | None) -> dict[str, str]:
    if role == "copy":
        return INERT
    settings = {}
    if backup is not None:
        settings = {
            "archive_mode": "on",
            "archive_command": archive_command(),
            "archive_timeout": f"{backup.archive_seconds}s",
        }
    if role == "replica":
        passwords = f"passfile={paths.PRIVATE}/pgpass"
        settings["primary_conninfo"] = f"host={ALIAS} port={PORT} user={REPLICATOR} {passwords} application_name={part}"
        if backup is not None:
            settings["restore_command"] = f'pgbackrest --config={PRIVATE_CONFIG} --stanza={STANZA} archive-get %f "%p"'
    return settings


def _roles(secrets: StackSecrets, replication: bool) -> str:
    """Run at each start of a primary, in single-user mode too, whose statements end with an empty line."""
    statements = [
        _role(ADMIN, "SUPERUSER LOGIN", secrets.scram_verifier(ADMIN)),
        # It makes roles: neither a slow statement nor one that failed may put a password into the log.
        *(
            f"ALTER ROLE {ADMIN} SET {name} = {quoted(value)}"
            for name, value in {
                "log_statement": "none",
                "log_min_duration_statement": "-1",
                "log_min_error_statement": "panic",
            }.items()
        ),
        _role(REPLICATOR, "REPLICATION LOGIN", secrets.scram_verifier(REPLICATOR))
        if replication
        else f"DROP ROLE IF EXISTS {REPLICATOR}",
    ]
    return "".join(f"{statement};\n\n" for statement in statements)


def _role(name: str, attributes: str, verifier: str) -> str:
    return (
        "DO $do$ BEGIN\n"
        f"IF NOT EXISTS (SELECT FROM pg_authid WHERE rolname = '{name}') THEN\n"
        f"CREATE ROLE {name} {attributes}; END IF;\n"
        f"IF (SELECT rolpassword FROM pg_authid WHERE rolname = '{name}') IS DISTINCT FROM '{verifier}' THEN\n"
        f"ALTER ROLE {name} PASSWORD '{verifier}'; END IF;\n"
        "END $do$"
    )


def _first(name: str) -> str:
    """Run once, in a new cluster, after the roles."""
    return f'CREATE DATABASE "{name}" OWNER {ADMIN};\n\n' if name else ""
