"""The nine enumerated types (DOMAIN 5)."""

from __future__ import annotations

from pulumi_timescaledb.specs.base import Spec
from pulumi_timescaledb.specs.enum import Enum

from .settings import Settings

_LABELS = {
    "circuit_type_enum": (("heat", "power", "solar"), "What a circuit supplies."),
    "register_nature_enum": (("heat", "power", "solar"), "What a register measures."),
    "emnify_device_connectivity_status_enum": (
        ("online", "offline", "attached", "blocked"),
        "Connectivity of a meter's SIM as emnify reports it.",
    ),
    "emnify_device_installation_status_enum": (
        ("enabled", "disabled", "deleted"),
        "State of a meter's device entry at emnify.",
    ),
    "health_check_status": (("healthy", "unhealthy"), "Outcome of the last contact with a meter."),
    "meter_metric_run_frequency_enum": (("hourly", "daily", "12hourly"), "How often a syncer runs."),
    "meter_mode_enum": (
        ("active", "passive"),
        "Active meters are polled, passive ones are twins copied from another database.",
    ),
    "meter_register_element": (("A", "B", "SINGLE"), "Measuring element a register reads."),
    "meter_register_status_enum": (("enabled", "replaced"), "Whether a register is in use."),
}


def declarations(settings: Settings) -> list[Spec]:
    """Every enum of the schema flows."""
    return [
        Enum(schema="flows", name=name, labels=labels, comment=comment) for name, (labels, comment) in _LABELS.items()
    ]
