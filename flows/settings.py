"""Everything about Flows that a stack may configure: name, type, default and meaning, in one place.

A field `register_import_retention` is the config key `flows:registerImportRetention`; `Pulumi.yaml` repeats type,
default and description, and a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic.alias_generators import to_camel

from pulumi_timescaledb.interval import normal_interval, parse_interval
from pulumi_timescaledb.specs.base import PositiveInterval

from .config_model import ConfigModel

SLACK_DAYS = 1
"""Days between the start of a refresh window and the drop of its source's oldest chunk."""


def _optional_interval(text: str) -> str:
    if not text.strip():
        return ""
    if days(text) <= 0:
        raise ValueError(f'the interval "{text}" must be longer than zero, or empty for "never"')
    return normal_interval(text)


OptionalInterval = Annotated[str, AfterValidator(_optional_interval)]
"""An interval, or "" for "never": Pulumi's config schema knows no null."""


def days(interval: str) -> float:
    """Length for comparisons only; a month counts 30 days."""
    return parse_interval(interval).approximate_days()


def chunk(table: str) -> Any:
    """Chunk interval of a hypertable."""
    return Field(default="7 days", description=f"Time span of one chunk of {table}; a change affects new chunks only.")


def compress(table: str) -> Any:
    """Age of conversion to the columnstore."""
    return Field(default="7 days", description=f"Age at which chunks of {table} move to the columnstore.")


def keep(table: str, default: str) -> Any:
    """Retention of a hypertable or aggregate."""
    return Field(default=default, description=f'Age at which chunks of {table} are dropped; "" keeps them for ever.')


class _SeriesSettings(ConfigModel):
    """Chunks, columnstore and retention of each hypertable."""

    register_import_chunk_interval: PositiveInterval = Field(
        default="1 day", description="Time span of one chunk of register_import; a change affects new chunks only."
    )
    register_import_compress_after: PositiveInterval = compress("register_import")
    register_import_retention: OptionalInterval = keep("register_import", "2 years")
    register_export_chunk_interval: PositiveInterval = Field(
        default="1 day", description="Time span of one chunk of register_export; a change affects new chunks only."
    )
    register_export_compress_after: PositiveInterval = compress("register_export")
    register_export_retention: OptionalInterval = keep("register_export", "2 years")
    register_interval_hh_chunk_interval: PositiveInterval = chunk("register_interval_hh")
    register_interval_hh_compress_after: PositiveInterval = compress("register_interval_hh")
    register_interval_hh_retention: OptionalInterval = keep("register_interval_hh", "2 years")
    meter_prepay_balance_chunk_interval: PositiveInterval = chunk("meter_prepay_balance")
    meter_prepay_balance_compress_after: PositiveInterval = compress("meter_prepay_balance")
    meter_prepay_balance_retention: OptionalInterval = keep("meter_prepay_balance", "2 years")
    meter_csq_chunk_interval: PositiveInterval = chunk("meter_csq")
    meter_csq_compress_after: PositiveInterval = compress("meter_csq")
    meter_csq_retention: OptionalInterval = keep("meter_csq", "90 days")
    meter_voltage_chunk_interval: PositiveInterval = chunk("meter_voltage")
    meter_voltage_compress_after: PositiveInterval = compress("meter_voltage")
    meter_voltage_retention: OptionalInterval = keep("meter_voltage", "90 days")
    meter_3p_voltage_chunk_interval: PositiveInterval = chunk("meter_3p_voltage")
    meter_3p_voltage_compress_after: PositiveInterval = compress("meter_3p_voltage")
    meter_3p_voltage_retention: OptionalInterval = keep("meter_3p_voltage", "90 days")
    meter_health_history_chunk_interval: PositiveInterval = chunk("meter_health_history")
    meter_health_history_compress_after: PositiveInterval = compress("meter_health_history")
    meter_health_history_retention: OptionalInterval = keep("meter_health_history", "90 days")


def window(level: str, start: str) -> Any:
    """Start of a refresh window."""
    return Field(default=start, description=f"How far back each refresh of circuit_interval_{level} reaches.")


def until(level: str, end: str) -> Any:
    """End of a refresh window."""
    return Field(default=end, description=f"How close to now each refresh of circuit_interval_{level} comes.")


def every(level: str, schedule: str) -> Any:
    """Schedule of a refresh policy."""
    return Field(default=schedule, description=f"How often circuit_interval_{level} is refreshed.")


class _AggregateSettings(ConfigModel):
    """Refresh windows, columnstore and retention of the three aggregates."""

    materialized_only: bool = Field(
        default=False, description="Whether aggregates leave out what is not refreshed yet; false is real-time."
    )
    circuit_interval_hh_refresh_start: PositiveInterval = window("hh", "7 days")
    circuit_interval_hh_refresh_end: PositiveInterval = until("hh", "30 minutes")
    circuit_interval_hh_refresh_every: PositiveInterval = every("hh", "30 minutes")
    circuit_interval_hh_compress_after: PositiveInterval = Field(
        default="14 days", description="Age at which chunks of circuit_interval_hh move to the columnstore."
    )
    circuit_interval_hh_retention: OptionalInterval = keep("circuit_interval_hh", "2 years")
    circuit_interval_daily_refresh_start: PositiveInterval = window("daily", "8 days")
    circuit_interval_daily_refresh_end: PositiveInterval = until("daily", "1 day")
    circuit_interval_daily_refresh_every: PositiveInterval = every("daily", "1 hour")
    circuit_interval_daily_compress_after: PositiveInterval = Field(
        default="30 days", description="Age at which chunks of circuit_interval_daily move to the columnstore."
    )
    circuit_interval_daily_retention: OptionalInterval = keep("circuit_interval_daily", "5 years")
    circuit_interval_monthly_refresh_start: PositiveInterval = window("monthly", "3 months")
    circuit_interval_monthly_refresh_end: PositiveInterval = until("monthly", "1 day")
    circuit_interval_monthly_refresh_every: PositiveInterval = every("monthly", "1 day")
    circuit_interval_monthly_compress_after: PositiveInterval = Field(
        default="1 year", description="Age at which chunks of circuit_interval_monthly move to the columnstore."
    )
    circuit_interval_monthly_retention: OptionalInterval = keep("circuit_interval_monthly", "")


class Settings(_SeriesSettings, _AggregateSettings):
    """What a stack may set. Frozen; unknown names are errors."""

    edition: Literal["community", "apache"] = Field(
        default="community",
        description="Edition of TimescaleDB; with apache aggregates are plain views, and columnstore and policies are "
        "left out, each with a warning.",
    )
    timescaledb_version: str = Field(
        default="",
        pattern=r"^(\d+\.\d+\.\d+(-\w+)?)?$",
        description='Exact version of TimescaleDB; a change upgrades the extension. "" takes what is there.',
    )
    low_balance: Decimal = Field(
        default=Decimal("15.0"), description="Pounds; prepay meters below it are in meters_low_balance."
    )
    offline_after: PositiveInterval = Field(
        default="3 hours", description="Silence after which a meter counts as offline."
    )
    offline_recent_limit: PositiveInterval = Field(
        default="24 hours", description="Longest silence that still is in meters_offline_recently."
    )
    clock_drift_seconds: int = Field(
        default=60, ge=1, description="Clock error, either way, from which a meter is in meters_clock_drift."
    )
    missing_data_days: int = Field(
        default=365, ge=1, le=3660, description="Days that the register_*_missing views look back."
    )
    missing_data_refresh_time: str = Field(
        default="03:00:00",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$",
        description="Time of day (UTC) of the daily refresh of the register_*_missing views.",
    )
    event_log_retention: PositiveInterval = Field(
        default="90 days", description="Age at which the daily job deletes rows of meter_event_log."
    )
    table_size_sample_every: PositiveInterval = Field(
        default="1 hour", description="How often table sizes are sampled for monitoring.table_growth."
    )
    table_size_sample_retention: PositiveInterval = Field(
        default="400 days", description="Age at which table size samples are deleted."
    )
    query_statistics: bool = Field(
        default=False,
        description="Adds pg_stat_statements and monitoring.query_statistics; the server must preload the library.",
    )
    jwt_aud: str = Field(default="", description='Audience every API token must carry; "" asks for none.')
    api_statement_timeout: PositiveInterval = Field(
        default="10 seconds", description="statement_timeout of public_backend and flows_api_writer."
    )
    grafana_statement_timeout: PositiveInterval = Field(
        default="30 seconds", description="statement_timeout of grafanareader and tableau."
    )
    grafana_connection_limit: int = Field(default=10, ge=1, description="Most connections of grafanareader at once.")
    grafana_escos: str = Field(
        default="*", description='Codes of the escos grafanareader may see, separated by commas; "*" is all.'
    )
    tableau_enabled: bool = Field(default=False, description="Whether the reporting role tableau exists.")
    tableau_escos: str = Field(
        default="*", description='Codes of the escos tableau may see, separated by commas; "*" is all.'
    )
    role_prefix: str = Field(
        default="",
        pattern=r"^([a-z][a-z0-9_]{0,39})?$",
        description="Put before the name of every role, so that databases on one server have roles of their own.",
    )

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        faults = [*_window_faults(self), *_retention_faults(self), *_threshold_faults(self), *_edition_faults(self)]
        if faults:
            raise ValueError("; ".join(faults))
        return self


LEVELS = (("hh", "30 minutes"), ("daily", "1 day"), ("monthly", "1 month"))
"""Aggregates from the lowest up, each with its bucket."""

_SOURCES = {
    "hh": "register_interval_hh",
    "daily": "circuit_interval_hh",
    "monthly": "circuit_interval_daily",
}
"""Level -> what it aggregates, whose retention must not reach into the refresh window."""


def _window_faults(settings: Settings) -> Iterator[str]:
    for level, bucket in LEVELS:
        name = f"circuit_interval_{level}"
        start = getattr(settings, f"{name}_refresh_start")
        end = getattr(settings, f"{name}_refresh_end")
        if days(start) - days(end) < 2 * days(bucket):
            yield (
                f"{to_camel(name + '_refresh_start')} ({start}) must lie at least two buckets of {bucket} before "
                f"{to_camel(name + '_refresh_end')} ({end})"
            )
        after = getattr(settings, f"{name}_compress_after")
        if days(after) <= days(start):
            yield (
                f"{to_camel(name + '_compress_after')} ({after}) must be longer than "
                f"{to_camel(name + '_refresh_start')} ({start}): a refresh writes into that range"
            )


def _retention_faults(settings: Settings) -> Iterator[str]:
    """A refresh over a range whose source rows were dropped deletes the aggregate's rows too."""
    for level, _ in LEVELS:
        source = _SOURCES[level]
        start = getattr(settings, f"circuit_interval_{level}_refresh_start")
        retention = getattr(settings, f"{source}_retention")
        # TimescaleDB gives every level of aggregates chunks ten times as long as those of the hypertable (measured).
        chunk_days = days(settings.register_interval_hh_chunk_interval) * (1 if level == "hh" else 10)
        if retention and days(start) + chunk_days + SLACK_DAYS >= days(retention):
            yield (
                f"circuitInterval{level.title()}RefreshStart ({start}) plus a chunk ({chunk_days:g} days) plus "
                f"{SLACK_DAYS} day must stay below {to_camel(source + '_retention')} ({retention}), "
                "or refreshes erase history"
            )
    for name in type(settings).model_fields:
        table = name.removesuffix("_compress_after")
        retention = getattr(settings, f"{table}_retention", "") if table != name else ""
        if retention and days(getattr(settings, name)) >= days(retention):
            yield f"{to_camel(name)} must be shorter than {to_camel(table + '_retention')} ({retention})"


def _threshold_faults(settings: Settings) -> Iterator[str]:
    if days(settings.offline_after) >= days(settings.offline_recent_limit):
        yield "offlineAfter must be shorter than offlineRecentLimit"
    for table in ("register_interval_hh", "register_import", "register_export"):
        retention = getattr(settings, f"{table}_retention")
        if retention and days(retention) < settings.missing_data_days:
            yield (
                f"missingDataDays ({settings.missing_data_days}) must not exceed "
                f"{to_camel(table + '_retention')} ({retention}), or dropped days count as missing"
            )


def _edition_faults(settings: Settings) -> Iterator[str]:
    if settings.edition == "apache" and settings.materialized_only:
        yield "materializedOnly needs edition community: the plain views of edition apache are always up to date"
