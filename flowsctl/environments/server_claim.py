"""What environments have on a shared server, and whose it is: a claim is a role that nobody logs in as.

Making that role is what takes a name: of two who want it, the server refuses one. Its comment is the label: project,
stack, when it may go, and a random word that only the record of the environment has. Database and roles are named after
the same digest, so that whatever a crash left is found from the claim, which goes last.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from flowsctl.errors import FlowsError
from pulumi_timescaledb.connection import ConnectionSettings

CLAIM = "environment"
READABLE_CHARACTERS = 40
DIGEST_CHARACTERS = 8
Session = psycopg.Connection[tuple[Any, ...]]

_CLAIMS = """
SELECT rolname, pg_catalog.shobj_description(oid, 'pg_authid') FROM pg_catalog.pg_roles
WHERE rolname ~ '^env_[0-9a-f]+_environment$' AND NOT rolcanlogin ORDER BY 1
"""


@dataclass(frozen=True)
class Label:
    """The comment of a claim. `expires` in seconds since 1970, UTC."""

    project: str
    stack: str
    name: str
    expires: float
    word: str = ""

    @property
    def prefix(self) -> str:
        """Before the name of every role of the environment."""
        return f"env_{self._digest}_"

    @property
    def database(self) -> str:
        """What its database is called."""
        readable = re.sub(r"[^a-z0-9]+", "_", f"{self.project}_{self.stack}".lower())[:READABLE_CHARACTERS]
        return f"{readable}_{self._digest}"

    @property
    def _digest(self) -> str:
        return hashlib.sha256(f"{self.project}/{self.stack}".encode()).hexdigest()[:DIGEST_CHARACTERS]


@contextmanager
def connected(there: ConnectionSettings) -> Iterator[Session]:
    """A session in autocommit. Raises FlowsError where the server cannot be reached or refuses something."""
    try:
        with psycopg.connect(**there.conninfo(), autocommit=True) as session:
            yield session
    except psycopg.Error as error:
        raise FlowsError(f"{there.shown()}: {' '.join(str(error).split())}", "correct it and try again") from error


def take(session: Session, label: Label) -> None:
    """Claims names on the server. Raises FlowsError where they are taken."""
    taken = session.execute("SELECT 1 FROM pg_catalog.pg_database WHERE datname = %s", [label.database]).fetchone()
    try:
        if taken is None:
            with session.transaction():
                session.execute(SQL("CREATE ROLE {} NOLOGIN").format(Identifier(label.prefix + CLAIM)))
                _write(session, label)
            return
    except psycopg.errors.DuplicateObject:
        pass
    raise FlowsError(
        f"the server has database or roles of an environment {label.stack}, which this one has not made",
        "it may be another working tree's: destroy it there, or take another name",
    )


def extend(session: Session, label: Label) -> None:
    """Writes a label anew, if it is that environment's own."""
    if _own(session, label):
        _write(session, label)


def every(session: Session, project: str) -> Iterator[Label]:
    """The labels on the server of a project's environments, whoever made them."""
    for role, comment in session.execute(_CLAIMS).fetchall():
        try:
            label = Label(**json.loads(comment))
        except (TypeError, ValueError):
            continue  # another tool's role: not a label of ours
        if label.project == project and role == label.prefix + CLAIM:
            yield label


def remove(session: Session, label: Label) -> None:
    """Database, roles and, last, the claim of an environment; nothing where it is not that environment's own."""
    if not _own(session, label):
        return
    session.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(label.database)))
    with session.transaction():
        mine = "SELECT rolname FROM pg_catalog.pg_roles WHERE pg_catalog.starts_with(rolname, %s)"
        for (role,) in session.execute(mine, [label.prefix]).fetchall():
            session.execute(SQL("DROP ROLE {}").format(Identifier(role)))


def _own(session: Session, label: Label) -> bool:
    return any(each.word == label.word for each in every(session, label.project) if each.stack == label.stack)


def _write(session: Session, label: Label) -> None:
    until = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(label.expires))
    role, text = Identifier(label.prefix + CLAIM), json.dumps(asdict(label))
    session.execute(SQL("COMMENT ON ROLE {} IS {}").format(role, Literal(text)))
    if session.execute("SELECT 1 FROM pg_catalog.pg_database WHERE datname = %s", [label.database]).fetchone():
        told = f"Environment of stack {label.stack} ({label.name}), until {until}"
        session.execute(SQL("COMMENT ON DATABASE {} IS {}").format(Identifier(label.database), Literal(told)))
