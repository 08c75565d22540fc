"""Making a restored copy a database of its own: jobs on, an archive and backups of its own, its records its own.

Nothing of it reaches the origin's repository: that is mounted no more, and the copy's own one is a new volume, or a
folder of its own in the bucket. Passwords and the cipher follow from the origin's root secret, as before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from components.backup_config import BackupSettings
from components.containers.database import ADMIN, database
from components.containers.names import Names
from components.containers.scheduler import TimedStatement, scheduler
from flowsctl.containers.host import Host
from flowsctl.errors import FlowsError
from flowsctl.restoring import copies
from flowsctl.restoring.making import answer
from flowsctl.restoring.origin import Origin
from flowsctl.restoring.repository import tool_in
from pulumi_timescaledb.connection import ConnectionSettings, Database
from pulumi_timescaledb.errors import ProviderError
from pulumi_timescaledb.rebind import rebind

HEALTHY_SECONDS = 300.0
BACKUP_SECONDS = 24 * 3600.0
# What pgBackRest and the recovery have left in postgresql.auto.conf; it would win over the container's own file.
LEFT = (
    "archive_mode",
    "restore_command",
    "recovery_target",
    "recovery_target_action",
    "recovery_target_inclusive",
    "recovery_target_lsn",
    "recovery_target_time",
    "recovery_target_timeline",
)


@dataclass(frozen=True)
class Promoted:
    """A copy that is a database of its own now."""

    name: str
    port: int
    objects: int
    """That changed their owner in the provider's ledger; 0 where it has none."""
    backup: str
    """Label of its own first backup."""
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The documented form of `restore promote --json`."""
        return vars(self) | {"seconds": round(self.seconds, 3)}


def promote(
    host: Host,
    origin: Origin,
    name: str,
    jobs: Iterable[TimedStatement] = (),
    *,
    image: str = "",
    port: int = 0,
    wait: bool = True,
) -> Promoted:
    """The copy `name` of `origin` as a database in use, at `port` if one is given. May be repeated where it was
    interrupted.

    Raises:
        FlowsError: there is no such copy, it is not ready, or its server or its archive does not come up.
    """
    began = time.monotonic()
    names = Names(origin.names.project, name)
    found = copies.existing(host, names)
    if found.origin != origin.names.stack:
        raise FlowsError(f"{name} is a copy of stack {found.origin}", f"add --stack {found.origin}")
    if found.state not in ("ready", "promoted"):
        raise FlowsError(f"{name} is {found.state}", f"flowsctl restore discard {name}, then restore again")
    used = image or origin.server.image
    server = origin.server.model_copy(update={"database_port": port or found.port, "replicas": 0})
    backup = own_repository(origin.backup, names)
    objects = 0
    if found.state == "ready":
        objects = _take_over(origin, names, found.port)
        end_recovery(host, names)
        if not backup.is_s3:
            host.volume(names.volume("backup"), names.labels("backup"))
        host.stop(names.container(copies.DATABASE))
        host.client.containers.get(names.container(copies.DATABASE)).remove()
        own = database(names, used, server, origin.secrets, backup)
        host.start(replace(own, labels=_labels(names, origin.names, copies.DATABASE)))
    host.healthy(names.container(copies.DATABASE), HEALTHY_SECONDS)
    beside = scheduler(names, used, server.database_name, origin.secrets, backup, jobs)
    if host.health(beside.name)[0] == "missing":
        host.start(replace(beside, labels=_labels(names, origin.names, copies.SCHEDULER)))
    label = _first_backup(host, beside.name) if wait else ""
    return Promoted(name, server.database_port, objects, label, time.monotonic() - began)


def end_recovery(host: Host, names: Names) -> None:
    """Takes the settings of the recovery out of the copy, so that it archives as its container says."""
    for setting in LEFT:
        answer(host, names, f"ALTER SYSTEM RESET {setting}")


def own_repository(backup: BackupSettings, names: Names) -> BackupSettings:
    """Settings of the copy's own backups: in a bucket another folder than its origin's."""
    if backup.is_s3 and backup.s3_path:
        return backup.model_copy(update={"s3_path": f"{backup.s3_path}/{names.stack}"})
    return backup  # a volume, or /project/stack in the bucket, is its own by its name


def _labels(names: Names, origin: Names, part: str) -> dict[str, str]:
    return copies.labels(names, origin, part, promoted=True)


def _take_over(origin: Origin, names: Names, port: int) -> int:
    """Makes project/name the owner of what is in the database, before anything in it runs."""
    settings = ConnectionSettings(
        host=origin.server.reachable_host,
        port=port,
        user=ADMIN,
        password=origin.secrets.password(ADMIN),
        database=origin.server.database_name,
    )

    async def work() -> int:
        other = Database(settings)
        try:
            return (await rebind(other, f"{names.project}/{names.stack}", "", origin.owner)).objects
        finally:
            await other.close()

    try:
        return asyncio.run(work())
    except ProviderError as error:
        if "has no ledger" in str(error) or "holds objects of no other stack" in str(error):
            return 0
        raise FlowsError(str(error), "flowsctl ledger rebind says more") from error


def _first_backup(host: Host, container: str) -> str:
    """Waits until the scheduler has taken it; its label."""
    deadline = time.monotonic() + BACKUP_SECONDS
    tool = tool_in(host, container)
    while time.monotonic() < deadline:
        state, said = host.health(container)
        if state in ("exited", "missing"):
            raise FlowsError(f"the backup scheduler has ended: {said}", host.logs(container, 10))
        try:
            if found := tool.info().backups:
                return found[-1].label
        except FlowsError:
            pass  # it is making its stanza
        time.sleep(1)
    raise FlowsError("the first backup takes longer than a day", "flowsctl backup list")
