"""Errors that reach a user: one sentence each, with the object's name and the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg


class ProviderError(Exception):
    """A failure to report as it stands; its text holds no secret."""


class Declined(ProviderError):
    """Not a failure: the provider will not do it, by its rules or to protect data. `flowsctl` ends with code 3."""


class Unreachable(ProviderError):
    """The server cannot be reached."""


class LibraryMissing(Unreachable):
    """The server answers nothing, because its files have no library of the version that its extension timescaledb
    has. `where` names the database, `reason` is the server's own sentence, `reachable` are the versions that its files
    can update the extension to."""

    def __init__(self, where: str, reason: str, has: str, there: str, reachable: Sequence[str]) -> None:
        self.has, self.there, self.reachable = has, there, tuple(reachable)
        self.found = (
            f"{where} has TimescaleDB {has}, and the server's files have no library of that version, but of {there} "
            f"({' '.join(reason.split())})."
        )
        if self.reachable:
            way = (
                f"Declare version {there} of Extension timescaledb and run the update: it upgrades the extension "
                "before anything else. Or go back to the earlier files (the earlier image)."
            )
        else:
            way = f"{self._no_update} Use files (an image) that have {has} or a later version."
        super().__init__(f"{self.found} {way}")

    @property
    def _no_update(self) -> str:
        return f"No update leads from {self.has} to {self.there}: extensions have no downgrade."

    def refuse(self, declared: str) -> None:
        """Raises LibraryMissing, now with the declared version in its words, unless the files can update to that."""
        if declared in self.reachable:
            return
        if self.reachable:
            way = f"Declare {self.there}, or use files (an image) that have {declared}."
        else:
            way = f"{self._no_update} Use files (an image) that have {declared}."
        self.args = (f"Extension timescaledb is declared with version {declared}. {self.found} {way}",)
        raise self


class Foreign(Declined):
    """An object is there and is not ours."""


class Drifted(Declined):
    """The server's object is neither what the state says nor what the program wants."""


class DataWouldBeLost(Declined):
    """A change that loses data and was not allowed."""


class StatementFailed(ProviderError):
    """The server refused a statement. Carries the SQLSTATE."""

    def __init__(self, text: str, sqlstate: str | None) -> None:
        super().__init__(text)
        self.sqlstate = sqlstate


_WAYS_OUT = {
    "2BP01": "Something depends on it that cannot be rebuilt with it or is not declared: declare it, or change or "
    "drop that first.",
    "42501": "Give the provider's user that right, or connect as the owner.",
    "42P01": "Declare it, or check its name.",
    "53100": "Free disk space on the server and run again; nothing of this change was kept.",
    "55P03": "Another session holds the lock: end it, or run again later.",
    "57014": "It ran into the statement timeout: raise the provider's statementTimeout.",
}


def statement_failed(subject: str, sql: str, error: psycopg.Error) -> StatementFailed:
    """What to tell of a server error. `sql` is the statement without its secrets."""
    diagnostic = error.diag
    reason = (diagnostic.message_primary or str(error)).strip().rstrip(".")
    parts = [f"{subject}: {reason}."]
    for extra in (diagnostic.message_detail, diagnostic.message_hint):
        if extra:
            parts.append(extra.strip().rstrip(".") + ".")
    # ALTER COLUMN TYPE says it with the code for "not supported" (PostgreSQL 17, ATExecAlterColumnType).
    blocked = error.sqlstate == "0A000" and "depends on column" in (diagnostic.message_detail or "")
    if way_out := _WAYS_OUT.get("2BP01" if blocked else error.sqlstate or ""):
        parts.append(way_out)
    parts.append(f"Statement: {' '.join(sql.split())[:500]}")
    return StatementFailed(" ".join(parts), error.sqlstate)


def is_transient(error: BaseException) -> bool:
    """Whether the same transaction may succeed when run again: deadlock, serialization failure, lock timeout, or two
    sessions changing one catalog row, which has no SQLSTATE of its own (cyrilgdn/terraform-provider-postgresql 178)."""
    sqlstate = getattr(error, "sqlstate", None)
    return sqlstate in ("40P01", "40001", "55P03") or (sqlstate == "XX000" and "tuple concurrently" in str(error))
