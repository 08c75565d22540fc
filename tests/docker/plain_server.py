"""A PostgreSQL server in a container, made from an image and nothing else: for what depends on the image's packages."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg

IMAGE = os.environ.get("FLOWS_TEST_IMAGE", "")
PATIENCE = 60  # seconds
_START = """
set -e
mkdir -p /plain && chown postgres /plain
as="setpriv --reuid=postgres --regid=postgres --init-groups"
$as initdb -D /plain/data -U postgres -A trust -N -E UTF8 --locale=C.UTF-8 > /dev/null
echo "host all all all trust" >> /plain/data/pg_hba.conf
exec $as postgres -D /plain/data -k /tmp -c listen_addresses=* -c fsync=off -c shared_preload_libraries=timescaledb \
  -c timescaledb.telemetry_level=off {settings}
"""


def why_not() -> str:
    """Why no container can be started here; "" where one can."""
    try:
        import docker
        from docker.errors import DockerException
    except ImportError:
        return "the docker package is not installed"
    try:
        client = docker.from_env()
        client.ping()
        client.close()
    except DockerException as error:
        return f"no Docker daemon answers: {error}"
    return "" if IMAGE else "FLOWS_TEST_IMAGE names no image with PostgreSQL 17 and TimescaleDB"


@contextmanager
def running(settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """A server of the image under test, on a free port of loopback; gives its connection string. The extension is not
    made."""
    import docker

    client = docker.from_env()
    words = " ".join(f"-c {name}={value}" for name, value in (settings or {}).items())
    container = client.containers.run(
        IMAGE,
        entrypoint=["bash", "-c", _START.replace("{settings}", words)],
        environment={"PATH": "/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        ports={"5432/tcp": ("127.0.0.1", None)},
        name=f"flows-plain-{uuid4().hex[:8]}",
        user="root",
        detach=True,
    )
    try:
        yield _answering(container)
    finally:
        container.remove(force=True, v=True)
        client.close()


def _answering(container: Any) -> str:
    """The server's connection string, once it answers."""
    until = time.monotonic() + PATIENCE
    while True:
        container.reload()
        bound = container.ports.get("5432/tcp")
        dsn = f"host=127.0.0.1 port={bound[0]['HostPort']} user=postgres dbname=postgres" if bound else ""
        try:
            assert dsn, "no port yet"
            psycopg.connect(dsn, connect_timeout=2).close()
        except (AssertionError, psycopg.OperationalError) as error:
            if container.status == "exited" or time.monotonic() > until:
                raise AssertionError(f"{error}\n{container.logs().decode()}") from None
            time.sleep(0.3)
        else:
            return dsn
