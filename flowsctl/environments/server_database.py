"""The database of an environment on a shared server: a new one, or a copy of its origin's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from flowsctl.environments import server_claim
from flowsctl.environments.server_claim import Label, Session
from flowsctl.errors import FlowsError

ATTEMPTS = 5
CLEARING_SECONDS = 0.1
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
    session.execute(_create(label, "template0"))
    _open(session, label)


def copy(session: Session, label: Label, template: str, *, disconnect: bool) -> None:
    """A copy of `template`, which nobody may use meanwhile: its clients are ended only if that is asked for.

    TimescaleDB's own hook of CREATE DATABASE stops the workers of a template and starts them again. One may come in
    between, whether they were stopped before or not (seen with 2.29.2), so it is tried again.

    Raises:
        InUse: there are clients.
        FlowsError: they come again and again.
    """
    command = _create(label, template)
    for _ in range(ATTEMPTS):
        _clear(session, template, disconnect=disconnect)
        with _kept_clear(session, template) if disconnect else nullcontext():
            is_made = _created(session, command)
        if is_made:
            _open(session, label)
            return
    raise FlowsError(
        f"database {template} is in use again whenever it shall be copied", "stop what connects to it, and try again"
    )


def _create(label: Label, template: str) -> Composed:
    """Closed to everybody, since what may be done in a copy are the rights that the origin's roles have in it."""
    command = SQL("CREATE DATABASE {} TEMPLATE {} ALLOW_CONNECTIONS false")
    return command.format(Identifier(label.database), Identifier(template))


def _open(session: Session, label: Label) -> None:
    """For its owner alone; the environment's own roles are let in by its `up`. Rights on a database are not copied."""
    name = Identifier(label.database)
    session.execute(SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(name))
    session.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
    server_claim.extend(session, label)


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


@contextmanager
def _kept_clear(session: Session, template: str) -> Iterator[None]:
    """Ends the template's clients again and again. One that comes back at once, as an API does, is there before CREATE
    DATABASE has its lock; with that it holds newcomers at the door and waits five seconds for those inside."""
    ended = threading.Event()

    def clear() -> None:
        there: dict[str, Any] = {**session.info.get_parameters(), "password": session.info.password}
        with suppress(psycopg.Error), psycopg.connect(**there, autocommit=True) as beside:
            while not ended.wait(CLEARING_SECONDS):
                _clear(beside, template, disconnect=True)

    thread = threading.Thread(target=clear)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _created(session: Session, command: Composed) -> bool:
    try:
        session.execute(command)
    except psycopg.errors.ObjectInUse:
        return False
    return True
