"""Foreign keys, in the three styles of DOMAIN 3, and indexes."""

from __future__ import annotations

from typing import Any

from pulumi_timescaledb.specs.base import Spec
from pulumi_timescaledb.specs.foreign_key import ForeignKey
from pulumi_timescaledb.specs.index import Index, IndexKey

from .settings import Settings

F0: dict[str, Any] = {}
"""No action, not deferrable."""
F1: dict[str, Any] = {"on_update": "restrict", "on_delete": "restrict"}
"""Restricted, not deferrable."""
F2: dict[str, Any] = {**F1, "deferrable": True, "initially_deferred": True}
"""Restricted; a child may be inserted before its parent within one transaction."""

_FOREIGN_KEYS = (
    ("sites_new", "esco", "escos", "id", F2),
    ("properties", "site", "sites_new", "id", F2),
    ("feeder_registry", "esco", "escos", "id", F2),
    ("service_head_registry", "feeder", "feeder_registry", "id", F2),
    ("ev_chargers", "esco", "escos", "id", F0),
    ("meter_registry", "esco", "escos", "id", F2),
    ("meter_tophat_registry", "meter", "meter_registry", "id", F2),
    ("meter_registers", "meter_id", "meter_registry", "id", F0),
    ("meter_shadows", "id", "meter_registry", "id", F2),
    ("meter_event_log", "meter_id", "meter_registry", "id", F2),
    ("circuit_register", "circuit", "circuits", "id", F0),
    ("circuit_register", "register", "meter_registers", "register_id", F0),
    ("service_head_meter", "service_head", "service_head_registry", "id", F2),
    ("service_head_meter", "meter", "meter_registry", "id", F2),
    ("properties_service_head", "property", "properties", "id", F2),
    ("properties_service_head", "service_head", "service_head_registry", "id", F2),
    ("register_import", "register_id", "meter_registers", "register_id", F2),
    ("register_export", "register_id", "meter_registers", "register_id", F2),
    ("register_interval_hh", "register_id", "meter_registers", "register_id", F2),
    ("meter_prepay_balance", "meter_id", "meter_registry", "id", F1),
    ("meter_csq", "meter_id", "meter_registry", "id", F1),
    ("meter_voltage", "meter_id", "meter_registry", "id", F2),
    ("meter_3p_voltage", "meter_id", "meter_registry", "id", F2),
    ("meter_health_history", "meter_id", "meter_registry", "id", F2),
)

_KEY_NAMES = {
    ("register_import", "register_id"): "register_import_meter_id_fkey",
    ("register_interval_hh", "register_id"): "meter_interval_register_id_fkey",
}
"""Names in the existing database that do not follow the pattern."""


def _foreign_key(table: str, column: str, target: str, target_column: str, style: dict[str, Any]) -> ForeignKey:
    return ForeignKey(
        schema="flows",
        relation=table,
        name=_KEY_NAMES.get((table, column), f"{table}_{column}_fkey"),
        columns=(column,),
        target_schema="flows",
        target=target,
        target_columns=(target_column,),
        **style,
    )


def _index(name: str, table: str, *columns: str, unique: bool = False) -> Index:
    """An index; a leading minus means DESC."""
    keys = tuple(IndexKey(column=name.removeprefix("-"), descending=name.startswith("-")) for name in columns)
    return Index(schema="flows", relation=table, name=name, keys=keys, unique=unique)


_SEED = (
    _index("idx_register_import_time", "register_import", "-timestamp"),
    _index("idx_register_import_composite", "register_import", "register_id", "-timestamp"),
    _index("idx_meter_shadows_id", "meter_shadows", "id"),
)
"""Indexes that the seed names; the second and third repeat a key and stay for the seed's sake."""

_UNIQUE = (
    _index("meter_csq_meter_time_idx", "meter_csq", "meter_id", "timestamp", unique=True),
    _index("meter_prepay_balance_meter_time_idx", "meter_prepay_balance", "meter_id", "timestamp", unique=True),
    _index("register_interval_hh_missing_key", "register_interval_hh_missing", "register_id", "date", unique=True),
    _index("register_import_missing_key", "register_import_missing", "register_id", "date", unique=True),
    _index("register_export_missing_key", "register_export_missing", "register_id", "date", unique=True),
)
"""Unique indexes; those of the materialized views let them be refreshed while they are read."""

_TIME = tuple(
    _index(f"idx_{table}_time", table, "-timestamp")
    for table in (
        "register_export",
        "register_interval_hh",
        "meter_prepay_balance",
        "meter_csq",
        "meter_voltage",
        "meter_3p_voltage",
        "meter_health_history",
        "meter_event_log",
    )
)

_LOOKUP = (
    _index("idx_meter_voltage_meter_time", "meter_voltage", "meter_id", "-timestamp"),
    _index("idx_meter_3p_voltage_meter_time", "meter_3p_voltage", "meter_id", "-timestamp"),
    _index("idx_meter_health_history_meter_time", "meter_health_history", "meter_id", "-timestamp"),
    _index("idx_sites_new_esco", "sites_new", "esco"),
    _index("idx_properties_site", "properties", "site"),
    _index("idx_feeder_registry_esco", "feeder_registry", "esco"),
    _index("idx_service_head_registry_feeder", "service_head_registry", "feeder"),
    _index("idx_ev_chargers_esco", "ev_chargers", "esco"),
    _index("idx_meter_registry_esco", "meter_registry", "esco"),
    _index("idx_meter_tophat_registry_meter", "meter_tophat_registry", "meter"),
    _index("idx_meter_registers_meter_id", "meter_registers", "meter_id"),
    _index("idx_circuit_register_register", "circuit_register", "register"),
    _index("idx_service_head_meter_meter", "service_head_meter", "meter"),
    _index("idx_properties_service_head_service_head", "properties_service_head", "service_head"),
)
"""Foreign keys that no key or unique index begins with, and the latest value per meter."""


def declarations(settings: Settings) -> list[Spec]:
    """Every foreign key and index."""
    return [*(_foreign_key(*row) for row in _FOREIGN_KEYS), *_SEED, *_UNIQUE, *_TIME, *_LOOKUP]
