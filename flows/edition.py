"""The Flows database on TimescaleDB's Apache edition, which has no columnstore, no aggregates, no policies and no jobs
(TimescaleDB src/cross_module_fn.c; all else was checked on 2.19.3).

Aggregates become plain views of the same names and columns; jobs and retention become jobs of the backup scheduler
(`scheduled`); the rest is left out. Each of that is a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pulumi_timescaledb.specs.base import Spec
from pulumi_timescaledb.specs.continuous_aggregate import ContinuousAggregate

from .aggregates import plain_view
from .scheduled import kept
from .settings import LEVELS, Settings

LACKING = ("Columnstore", "RetentionPolicy", "RefreshPolicy", "Job")
"""Kinds that have no place here at all."""

_SOURCE = "register_interval_hh"
_VIEWS = tuple(f"circuit_interval_{level}" for level, _ in LEVELS)


def apache(specs: Iterable[Spec]) -> Iterator[Spec]:
    """What of the declarations the edition has."""
    for spec in specs:
        if isinstance(spec, ContinuousAggregate):
            yield plain_view(spec)
        elif spec.KIND not in LACKING:
            yield spec


def warnings(specs: Iterable[Spec], settings: Settings) -> Iterator[str]:
    """A sentence for each kind that the edition lacks: its objects, what is done instead, what that means."""
    names: dict[str, list[str]] = {}
    for spec in specs:
        names.setdefault(spec.KIND, []).append(spec.import_id())
    for kind, sentence in _sentences(settings).items():
        if found := names.get(kind):
            yield f"edition apache has no {kind} ({', '.join(found)}): {sentence}"


def _sentences(settings: Settings) -> dict[str, str]:
    years = kept(settings)
    until = f"for {years}, the longest retention of {_SOURCE} and its views" if years else "for ever"
    return {
        "ContinuousAggregate": "plain views compute the same rows at every query, so that queries over long times are "
        f"slower, and their history goes back as far as that of {_SOURCE}, which is kept {until}.",
        "RefreshPolicy": "nothing has to be refreshed, the views are always up to date.",
        "Columnstore": "old chunks stay rows and are never compressed, so plan for the full size of the data.",
        "RetentionPolicy": "the scheduler's jobs drop old chunks instead; where no scheduler runs, nothing is ever "
        f"dropped. {_SOURCE} is kept {until}, because {', '.join(_VIEWS)} have no rows of their own.",
        "Job": "the scheduler runs the same functions at the same times; where no scheduler runs, the missing-data "
        "views stay as they are, the event log grows and no table sizes are sampled.",
    }
