"""Functions and procedures of the schema flows (DOMAIN 8).

Every body names its objects with their schema and runs with an empty search_path, so that nobody can slip in an
object of the same name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pulumi_timescaledb.specs.base import Spec
from pulumi_timescaledb.specs.function import Argument, Function

from .settings import LEVELS, Settings
from .sql import sql

FIXED = {"search_path": ""}
JOB_ARGUMENTS = (Argument(name="job_id", type="integer"), Argument(name="config", type="jsonb"))

HISTORY: dict[str, dict[str, Any]] = {
    "csq": {"table": "meter_csq", "sources": ("csq",), "targets": ("csq",)},
    "voltage": {"table": "meter_voltage", "sources": ("voltage",), "targets": ("voltage",)},
    "3p_voltage": {
        "table": "meter_3p_voltage",
        "sources": ("3p_voltage_l1", "3p_voltage_l2", "3p_voltage_l3"),
        "targets": ("voltage_l1", "voltage_l2", "voltage_l3"),
    },
    "prepay_balance": {"table": "meter_prepay_balance", "sources": ("balance",), "targets": ("balance",)},
    "health_history": {
        "table": "meter_health_history",
        "sources": ("health",),
        "targets": ("health",),
        "required": "health",
    },
}
"""`meter_<name>_insert` -> the history table it writes and the shadow columns it copies."""

READINGS = {
    "import_a": ("A", "SINGLE"),
    "import_b": ("B",),
    "export_a": ("A", "SINGLE"),
    "export_b": ("B",),
}
"""Shadow column, which names the function `register_<column>_insert` -> elements whose register gets the reading."""

MISSING = {
    "register_interval_hh_missing": ("register_interval_hh", 48),
    "register_import_missing": ("register_import", 1),
    "register_export_missing": ("register_export", 1),
}
"""Missing-data view -> the series it looks at and the rows expected per day."""


def trigger_function(name: str, body: str, comment: str, *, definer: bool = True) -> Function:
    """A function for triggers; a definer writes what the role that fired it may not."""
    return Function(
        schema="flows",
        name=name,
        returns="trigger",
        body=f"\n{body}\n",
        security_definer=definer,
        settings=FIXED,
        comment=comment,
    )


def job_function(schema: str, name: str, body: str, comment: str) -> Function:
    """A function that the scheduler runs as its owner."""
    return Function(
        schema=schema,
        name=name,
        arguments=JOB_ARGUMENTS,
        returns="void",
        body=f"\n{body}\n",
        settings=FIXED,
        comment=comment,
    )


def meters_for_cli(schema: str, source: str) -> Function:
    """The meter list of the command line: invoker's rights, so each role gets its own esco's meters."""
    result = (
        "TABLE(id uuid, ip_address text, serial text, name text, single_meter_app boolean, esco text, csq integer, "
        "health text, hardware text, feeder text)"
    )
    return Function(
        schema=schema,
        name="get_meters_for_cli",
        arguments=(
            Argument(name="esco_filter", type="text", default="NULL::text"),
            Argument(name="feeder_filter", type="text", default="NULL::text"),
        ),
        returns=result,
        language="sql",
        body=f"\n{sql('functions/get_meters_for_cli', schema=source)}\n",
        volatility="stable",
        settings=FIXED,
        comment="Active meters, one row per meter and feeder. A null filter is all; feeder 'null' is none.",
    )


def _triggers() -> Iterator[Function]:
    yield trigger_function(
        "updated_at_now",
        sql("functions/updated_at_now"),
        "Sets updated_at to the start of the statement.",
        definer=False,
    )
    yield trigger_function(
        "meter_shadows_insert_new", sql("functions/meter_shadows_insert_new"), "Creates the shadow of a new meter."
    )
    for name, values in HISTORY.items():
        body = sql("functions/meter_history_insert", **{"required": None, **values})
        yield trigger_function(f"meter_{name}_insert", body, f"Copies a shadow's change into {values['table']}.")
    yield trigger_function(
        "meter_shadows_last_healthy",
        sql("functions/meter_shadows_last_healthy"),
        "Sets last_healthy_at when a meter is healthy.",
        definer=False,
    )
    for source, elements in READINGS.items():
        table = f"register_{source.partition('_')[0]}"
        body = sql("functions/register_reading_insert", source=source, table=table, elements=elements)
        yield trigger_function(
            f"register_{source}_insert",
            body,
            f"Copies a shadow's {source} into {table}, for the meter's enabled register of element "
            f"{' or '.join(elements)}.",
        )
    yield trigger_function(
        "circuit_register_guard",
        sql("functions/circuit_register_guard"),
        "Keeps a circuit within one esco, and a register from counting twice in it.",
    )
    yield trigger_function(
        "properties_service_head_guard",
        sql("functions/properties_service_head_guard"),
        "Keeps a property within one esco.",
    )


def _jobs() -> Iterator[Function]:
    for view in MISSING:
        body = sql("functions/refresh_missing", view=view)
        yield job_function("flows", f"refresh_{view}", body, f"Refreshes {view} while it can be read.")
    yield job_function(
        "flows",
        "prune_meter_event_log",
        sql("functions/prune_meter_event_log"),
        "Deletes rows of meter_event_log older than config's older_than.",
    )


def declarations(settings: Settings) -> list[Spec]:
    """Every function and procedure of the schema flows."""
    levels = [level for level, _ in LEVELS] if settings.edition == "community" else []
    refresh = Function(
        schema="flows",
        name="refresh_circuit_aggregates",
        procedure=True,
        arguments=(
            Argument(name="from_time", type="timestamptz"),
            Argument(name="to_time", type="timestamptz", default="now()"),
        ),
        body=f"\n{sql('functions/refresh_circuit_aggregates', levels=levels)}\n",
        comment="Rebuilds the circuit aggregates after circuit_register changed. CALL it outside a transaction.",
    )
    return [*_triggers(), *_jobs(), refresh, meters_for_cli("flows", "flows")]
