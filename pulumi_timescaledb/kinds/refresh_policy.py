"""Refresh policies of continuous aggregates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..catalog import Catalog
from ..interval import normal_interval
from ..specs.refresh_policy import RefreshPolicy
from ..statement import Statement
from ._policies import REFRESH, alter_policy, interval, interval_of, policy_rows, regclass
from .base import Context, Kind, changed, statement


class RefreshPolicyKind(Kind[RefreshPolicy]):
    """add_continuous_aggregate_policy(). Its window can be altered in place, open ends included, but then the server
    does not check that it holds two buckets (TimescaleDB 2.23, measured): such a window never refreshes anything. So
    a changed window is a policy removed and added again, which is checked."""

    spec = RefreshPolicy
    sources = ("job",)
    needs_timescaledb = True

    def create(self, new: RefreshPolicy, context: Context) -> Iterator[Statement]:
        yield statement(
            "refresh_policy/create",
            relation=regclass(new),
            start=interval(new.start_offset),
            end=interval(new.end_offset),
            every=interval(new.schedule_interval),
        )
        if not new.enabled:
            yield from alter_policy(context, new, REFRESH, enabled=False)

    def drop(self, old: RefreshPolicy, context: Context) -> Iterator[Statement]:
        yield statement("refresh_policy/drop", relation=regclass(old))

    def alter(self, old: RefreshPolicy, new: RefreshPolicy, context: Context) -> Iterator[Statement]:
        if changed(old, new, "start_offset", "end_offset"):
            yield from self.drop(old, context)
            yield from self.create(new, context)
            return
        yield from alter_policy(
            context,
            new,
            REFRESH,
            schedule_interval=new.schedule_interval if changed(old, new, "schedule_interval") else None,
            enabled=new.enabled if changed(old, new, "enabled") else None,
        )

    def read(self, catalog: Catalog) -> Mapping[tuple[str, ...], RefreshPolicy]:
        """Offsets of an aggregate with integer time are numbers: left out. What the server holds is taken unchecked,
        so that a window nobody could declare shows as a difference, not as a failure to read."""
        found: dict[tuple[str, ...], RefreshPolicy] = {}
        for row in policy_rows(catalog, REFRESH):
            config = row["config"] or {}
            if not any(isinstance(config.get(name), int) for name in ("start_offset", "end_offset")):
                found[(row["schema"], row["relation"])] = RefreshPolicy.model_construct(
                    schema_=row["schema"],
                    relation=row["relation"],
                    start_offset=_normal(interval_of(config, "start_offset")),
                    end_offset=_normal(interval_of(config, "end_offset")),
                    schedule_interval=normal_interval(row["schedule_interval"]),
                    enabled=row["scheduled"],
                )
        return found


def _normal(text: str | None) -> str | None:
    return None if text is None else normal_interval(text)
