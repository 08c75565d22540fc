"""The database of an environment on a shared server: a new one, or a copy of its origin's."""

from __future__ import annotations

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from flowsctl.environments import server_claim
from flowsctl.environments.server_claim import Label, Session
from flowsctl.errors import FlowsError

ATTEMPTS = 5
_CLIENTS = """
SELECT pid, coalesce(nullif(application_name, ''), usename::text) FROM pg_catalog.pg_stat_activity
WHERE datname = %s AND backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid()
"""


class InUse(FlowsError):
    """Somebody is connected to a database that shall be copied."""


def make(session: Session, label: Label) -> None:
    """An empty database, which the claim covers.

    Raises:
        psycopg.Error: the server refuses.
    """
    session.execute(SQL("CREATE DATABASE {} TEMPLATE template0").format(Identifier(label.database)))
    server_claim.extend(session, label)


def copy(session: Session, label: Label, template: str, *, disconnect: bool) -> None:
    """A copy of `template`, which nobody may use meanwhile: its clients are ended only if that is asked for.

    TimescaleDB's own hook of CREATE DATABASE stops the workers of a template and starts them again. One may come in
    between, whether they were stopped before or not (seen with 2.29.2), so it is tried again.

    Raises:
        InUse: there are clients.
        FlowsError: they come again and again.
    """
    command = SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(label.database), Identifier(template))
    for _ in range(ATTEMPTS):
        _clear(session, template, disconnect=disconnect)
        if _created(session, command):
            server_claim.extend(session, label)
            return
    raise FlowsError(
        f"database {template} is in use again whenever it shall be copied", "stop what connects to it, and try again"
    )


def _clear(session: Session, template: str, *, disconnect: bool) -> None:
    clients = session.execute(_CLIENTS, [template]).fetchall()
    if clients and not disconnect:
        names = ", ".join(sorted({str(name) for _, name in clients}))
        raise InUse(
            f"database {template} is in use by {len(clients)} sessions ({names}), and a copy needs it alone",
            "--disconnect ends them; clients that connect again wait until the copy is made",
        )
    for pid, _ in clients:
        session.execute("SELECT pg_catalog.pg_terminate_backend(%s, 5000)", [pid])


def _created(session: Session, command: Composed) -> bool:
    try:
        session.execute(command)
    except psycopg.errors.ObjectInUse:
        return False
    return True
