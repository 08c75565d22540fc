"""An external server for tests: PostgreSQL of this machine that speaks TLS only, with a CA of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from ..provider import native

ADMIN, PASSWORD = "owner", "known to the tests"


@dataclass(frozen=True)
class TlsServer:
    """Where it is, and the CA that has signed for it."""

    host: str
    port: int
    authority: Path
    local: str
    """Connection string of its superuser, over the socket."""


@contextmanager
def running(folder: Path) -> Iterator[TlsServer]:
    """The server, with a superuser that comes in by password only."""
    authority = made_authority(folder / "right")
    with native.running(timescaledb=True) as dsn:
        data = Path(str(native.value(dsn, "SHOW data_directory")))
        key, certificate = signed(folder / "right", data)
        local = f"host={data.parent} port={conninfo_to_dict(dsn)['port']} user=postgres dbname=postgres"
        (data / "pg_hba.conf").write_text("local all postgres trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n")
        with psycopg.connect(local, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {ADMIN} LOGIN SUPERUSER PASSWORD '{PASSWORD}'".encode())
            for name, value in (("ssl_cert_file", certificate), ("ssl_key_file", key), ("ssl", "on")):
                connection.execute(f"ALTER SYSTEM SET {name} TO '{value}'".encode())
            connection.execute("SELECT pg_reload_conf()")
        yield TlsServer("localhost", int(str(conninfo_to_dict(dsn)["port"])), authority, local)


def made_authority(folder: Path) -> Path:
    """A CA's certificate; its key lies beside it."""
    folder.mkdir()
    _openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN=CA {folder.name}",
             "-keyout", "ca.key", "-out", "ca.pem", "-addext", "basicConstraints=critical,CA:TRUE")  # fmt: skip
    return folder / "ca.pem"


def issued(folder: Path, name: str) -> tuple[Path, Path]:
    """Key and certificate of a server that is called `name`, signed by the CA of the folder."""
    (folder / "names").write_text(f"subjectAltName=DNS:{name}\n")
    _openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", "server.key",
             "-out", "server.csr")  # fmt: skip
    _openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
             "-days", "2", "-extfile", "names", "-out", "server.pem")  # fmt: skip
    return folder / "server.key", folder / "server.pem"


def signed(folder: Path, data: Path) -> tuple[Path, Path]:
    """Key and certificate of `localhost`, where the server may read them."""
    there = []
    for source in issued(folder, "localhost"):
        target = data / source.name
        shutil.copy(source, target)
        target.chmod(0o600)
        if os.getuid() == 0:
            shutil.chown(target, "postgres", "postgres")
        there.append(target)
    return there[0], there[1]


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
