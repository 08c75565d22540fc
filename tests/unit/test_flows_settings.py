"""Settings: what they refuse, and where they show up in the declarations."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from flows import Settings, declarations
from pulumi_timescaledb.specs import Reference, Spec


def get(settings: Settings, kind: str, *identity: str) -> Any:
    found: dict[Reference, Spec] = {spec.reference(): spec for spec in declarations(settings)}
    return found.get(Reference(kind, identity))


def test_config_values_come_as_text() -> None:
    settings = Settings.from_config(
        {
            "lowBalance": "7.50",
            "clockDriftSeconds": "30",
            "materializedOnly": "true",
            "engine": "docker",
            "jwtAud": None,
        }
    )
    assert (settings.low_balance, settings.clock_drift_seconds, settings.materialized_only, settings.jwt_aud) == (
        Decimal("7.50"),
        30,
        True,
        "",
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"register_import_chunk_interval": "1 fortnight"}, "unknown unit"),
        ({"register_import_chunk_interval": "0 days"}, "longer than zero"),
        ({"register_interval_hh_retention": "14 days", "missing_data_days": 10}, "or refreshes erase history"),
        ({"circuit_interval_hh_retention": "60 days"}, "or refreshes erase history"),
        ({"circuit_interval_monthly_refresh_start": "1 month"}, "two buckets"),
        ({"circuit_interval_hh_refresh_end": "7 days"}, "two buckets"),
        ({"circuit_interval_daily_compress_after": "7 days"}, "a refresh writes into that range"),
        ({"meter_csq_retention": "7 days"}, "must be shorter than meterCsqRetention"),
        ({"offline_after": "2 days"}, "offlineAfter must be shorter"),
        ({"register_import_retention": "90 days"}, "dropped days count as missing"),
        ({"clock_drift_seconds": 0}, "greater than or equal to 1"),
        ({"missing_data_refresh_time": "25:00:00"}, "pattern"),
        ({"no_such_setting": 1}, "Extra inputs"),
    ],
)
def test_wrong_settings_are_refused_with_a_reason(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings(**values)


def test_settings_reach_the_declarations() -> None:
    settings = Settings(
        register_import_chunk_interval="7 days",
        register_export_retention="",
        low_balance=Decimal("5"),
        materialized_only=True,
        event_log_retention="30 days",
        grafana_escos="WLCE, O'HM",
        jwt_aud="flows-api",
        clock_drift_seconds=5,
    )
    assert get(settings, "Hypertable", "flows", "register_import").chunk_interval == "7 days"
    assert get(settings, "RetentionPolicy", "flows", "register_export") is None
    assert "s.balance < 5 " in get(settings, "View", "flows", "meters_low_balance").query
    assert get(settings, "ContinuousAggregate", "flows", "circuit_interval_hh").materialized_only is True
    assert get(settings, "Job", "flows", "prune_meter_event_log").config == {"older_than": "30 days"}
    scope = get(settings, "View", "api_private", "role_scope").query
    assert "('grafanareader', 'WLCE')" in scope
    assert "('grafanareader', 'O''HM')" in scope
    assert "'flows-api'" in get(settings, "Function", "api_private", "pre_request", "").body
    assert ">= 5" in get(settings, "View", "flows", "meters_clock_drift").query


def test_the_audience_is_only_asked_for_when_configured() -> None:
    assert "'aud'" not in get(Settings(), "Function", "api_private", "pre_request", "").body


def test_empty_scope_is_no_esco() -> None:
    scope = get(Settings(grafana_escos=""), "View", "api_private", "role_scope").query
    assert "*" not in scope
