"""Retention policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..catalog import Catalog
from ..hazards import Hazard, data_loss
from ..interval import parse_interval
from ..render import render
from ..specs.retention_policy import RetentionPolicy
from ..statement import LockLevel, Statement
from ._policies import RETENTION, alter_policy, interval, interval_of, policy_rows, regclass
from .base import Context, Kind, changed, statement


class RetentionPolicyKind(Kind[RetentionPolicy]):
    """add_retention_policy(); the policy drops what is too old at its next run, so a new or shorter age is a loss."""

    spec = RetentionPolicy
    sources = ("job",)
    needs_timescaledb = True

    def create(self, new: RetentionPolicy, context: Context) -> Iterator[Statement]:
        yield _add(new, losing=True)
        if not new.enabled:
            yield from alter_policy(context, new, RETENTION, enabled=False)

    def drop(self, old: RetentionPolicy, context: Context) -> Iterator[Statement]:
        yield statement("retention_policy/drop", relation=regclass(old))

    def alter(self, old: RetentionPolicy, new: RetentionPolicy, context: Context) -> Iterator[Statement]:
        harsher = _days(new) < _days(old) or (new.enabled and not old.enabled)
        if old.schedule_interval is not None and new.schedule_interval is None:
            # Back to the server's default, which only the server knows.
            yield from self.drop(old, context)
            yield _add(new, losing=harsher)
            if not new.enabled:
                yield from alter_policy(context, new, RETENTION, enabled=False)
            return
        for step in alter_policy(
            context,
            new,
            RETENTION,
            {"drop_after": new.drop_after} if changed(old, new, "drop_after") else None,
            new.schedule_interval if changed(old, new, "schedule_interval") else None,
            new.enabled if changed(old, new, "enabled") else None,
        ):
            yield Statement(step.sql, step.lock, (_loss(new),) if harsher else ())

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], RetentionPolicy]:
        found: dict[tuple[str, ...], RetentionPolicy] = {}
        for row in policy_rows(catalog, RETENTION):
            drop_after = interval_of(row["config"], "drop_after")
            if drop_after is not None:
                found[(row["schema"], row["relation"])] = RetentionPolicy(
                    schema_=row["schema"],
                    relation=row["relation"],
                    drop_after=drop_after,
                    schedule_interval=row["schedule_interval"],
                    enabled=row["scheduled"],
                )
        return found


def _add(policy: RetentionPolicy, losing: bool) -> Statement:
    sql = statement(
        "retention_policy/create",
        relation=regclass(policy),
        after=interval(policy.drop_after),
        every=interval(policy.schedule_interval),
    ).sql
    return Statement(sql, LockLevel.NONE, (_loss(policy),) if losing else ())


def _loss(policy: RetentionPolicy) -> Hazard:
    return data_loss(
        f"chunks of {policy.import_id()} older than {policy.drop_after} are dropped at its next run",
        allow=f"retention:{policy.import_id()}",
        probe=render("retention_policy/older_chunks", policy=policy, after=interval(policy.drop_after)),
    )


def _days(policy: RetentionPolicy) -> float:
    return parse_interval(policy.drop_after).approximate_days()
