"""Lives of the settings of roles that are made elsewhere."""

from pulumi_timescaledb.specs.role_settings import RoleSettings

from ..lifecycle import Alter, Drift, LifeCycle

IN_DATABASE = "DO $$ BEGIN EXECUTE format('ALTER ROLE life IN DATABASE %I {}', current_database()); END $$"
HOSTILE = "Sel\"ect; 'DROP' %I -- " + "é" * 10
QUOTED = HOSTILE.replace('"', '""')

LIVES = [
    LifeCycle(
        "plain",
        RoleSettings(
            role="life",
            settings={
                "default_transaction_read_only": "on",
                "search_path": '"$user", flows, "Sel""ect, é"',
                "app.esco": "a'b\\c %I $body$",
            },
            comment="first",
        ),
        before="CREATE ROLE life LOGIN; ALTER ROLE life SET work_mem TO '5MB'",
        alters=(
            Alter("settings", {"settings": {"search_path": "", "TimeZone": "Europe/London"}}),
            Alter("no settings", {"settings": {}}),
            Alter("comment", {"comment": "it's second"}),
            Alter("no comment", {"comment": None}),
        ),
        drifts=(
            Drift("setting", IN_DATABASE.format("SET search_path TO a, b"), "settings"),
            Drift("settings gone", IN_DATABASE.format("RESET ALL"), "settings"),
            Drift("setting more", IN_DATABASE.format("SET timezone TO ''UTC''"), "settings"),
            Drift("comment", "COMMENT ON ROLE life IS NULL", "comment"),
        ),
    ),
    LifeCycle(
        "hostile name",
        RoleSettings(role=HOSTILE, settings={"statement_timeout": "30s"}, comment="\\ 'x'"),
        before=f'CREATE ROLE "{QUOTED}"',
        alters=(Alter("value", {"settings": {"statement_timeout": "1min"}}),),
    ),
]
