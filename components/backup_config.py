"""What a stack may configure about its backups: name, type, default and meaning, in one place.

A field `retention_days` is the config key `flows:backupRetentionDays`; `Pulumi.yaml` repeats type, default and
description, and a test compares the two.
"""

from __future__ import annotations

from typing import Self
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic.alias_generators import to_camel

from flows.config_model import ConfigModel
from pulumi_timescaledb.interval import parse_interval
from pulumi_timescaledb.specs.base import PositiveInterval

DAY_SECONDS = 86_400
LONGEST_ARCHIVE_TIMEOUT = 3_600


def seconds(interval: str) -> int:
    """Length of an interval without months, in seconds. Raises ValueError where it has months or is not whole."""
    parsed = parse_interval(interval)
    if parsed.months or parsed.microseconds % 1_000_000:
        raise ValueError(f'the interval "{interval}" must be whole seconds, hours or days: months differ in length')
    return parsed.days * DAY_SECONDS + parsed.microseconds // 1_000_000


class BackupSettings(ConfigModel):
    """Archive, schedule, retention and repository. Frozen; unknown names are errors."""

    model_config = ConfigDict(alias_generator=lambda name: to_camel(f"backup_{name}"))

    enabled: bool = Field(
        default=True, description="Whether WAL is archived and backups are taken; only engine docker has them."
    )
    archive_timeout: PositiveInterval = Field(
        default="60 seconds",
        description="Longest time until what was committed is in the archive: what a lost server may cost (RPO).",
    )
    retention_days: int = Field(
        default=30, ge=1, le=3650, description="Days back to which every moment can be restored."
    )
    full_every: PositiveInterval = Field(
        default="7 days", description="Time between full backups, counted from a Sunday (UTC)."
    )
    differential_every: PositiveInterval = Field(
        default="1 day", description="Time between backups of what changed since the last full one."
    )
    at: str = Field(
        default="01:00:00",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$",
        description="Time of day (UTC) at which backups begin; a missed one is taken as soon as possible.",
    )
    processes: int = Field(default=2, ge=1, le=64, description="Processes that compress and encrypt at once.")
    s3_bucket: str = Field(
        default="", description='Bucket of an S3-compatible repository; "" keeps backups in a volume beside the server.'
    )
    s3_region: str = Field(default="", description="Region of the bucket, as its provider calls it.")
    s3_endpoint: str = Field(
        default="",
        description='Host and port of the S3-compatible service, always spoken to over TLS; "" is AWS in the region.',
    )
    s3_path: str = Field(default="", description='Folder in the bucket; "" is /project/stack.')
    s3_certificate: str = Field(
        default="", description="PEM certificates that the service's certificate is checked against, if not public."
    )
    s3_key: SecretStr = Field(
        default=SecretStr(""),
        description='Access key id, set with --secret; "" takes the role of the machine (instance metadata).',
    )
    s3_key_secret: SecretStr = Field(
        default=SecretStr(""), description="Secret that belongs to the access key id, set with --secret."
    )

    @property
    def archive_seconds(self) -> int:
        """`archive_timeout` in seconds."""
        return seconds(self.archive_timeout)

    @property
    def is_s3(self) -> bool:
        """Whether the repository is a bucket, not a volume."""
        return bool(self.s3_bucket)

    @field_validator("s3_endpoint")
    @classmethod
    def _host(cls, value: str) -> str:
        """Only TLS: pgBackRest before 2.56 speaks nothing else to a bucket, and its keys should not travel in clear."""
        if not value:
            return ""
        parts = urlsplit(value if "://" in value else f"https://{value}")
        if parts.scheme != "https" or not parts.hostname or parts.path not in ("", "/") or parts.query:
            raise ValueError(f'"{value}" must be a host, with a port if needed, such as s3.example.org:9000')
        return parts.netloc

    @field_validator("s3_path")
    @classmethod
    def _folder(cls, value: str) -> str:
        return "/" + value.strip("/") if value.strip("/") else ""

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        full, differential = seconds(self.full_every), seconds(self.differential_every)
        if differential > full:
            raise ValueError(f"backupDifferentialEvery ({self.differential_every}) must not exceed backupFullEvery")
        if full > self.retention_days * DAY_SECONDS:
            raise ValueError(f"backupFullEvery ({self.full_every}) must not exceed backupRetentionDays")
        if self.archive_seconds > LONGEST_ARCHIVE_TIMEOUT:
            raise ValueError(f"backupArchiveTimeout ({self.archive_timeout}) must be an hour or less")
        if self.s3_bucket and not self.s3_region:
            raise ValueError("backupS3Bucket needs backupS3Region")
        if bool(self.s3_key.get_secret_value()) != bool(self.s3_key_secret.get_secret_value()):
            raise ValueError("backupS3Key and backupS3KeySecret go together")
        return self
