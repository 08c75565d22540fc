"""The stack's database as flowsctl uses it: running, connected to, asked a few questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowsctl.errors import FlowsError, UsageError
from flowsctl.stack_outputs import Api, Database, StackOutputs
from flowsctl.workspace import Workspace

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 10
API_SECONDS = 2
AUTHENTICATOR = "authenticator"
API_ROLES = """
select role.rolname
from pg_auth_members member
join pg_roles role on role.oid = member.roleid
where member.member = to_regrole(%s)
order by 1
"""
EMBEDDED = "embedded"


def ensure_running(workspace: Workspace, outputs: StackOutputs) -> None:
    """Start the embedded server where that is the engine and its process is gone.

    Raises FlowsError where it does not start.
    """
    if outputs.engine != EMBEDDED:
        return
    from pulumi_timescaledb.local.server import EmbeddedServer, LocalServerError

    try:
        EmbeddedServer(workspace.data, outputs.database.port).ensure_running()
    except LocalServerError as error:
        raise FlowsError(str(error), "run make setup, then flowsctl up") from error


def start_early(workspace: Workspace, engine: str) -> None:
    """Start the embedded server, if that is the engine, beside what else an update begins with: booting takes seconds
    in which the Pulumi command only starts. Whoever needs it first waits for it; what is wrong with it shows there."""
    if engine != EMBEDDED:
        return
    import contextlib
    import threading

    from pulumi_timescaledb.local.server import EmbeddedServer, LocalServerError

    def start() -> None:
        with contextlib.suppress(LocalServerError, OSError):
            EmbeddedServer(workspace.data).ensure_running()

    threading.Thread(target=start, daemon=True, name="embedded server").start()


def remove_local_processes(workspace: Workspace) -> None:
    """Stop the embedded server and its API and delete their folders; nothing where there are none."""
    if not workspace.data.exists():
        return
    from pulumi_timescaledb.local.postgrest import EmbeddedApi
    from pulumi_timescaledb.local.server import EmbeddedServer

    for folder in [*workspace.data.iterdir(), workspace.data]:
        if (folder / "api.json").exists():
            EmbeddedApi(folder, 0).stop()
        if (folder / "host.json").exists():
            EmbeddedServer(folder).remove()


def has_stopped(workspace: Workspace, outputs: StackOutputs) -> bool:
    """Whether an embedded server or its API is not there any more, as after a restart of the machine."""
    if outputs.engine != EMBEDDED:
        return False
    from pulumi_timescaledb.local.server import EmbeddedServer

    server = EmbeddedServer(workspace.data, outputs.database.port)
    return not server.is_running() or (outputs.api is not None and not listens(outputs.api))


def listens(api: Api) -> bool:
    """Whether something accepts connections where the API should be."""
    import socket
    from urllib.parse import urlsplit

    where = urlsplit(api.url)
    try:
        socket.create_connection((where.hostname or "", where.port or 443), API_SECONDS).close()
    except OSError:
        return False
    return True


def tls(database: Database) -> dict[str, str]:
    """libpq's settings for TLS, those that are said."""
    return {key: getattr(database, key) for key in ("sslmode", "sslrootcert") if getattr(database, key)}


def connect(workspace: Workspace, outputs: StackOutputs) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection in autocommit as the stack's own user. Raises FlowsError where it fails."""
    import psycopg

    ensure_running(workspace, outputs)
    database = outputs.database
    options: dict[str, Any] = tls(database)
    try:
        return psycopg.connect(
            host=database.host,
            port=database.port,
            dbname=database.name,
            user=database.user,
            password=outputs.passwords.get(database.user),
            **options,
            connect_timeout=CONNECT_SECONDS,
            application_name="flowsctl",
            autocommit=True,
            prepare_threshold=None,  # the embedded server pools by transaction: no named prepared statements
        )
    except psycopg.OperationalError as error:
        sentence = " ".join(str(error).split())
        raise FlowsError(f"the database does not answer: {sentence}", "run flowsctl up") from error


def api_role(workspace: Workspace, outputs: StackOutputs, name: str) -> str:
    """The role that the API shall take on for a token, as it is called on the server, from its name with or without the
    stack's prefix. Raises UsageError, naming the roles there are, for another one."""
    allowed = _api_roles(workspace, outputs)
    for role in (name, f"{outputs.role_prefix}{name}"):
        if role in allowed:
            return role
    raise UsageError(f"the API cannot take on role {name}", f"take one of {', '.join(allowed)}")


def _api_roles(workspace: Workspace, outputs: StackOutputs) -> list[str]:
    with connect(workspace, outputs) as connection:
        rows = connection.execute(API_ROLES, [f"{outputs.role_prefix}{AUTHENTICATOR}"]).fetchall()
    return [str(row[0]) for row in rows]


def esco_codes(workspace: Workspace, outputs: StackOutputs) -> list[str]:
    """The codes of all escos, sorted. Raises FlowsError where the database cannot be asked."""
    import psycopg

    with connect(workspace, outputs) as connection:
        try:
            rows = connection.execute("select code from flows.escos order by code").fetchall()
        except psycopg.Error as error:
            raise FlowsError(f"flows.escos cannot be read: {str(error).strip()}", "run flowsctl up") from error
    return [str(row[0]) for row in rows]


def esco_id(workspace: Workspace, outputs: StackOutputs, code: str) -> str:
    """The uuid of an esco. Raises UsageError, naming the known codes, where there is none of that code."""
    with connect(workspace, outputs) as connection:
        row = connection.execute("select id from flows.escos where code = %s", [code]).fetchone()
    if row is None:
        known = ", ".join(esco_codes(workspace, outputs))
        way_out = f"take one of {known}" if known else "there are no escos yet: run flowsctl demo load"
        raise UsageError(f"there is no esco with code {code}", way_out)
    return str(row[0])
