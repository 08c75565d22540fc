"""The REST API's container: PostgREST in front of the `api` schema."""

from __future__ import annotations

from importlib.resources import files

from components.secrets import StackSecrets
from components.server_config import ServerSettings

from . import paths
from .database import ALIAS
from .database import PORT as DATABASE_PORT
from .names import Names
from .spec import Container, File, Health, Limits, Port

PART = "api"
AUTHENTICATOR = "authenticator"
PORT = 3000
ADMIN_PORT = 3001
"""Serves /ready inside the container only."""
POOL = 10
MEMORY = 512
"""MiB. The schema cache of the Flows schema takes a fraction of it."""
SCRIPTS = ("api.sh", "api_health.sh")
CERTIFICATE = f"{paths.CONFIGURATION}/ca.pem"
"""The CA's certificate of another server."""
TRUSTED = "/etc/ssl/certs/ca-certificates.crt"
"""The CAs that the image trusts, where Debian has them: PostgREST 12.0.2 has a libpq before 16, which does not know
`sslrootcert=system`."""


def api(
    names: Names,
    image: str,
    server: ServerSettings,
    secrets: StackSecrets,
    port: int,
    audience: str = "",
    *,
    role_prefix: str = "",
    host: str = ALIAS,
    host_port: int = DATABASE_PORT,
    sslmode: str = "",
    certificate: str = "",
) -> Container:
    """The API on `port` of the host, in front of the database of `names` or of another server.

    `image` has bash, setpriv and the CAs of the world beside postgrest, as the one of `make image`; the official one
    has none of them.
    It restarts by itself until its role and schema are there, and reads the schema anew on
    `NOTIFY pgrst, 'reload schema'`: on a real server it listens, unlike behind the embedded one.
    """
    user = f"{role_prefix}{AUTHENTICATOR}"
    dsn = f"host={host} port={host_port} dbname={server.database_name} user={user}"
    dsn += f" password={secrets.password(user)} application_name=postgrest"
    if sslmode:
        dsn += f" sslmode={sslmode} sslrootcert={CERTIFICATE if certificate else TRUSTED}"
    values: dict[str, str | int | bool] = {
        "db-uri": dsn,
        "db-schemas": "api",
        "db-pre-request": "api_private.pre_request",
        "db-pool": POOL,
        "db-channel": "pgrst",
        "db-channel-enabled": True,
        # Roles could otherwise be given settings that widen what the API serves.
        "db-config": False,
        "jwt-secret": secrets.jwt(),
        "openapi-mode": "follow-privileges",
        "server-host": "*",
        "server-port": PORT,
        "admin-server-port": ADMIN_PORT,
        # Requests are not logged: their URLs hold values.
        "log-level": "crit",
    }
    if port:
        values["openapi-server-proxy-uri"] = f"http://{server.reachable_host}:{port}"
    if audience:
        values["jwt-aud"] = audience
    configuration = "".join(f"{name} = {_value(value)}\n" for name, value in values.items())
    folder = files("components.containers").joinpath("scripts")
    return Container(
        name=names.container(PART),
        image=image,
        command=("/bin/bash", f"{paths.CONFIGURATION}/api.sh"),
        network=names.network,
        aliases=(PART,),
        files=(
            *(File(f"{paths.CONFIGURATION}/{name}", folder.joinpath(name).read_text("utf-8")) for name in SCRIPTS),
            File(f"{paths.CONFIGURATION}/api.conf", configuration, 0o600),
            *((File(CERTIFICATE, certificate),) if certificate else ()),
        ),
        port=Port(PORT, port, server.bind_address),
        health=Health(("/bin/bash", f"{paths.CONFIGURATION}/api_health.sh"), interval=3),
        limits=Limits(memory=MEMORY),
        labels=names.labels(PART),
        stop_seconds=15,
    )


def _value(value: str | int | bool) -> str:
    """As PostgREST's file takes it; a dollar sign would start an interpolation of the environment."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$") + '"'
