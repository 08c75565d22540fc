"""The backup settings: what Pulumi.yaml declares, which values go together, what pgbackrest.conf says."""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from components.backup_config import BackupSettings
from components.config import ConfigError, StackConfig
from components.containers.names import Names
from components.containers.pgbackrest_conf import archive_command, pgbackrest_conf
from components.secrets import StackSecrets

PROJECT = Path(__file__).parents[2] / "Pulumi.yaml"
NAMES = Names("flows", "dev")
SECRETS = StackSecrets("0" * 64)
BUCKET = {"backupS3Bucket": "copies", "backupS3Region": "eu-west-2"}


def declared() -> dict[str, Any]:
    return dict(yaml.safe_load(PROJECT.read_text())["config"])


def rendered(**values: Any) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(pgbackrest_conf(NAMES, BackupSettings.from_config(values), SECRETS))
    return {name: dict(parser[name]) for name in parser.sections()}


@pytest.mark.parametrize(("key", "entry"), BackupSettings.config_schema().items(), ids=BackupSettings.config_keys())
def test_the_project_file_declares_the_setting(key: str, entry: dict[str, Any]) -> None:
    assert declared()[key] == entry
    assert entry["description"].endswith(".")


def test_the_declared_defaults_are_the_settings_defaults() -> None:
    assert BackupSettings.from_config({key: entry.get("default") for key, entry in declared().items()}) == (
        BackupSettings()
    )


def test_a_stack_s_config_has_them() -> None:
    config = StackConfig.read({"flows:backupRetentionDays": "45", "flows:backupEnabled": "false"})
    assert (config.backup.retention_days, config.backup.enabled) == (45, False)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"backupDifferentialEvery": "8 days"}, "must not exceed backupFullEvery"),
        ({"backupRetentionDays": 3}, "must not exceed backupRetentionDays"),
        ({"backupArchiveTimeout": "2 hours"}, "an hour or less"),
        ({"backupFullEvery": "1 month"}, "months differ in length"),
        ({"backupAt": "25:00:00"}, "backupAt"),
        ({"backupS3Bucket": "copies"}, "needs backupS3Region"),
        ({**BUCKET, "backupS3Key": "id"}, "go together"),
        ({"backupS3Endpoint": "http://s3.example.org"}, "must be a host"),
    ],
)
def test_values_that_cannot_be_used_are_named(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        StackConfig.read({f"flows:{key}": value for key, value in values.items()})


def test_the_keys_of_a_bucket_are_not_in_a_printed_setting() -> None:
    backup = BackupSettings.from_config({**BUCKET, "backupS3Key": "id-1", "backupS3KeySecret": "s3cret"})
    assert "s3cret" not in repr(backup)
    with pytest.raises(ValidationError) as error:
        BackupSettings.from_config({"backupS3Bucket": "copies", "backupS3KeySecret": "s3cret", "backupS3Key": "id-1"})
    assert "s3cret" not in str(error.value)


def test_a_volume_is_encrypted_kept_by_time_and_never_loses_its_queue() -> None:
    file = rendered(backupRetentionDays=45, backupProcesses=3)
    common = file["global"]
    assert common["repo1-path"] == "/var/lib/flows/backup"
    assert (common["repo1-cipher-type"], common["repo1-cipher-pass"]) == ("aes-256-cbc", SECRETS.backup())
    assert (common["repo1-retention-full-type"], common["repo1-retention-full"]) == ("time", "45")
    assert (common["compress-type"], common["archive-async"], common["process-max"]) == ("zst", "y", "3")
    assert file["main"]["pg1-path"] == "/var/lib/flows/data/pg"
    every = {option for section in file.values() for option in section}
    # Nothing that drops WAL: not the queue's limit, not a retention of its own for the archive.
    assert not {option for option in every if "queue-max" in option or "retention-archive" in option}


def test_a_bucket_of_aws_by_the_machine_s_role() -> None:
    common = rendered(**BUCKET)["global"]
    assert common["repo1-type"] == "s3"
    assert common["repo1-path"] == "/flows/dev"
    assert common["repo1-s3-endpoint"] == "s3.eu-west-2.amazonaws.com"
    assert common["repo1-s3-key-type"] == "auto"
    assert not {"repo1-s3-key", "repo1-s3-uri-style", "repo1-storage-port"} & set(common)


def test_a_bucket_elsewhere_with_keys_port_and_certificate() -> None:
    common = rendered(
        **BUCKET,
        backupS3Endpoint="https://objects.example.org:9000/",
        backupS3Path="copies/flows/",
        backupS3Certificate="-----BEGIN CERTIFICATE-----",
        backupS3Key="id-1",
        backupS3KeySecret="s3cret",
    )["global"]
    assert (common["repo1-s3-endpoint"], common["repo1-storage-port"]) == ("objects.example.org", "9000")
    assert (common["repo1-path"], common["repo1-s3-uri-style"]) == ("/copies/flows", "path")
    assert common["repo1-storage-ca-file"] == "/etc/flows/s3.pem"
    assert (common["repo1-s3-key"], common["repo1-s3-key-secret"]) == ("id-1", "s3cret")


def test_the_passphrase_is_the_stack_s_own() -> None:
    assert len({SECRETS.backup(), StackSecrets("1" * 64).backup(), SECRETS.jwt(), SECRETS.password("flows")}) == 4


def test_the_archive_command_holds_no_secret() -> None:
    assert archive_command() == "pgbackrest --config=/run/flows/pgbackrest.conf --stanza=main archive-push %p"


def test_a_secret_that_is_still_encrypted_is_left_out() -> None:
    """As `flowsctl plan` finds it in a stack file; it was once an error."""
    sealed = {
        "backupS3Bucket": "b",
        "backupS3Region": "r",
        "backupS3Key": {"secure": "v1:x"},
        "backupS3KeySecret": {"secure": "v1:y"},
    }
    assert BackupSettings.from_config(sealed).s3_key.get_secret_value() == ""
