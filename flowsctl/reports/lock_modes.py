"""Lock modes as `pg_locks` calls them, and which is the stronger."""

from __future__ import annotations

from pulumi_timescaledb.statement import LockLevel

MODES = {f"{''.join(part.title() for part in level.split())}Lock": level for level in LockLevel if level}
STRENGTH = {level: number for number, level in enumerate(LockLevel)}
Locks = dict[str, LockLevel]
"""Relation -> strongest mode."""


def add(locks: Locks, relation: str, level: LockLevel) -> None:
    """Notes a lock, if it is stronger than what is known of the relation."""
    if STRENGTH[level] > STRENGTH[locks.get(relation, LockLevel.NONE)]:
        locks[relation] = level


def stops_writers(level: LockLevel) -> bool:
    """Whether an INSERT has to wait (documentation of PostgreSQL 17, table 13.2)."""
    return STRENGTH[level] >= STRENGTH[LockLevel.SHARE]
