"""Views and materialized views of the schema flows (DOMAIN 6).

Views over plain tables use the caller's rights and policies. Those over meter_csq cannot, because nobody may read
hypertables across escos: they use their owner's rights and carry the esco predicate.
"""

from __future__ import annotations

from collections.abc import Mapping

from pulumi_timescaledb.specs.base import Spec
from pulumi_timescaledb.specs.materialized_view import MaterializedView
from pulumi_timescaledb.specs.view import View

from .functions import MISSING
from .settings import Settings
from .sql import sql

_METER = {"id": "Meter.", "serial": "Serial number of the meter.", "name": "Name of the meter for people."}
_ONLINE = {"last_online": "Time of the newest signal reading; null if there is none."}


def _tariff_comments() -> dict[str, str]:
    values = {
        "standing_charge": "standing charge in pounds per day",
        "unit_rate_a": "unit rate of element A in pounds per kWh",
        "unit_rate_b": "unit rate of element B in pounds per kWh",
        "ecredit_availability": "balance below which emergency credit is offered",
        "debt_recovery_rate": "daily deduction for debt in pounds",
        "emergency_credit": "emergency credit in pounds",
    }
    comments = {
        f"{state}_{name}": f"{state.title()} tariff: {text}."
        for state in ("active", "future")
        for name, text in values.items()
    }
    return {
        "id": _METER["id"],
        "serial": _METER["serial"],
        **comments,
        "future_activation_datetime": "When the future tariff starts, in the meter's local time.",
    }


COMMENTS: dict[str, tuple[str, Mapping[str, str]]] = {
    "meter_shadows_tariffs": ("Active and future tariff of each meter, one column per value.", _tariff_comments()),
    "meters_low_balance": (
        "Prepayment meters that need a top-up.",
        {**_METER, "balance": "Balance in pounds."},
    ),
    "meters_offline_recently": ("Meters that fell silent within the last day.", {**_ONLINE, **_METER}),
    "meters_offline_all": ("Meters that are silent, active ones that never reported included.", {**_ONLINE, **_METER}),
    "meters_clock_drift": (
        "Meters whose clock is off, the worst first.",
        {"clock_time_diff_seconds": "Clock error in seconds, either sign.", **_METER},
    ),
}
"""View -> its comment and its columns' comments, which the API view shares."""

OVER_SERIES = frozenset({"meters_offline_recently", "meters_offline_all"})
"""Views that read a hypertable."""

MISSING_COMMENTS = {
    "register_id": "Register.",
    "date": "Start of the day, in UTC.",
    "record_count": "Rows found that day.",
    "missing_count": "Rows expected but not found; never below zero.",
}


def missing_comment(view: str) -> str:
    """Comment of a missing-data view."""
    table, expected = MISSING[view]
    return f"Rows of {table} per register and day of its life, against {expected} expected; refreshed daily."


def queries(settings: Settings) -> dict[str, str]:
    """View -> its query, which the API view repeats: rights of the caller would pass through a view over a view."""
    offline = {
        "meters_offline_recently": settings.offline_recent_limit,
        "meters_offline_all": None,
    }
    return {
        "meter_shadows_tariffs": sql("views/meter_shadows_tariffs"),
        "meters_low_balance": sql("views/meters_low_balance", low_balance=settings.low_balance),
        **{
            name: sql("views/meters_offline", offline_after=settings.offline_after, recent_limit=limit)
            for name, limit in offline.items()
        },
        "meters_clock_drift": sql("views/meters_clock_drift", clock_drift_seconds=settings.clock_drift_seconds),
    }


def _view(name: str, query: str) -> View:
    comment, column_comments = COMMENTS[name]
    invoker = name not in OVER_SERIES
    return View(
        schema="flows",
        name=name,
        query=query,
        security_invoker=invoker,
        security_barrier=not invoker,
        comment=comment,
        column_comments=column_comments,
    )


def declarations(settings: Settings) -> list[Spec]:
    """The five views and three materialized views."""
    specs: list[Spec] = [_view(name, query) for name, query in queries(settings).items()]
    for view, (table, expected) in MISSING.items():
        query = sql("views/register_missing", table=table, expected=expected, days=settings.missing_data_days)
        specs.append(
            MaterializedView(
                schema="flows",
                name=view,
                query=query,
                with_data=True,
                comment=missing_comment(view),
                column_comments=MISSING_COMMENTS,
            )
        )
    return specs
