"""An external server for tests: PostgreSQL of this machine that speaks TLS only, with a CA of its own.

It listens on the Docker bridge's address of this machine, which containers reach too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from flowsctl.containers.host import Host

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

    def config(self) -> dict[str, Any]:
        """Config values of a stack on it."""
        return {
            "engine": "external",
            "disposable": "true",
            "host": self.host,
            "port": self.port,
            "adminUser": ADMIN,
            "sslmode": "verify-full",
            "sslrootcert": self.authority.read_text(),
        }


def gateway(host: Host) -> str:
    """This machine's address on the Docker daemon's default bridge."""
    return str(host.client.networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"])


@contextmanager
def running(folder: Path, address: str = "localhost", rights: str = "SUPERUSER") -> Iterator[TlsServer]:
    """The server on an address of this machine. Its administrator, a role with these rights, comes in by password."""
    authority = made_authority(folder / "right")
    heard = "127.0.0.1" if address == "localhost" else f"127.0.0.1,{address}"
    with native.running(timescaledb=True, listen_addresses=heard) as dsn:
        data = Path(str(native.value(dsn, "SHOW data_directory")))
        key, certificate = signed(folder / "right", data, address)
        port = str(conninfo_to_dict(dsn)["port"])
        local = f"host={data.parent} port={port} user=postgres dbname=postgres"
        (data / "pg_hba.conf").write_text("local all postgres trust\nhostssl all all all scram-sha-256\n")
        with psycopg.connect(local, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {ADMIN} LOGIN {rights} PASSWORD '{PASSWORD}'".encode())
            for name, value in (("ssl_cert_file", certificate), ("ssl_key_file", key), ("ssl", "on")):
                connection.execute(f"ALTER SYSTEM SET {name} TO '{value}'".encode())
            connection.execute("SELECT pg_reload_conf()")
        yield TlsServer(address, int(port), authority, local)


def made_authority(folder: Path) -> Path:
    """A CA's certificate; its key lies beside it."""
    folder.mkdir()
    _openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN=CA {folder.name}",
             "-keyout", "ca.key", "-out", "ca.pem", "-addext", "basicConstraints=critical,CA:TRUE")  # fmt: skip
    return folder / "ca.pem"


def issued(folder: Path, name: str) -> tuple[Path, Path]:
    """Key and certificate of a server that is called `name`, or has it as its address, signed by the CA of the
    folder. pgBackRest looks for an address among the names."""
    address = f",IP:{name}" if name.replace(".", "").isdigit() else ""
    (folder / "names").write_text(f"subjectAltName=DNS:{name}{address}\n")
    _openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", "server.key",
             "-out", "server.csr")  # fmt: skip
    _openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
             "-days", "2", "-extfile", "names", "-out", "server.pem")  # fmt: skip
    return folder / "server.key", folder / "server.pem"


def signed(folder: Path, data: Path, name: str) -> tuple[Path, Path]:
    """Key and certificate of `name`, where the server may read them."""
    there = []
    for source in issued(folder, name):
        target = data / source.name
        shutil.copy(source, target)
        target.chmod(0o600)
        if os.getuid() == 0:
            shutil.chown(target, "postgres", "postgres")
        there.append(target)
    return there[0], there[1]


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
