"""Descriptions of containers: what depends on the size, who may connect, what is a secret."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from components.backup_config import BackupSettings
from components.containers import images
from components.containers.api import api
from components.containers.database import ADMIN, INERT, database
from components.containers.names import Names
from components.containers.postgresql_conf import postgresql_conf, quoted
from components.containers.spec import Container
from components.secrets import StackSecrets
from components.server_config import ServerSettings
from flowsctl.containers.archive import packed

NAMES = Names("flows", "dev")
SECRETS = StackSecrets("0123456789abcdef0123456789abcdef")


def settings(text: str) -> dict[str, str]:
    return {name: value.strip("'") for name, value in (line.split(" = ", 1) for line in text.splitlines())}


def file(container: Container, name: str) -> str:
    return {each.path: each.content for each in container.files}[f"/etc/flows/{name}"]


@pytest.mark.parametrize(
    ("memory", "cpus", "shared_buffers", "workers"), [(1024, 1.0, "256MB", "20"), (8192, 4.0, "2048MB", "23")]
)
def test_sizes_follow_the_limits_of_the_container(memory: int, cpus: float, shared_buffers: str, workers: str) -> None:
    found = settings(postgresql_conf(ServerSettings(memory=memory, cpus=cpus)))
    assert found["shared_buffers"] == shared_buffers
    assert found["max_worker_processes"] == workers
    work_mem = int(found["work_mem"].removesuffix("kB"))
    assert work_mem * int(found["max_connections"]) < memory * 1024


def test_a_value_cannot_leave_its_line() -> None:
    assert quoted(r"it's a \ ") == r"'it''s a \\ '"
    with pytest.raises(ValueError, match="control"):
        quoted("on\nfsync = off")


def test_a_copy_starts_nothing_and_changes_no_password() -> None:
    copy = database(NAMES, "image", ServerSettings(), SECRETS, BackupSettings(), inert=True)
    found = settings(file(copy, "postgresql.conf"))
    assert found.items() >= INERT.items()
    assert "archive_command" not in found
    assert "/etc/flows/roles.sql" not in {each.path for each in copy.files}
    assert [mount.read_only for mount in copy.mounts if mount.path == "/var/lib/flows/backup"] == [True]


def test_secrets_are_in_files_of_root_alone() -> None:
    server = ServerSettings(replicas=1)
    parts = [
        database(NAMES, "image", server, SECRETS, BackupSettings()),
        database(NAMES, "image", server, SECRETS, BackupSettings(), part="replica-1"),
        api(NAMES, "image", server, SECRETS, 3000, "flows"),
    ]
    hidden = {SECRETS.password(ADMIN), SECRETS.password("replicator"), SECRETS.password("authenticator"), SECRETS.jwt()}
    hidden |= {SECRETS.backup(), SECRETS.scram_verifier(ADMIN)}
    for part in parts:
        assert any(secret in each.content for each in part.files for secret in hidden)
        for each in part.files:
            assert each.mode == 0o600 or not any(secret in each.content for secret in hidden), each.path
        assert not any(secret in repr(part) for secret in hidden)
        bare = dataclasses.replace(part, files=())
        assert not any(secret in str(dataclasses.asdict(bare)) for secret in hidden)


def test_the_verifier_is_what_postgresql_makes_of_the_password() -> None:
    # The tests in containers log in with it; this is the form, and that it stays the same.
    verifier = SECRETS.scram_verifier(ADMIN)
    assert verifier == StackSecrets(SECRETS.root).scram_verifier(ADMIN)
    assert verifier.startswith("SCRAM-SHA-256$4096:")
    assert verifier != SECRETS.scram_verifier("flows")


def test_an_image_is_named_by_what_it_is_built_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = images.tag("timescaledb")
    assert images.tag("timescaledb", "debian:other") != before
    shutil.copytree(images.FOLDER, tmp_path / "images")
    monkeypatch.setattr(images, "FOLDER", tmp_path / "images")
    assert images.tag("timescaledb") == before
    (tmp_path / "images" / "timescaledb" / "Dockerfile").write_text("FROM scratch\n")
    assert images.tag("timescaledb") != before
    with pytest.raises(KeyError):
        images.tag("nothing")


def test_files_of_a_container_belong_to_root() -> None:
    import io
    import tarfile

    described = database(NAMES, "image", ServerSettings(), SECRETS)
    with tarfile.open(fileobj=io.BytesIO(packed(described.files))) as archive:
        entries = {entry.name: entry for entry in archive}
    assert entries["etc/flows"].mode == 0o755
    assert entries["etc/flows/pgpass"].mode == 0o600
    assert {(entry.uid, entry.gid) for entry in entries.values()} == {(0, 0)}
    assert "etc" not in entries
