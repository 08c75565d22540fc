"""Which policies the Flows database is held to, and whom they spare, with the reasons."""

from __future__ import annotations

from pulumi_timescaledb.policing import Policies

from .settings import Settings

EXPOSED = ("api",)
"""Schemas that the REST API serves."""
_UNIQUE = "a series as the existing databases have it, with a unique key of its meter or register and time instead"
_REPEATS = "a series of the existing databases in which a meter may report twice at one instant"

POLICIES = Policies(
    levels={
        # How long a series is kept is a setting, and "" keeps it for ever: somebody's choice, to be told of.
        "hypertable-without-retention": "advisory",
        "api-object-without-comment": "mandatory",
        "definer-without-search-path": "mandatory",
        "foreign-key-without-index": "mandatory",
        "grant-to-public": "mandatory",
        "inert-row-policy": "mandatory",
        "table-without-primary-key": "mandatory",
    },
    exempt={
        "table-without-primary-key": {
            "Table flows.register_import": _UNIQUE,
            "Table flows.register_export": _UNIQUE,
            "Table flows.register_interval_hh": _UNIQUE,
            "Table flows.meter_prepay_balance": _UNIQUE,
            "Table flows.meter_csq": _UNIQUE,
            "Table flows.meter_voltage": _REPEATS,
            "Table flows.meter_3p_voltage": _REPEATS,
            "Table flows.meter_health_history": _REPEATS,
        }
    },
    exposed=EXPOSED,
)
"""Policies that are not named are at their own levels."""


def policies(settings: Settings) -> Policies:
    """Those above for one stack: on the Apache edition the scheduler keeps the retentions, so none is missed."""
    return POLICIES.at({"hypertable-without-retention": "off"}) if settings.edition == "apache" else POLICIES
