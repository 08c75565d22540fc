"""Triggers (DOMAIN 8), under the names of the existing database.

UPDATE OF fires when a column is named, even unchanged. That is wanted: the offline views live from repeated csq rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pulumi_timescaledb.specs.base import Spec
from pulumi_timescaledb.specs.trigger import Trigger

from .functions import HISTORY, READINGS
from .settings import Settings

_HISTORY_TRIGGERS = {
    "csq": "meter_shadows_csq_update",
    "voltage": "meter_shadows_voltage_update",
    "3p_voltage": "meter_shadows_3p_voltage_update",
    "prepay_balance": "meter_shadows_prepay_balance_update",
    "health_history": "meter_shadows_health_update",
}


def _trigger(
    name: str,
    table: str,
    timing: Literal["before", "after"],
    events: tuple[Literal["insert", "update"], ...],
    function: str,
    *,
    update_of: tuple[str, ...] = (),
) -> Trigger:
    return Trigger(
        schema="flows",
        relation=table,
        name=name,
        timing=timing,
        events=events,
        update_of=update_of,
        function_schema="flows",
        function=function,
    )


def _bookkeeping() -> Iterator[Trigger]:
    yield _trigger("chargers_updated_at", "ev_chargers", "before", ("update",), "updated_at_now")
    yield _trigger("meter_registry_updated_at", "meter_registry", "before", ("update",), "updated_at_now")
    yield _trigger("meter_shadows_updated_at", "meter_shadows", "before", ("update",), "updated_at_now")
    yield _trigger("meter_registry_insert_shadow", "meter_registry", "after", ("insert",), "meter_shadows_insert_new")
    yield _trigger(
        "meter_shadows_last_healthy",
        "meter_shadows",
        "before",
        ("update",),
        "meter_shadows_last_healthy",
        update_of=("health",),
    )
    yield _trigger(
        "circuit_register_guard", "circuit_register", "before", ("insert", "update"), "circuit_register_guard"
    )
    yield _trigger(
        "properties_service_head_guard",
        "properties_service_head",
        "before",
        ("insert", "update"),
        "properties_service_head_guard",
    )


def declarations(settings: Settings) -> list[Spec]:
    """Every trigger."""
    history = [
        _trigger(
            _HISTORY_TRIGGERS[name],
            "meter_shadows",
            "after",
            ("update",),
            f"meter_{name}_insert",
            update_of=values["sources"],
        )
        for name, values in HISTORY.items()
    ]
    readings = [
        _trigger(
            f"meter_shadows_{column}_update",
            "meter_shadows",
            "after",
            ("update",),
            f"register_{column}_insert",
            update_of=(column,),
        )
        for column in READINGS
    ]
    return [*_bookkeeping(), *history, *readings]
