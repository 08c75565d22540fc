"""Proving a change on a throw-away copy: locks really taken, a second preview that is empty, rows left alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from flowsctl.reports.lock_modes import MODES, STRENGTH, Locks, add, stops_writers
from flowsctl.reports.trial import Trial
from flowsctl.reports.waits import NOT_HERE, Waits, Watch
from pulumi_timescaledb.connection import ConnectionSettings
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.plan import Step
from pulumi_timescaledb.planner import Planned
from pulumi_timescaledb.specs import Reference
from pulumi_timescaledb.sqltext import display, literal, qualified
from pulumi_timescaledb.statement import LockLevel
from pulumi_timescaledb.whole import Whole

_LOCKS = """
SELECT c.oid::pg_catalog.regclass::text AS relation, l.mode
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE l.granted AND c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname = ANY(%s)
"""


@dataclass
class Proof:
    """What a trial showed. `locks`: subject -> relation -> strongest lock mode held when its statements were done, or
    that was seen while the engine ran them."""

    locks: dict[str, dict[str, str]] = field(default_factory=dict)
    stronger: list[str] = field(default_factory=list)
    """Statements whose own table was locked harder than the plan says."""
    unmeasured: list[str] = field(default_factory=list)
    remaining: list[str] = field(default_factory=list)
    """What a second preview would still change."""
    tables: int = 0
    changed_tables: list[str] = field(default_factory=list)
    """Tables that the plan does not touch and whose rows are not what they were."""
    waits: Waits = field(default_factory=lambda: NOT_HERE)

    @property
    def holds(self) -> bool:
        """Whether the second preview was empty and the other rows are as they were."""
        return not self.remaining and not self.changed_tables

    @property
    def headline(self) -> str:
        """One line."""
        second = f"{len(self.remaining)} changes left" if self.remaining else "empty"
        rows = f"{len(self.changed_tables)} of {self.tables} CHANGED" if self.changed_tables else f"{self.tables} equal"
        harder = f", {len(self.stronger)} locks stronger than planned" if self.stronger else ""
        waited = f", a writer waited up to {self.waits.longest:.2f} s" if self.waits.longest else ""
        return f"proved on a copy: second preview {second}, untouched tables {rows}{harder}{waited}"

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "holds": self.holds,
            "locks": self.locks,
            "strongerThanPlanned": self.stronger,
            "unmeasured": self.unmeasured,
            "secondPreview": self.remaining,
            "untouchedTables": self.tables,
            "changedTables": self.changed_tables,
            "waits": self.waits.as_json(),
        }


def prove(trial: Trial, planned: Planned, new: Whole) -> Proof:
    """Rehearses the plan's statements in one transaction that is rolled back, reading the locks; then has the engine
    apply the program for real, watched where the server has more than one backend, and looks at what it left.

    Raises:
        FlowsError: the update, or the second preview, failed on the copy.
    """
    proof, steps = Proof(), planned.plan.steps
    tables = _untouched(planned, new)
    schemas = sorted({spec.schema_ for spec in [*planned.standing.applied.of_kind("Table"), *new.of_kind("Table")]})
    with trial.standing():
        with _open(trial.connection) as session:
            unmeasured, stopped = _rehearse(session, steps, schemas, proof)
        before = _fingerprints(trial.connection, tables)
    trial.advance()
    if trial.connection.embedded_folder:
        _apply(trial, planned)
        proof.unmeasured = [f"{subject}: {reason}" for subject, reason in unmeasured.items()]
    else:
        with Watch(trial.connection, _writable(planned, tables, stopped), steps, schemas) as watch:
            _apply(trial, planned)
        proof.waits = watch.waits
        _fill_in(steps, unmeasured, watch.locks, proof)
    again = json.loads(trial.ctl("preview", "--json"))
    proof.remaining = [f"{change['op']} {change['name']}" for change in again["changes"]]
    after = _fingerprints(trial.connection, tables)
    proof.tables = len(tables)
    proof.changed_tables = sorted(".".join(table) for table in tables if before.get(table) != after.get(table))
    return proof


def _apply(trial: Trial, planned: Planned) -> None:
    """A refresh would ask the original: that is where the copied state's provider leads until the first update. So what
    was changed outside is the second one's."""
    trial.ctl("up", "--no-refresh")
    if planned.standing.drifted:
        trial.ctl("up")


def _open(settings: ConnectionSettings) -> psycopg.Connection[Any]:
    if settings.embedded_folder:
        EmbeddedServer(Path(settings.embedded_folder)).ensure_running()
    return psycopg.connect(**settings.conninfo(), prepare_threshold=None)


def _rehearse(
    session: psycopg.Connection[Any], steps: Iterable[Step], schemas: Sequence[str], proof: Proof
) -> tuple[dict[str, str], set[str]]:
    """Locks last until a transaction ends, so each step's are what it adds to those held before it. Returns why a step
    was not rehearsed, by subject, and the relations whose writers would have had to wait."""
    held: Locks = {}
    unmeasured: dict[str, str] = {}
    for step in steps:
        if any(not statement.transactional or statement.secrets for statement in step.statements):
            unmeasured[step.subject] = "not in a transaction, or with a secret"
            continue
        session.execute("SAVEPOINT step")
        try:
            for statement in step.statements:
                session.execute("SET LOCAL search_path TO public")
                session.execute(statement.sql.encode())
        except psycopg.Error as error:
            session.execute("ROLLBACK TO SAVEPOINT step")
            unmeasured[step.subject] = str(error).splitlines()[0]
            continue
        taken = _taken(session, schemas)
        new = {name: mode for name, mode in taken.items() if STRENGTH[mode] > STRENGTH[held.get(name, LockLevel.NONE)]}
        held = taken
        _enter(step, new, proof)
    session.rollback()
    return unmeasured, {relation for relation, mode in held.items() if stops_writers(mode)}


def _taken(session: psycopg.Connection[Any], schemas: Sequence[str]) -> Locks:
    taken: Locks = {}
    for relation, mode in session.execute(_LOCKS, [list(schemas)]).fetchall():
        if mode in MODES:
            add(taken, relation, MODES[mode])
    return taken


def _fill_in(steps: Iterable[Step], unmeasured: dict[str, str], seen: dict[str, Locks], proof: Proof) -> None:
    """Locks that were seen while the engine applied what could not be rehearsed."""
    for step in steps:
        if step.subject not in unmeasured:
            continue
        if locks := seen.get(step.subject):
            _enter(step, locks, proof)
        else:
            proof.unmeasured.append(f"{step.subject}: {unmeasured[step.subject]}, and over before it was seen")


def _enter(step: Step, taken: Locks, proof: Proof) -> None:
    proof.locks[step.subject] = {name: str(mode) for name, mode in sorted(taken.items())}
    planned = max((STRENGTH[each.lock] for each in step.statements), default=0)
    own = {f"{'.'.join(r.identity)}" for r in (*step.spec.provides(), *filter(None, [step.spec.parent()]))}
    for relation, level in taken.items():
        if relation.replace('"', "") in own and STRENGTH[level] > planned and step.verb != "create":
            proof.stronger.append(
                f"{step.subject}: {level} on {relation}, planned {list(LockLevel)[planned] or 'none'}"
            )


def _writable(planned: Planned, untouched: Sequence[tuple[str, str]], stopped: set[str]) -> set[tuple[str, str]]:
    """Tables that stand and that the plan touches, or that it locks though it touches others."""
    standing = {spec.identity() for spec in planned.standing.applied.of_kind("Table")}
    return {each for each in standing if each not in untouched or display(*each) in stopped}


def _untouched(planned: Planned, new: Whole) -> list[tuple[str, str]]:
    """Tables that stand before and after and that no step is about, directly or by what hangs on them."""
    touched: set[Reference] = set()
    for step in planned.plan.steps:
        for spec in (step.spec, *([step.before] if step.before else [])):
            touched |= {*spec.provides(), *filter(None, [spec.parent()])}
    both = [spec for spec in planned.standing.applied.of_kind("Table") if new.get("Table", *spec.identity())]
    return [spec.identity() for spec in both if not touched & set(spec.provides())]


def _fingerprints(connection: ConnectionSettings, tables: Sequence[tuple[str, str]]) -> dict[tuple[str, ...], Any]:
    """Row count and a checksum that no order of rows changes."""
    if not tables:
        return {}
    select = " UNION ALL ".join(
        f"SELECT {literal(schema)}, {literal(name)}, pg_catalog.count(*), "
        f"pg_catalog.sum(pg_catalog.hashtextextended(t::text, 0)::numeric) FROM {qualified(schema, name)} t"
        for schema, name in tables
    )
    with _open(connection) as session:
        return {(row[0], row[1]): (row[2], row[3]) for row in session.execute(select.encode()).fetchall()}
