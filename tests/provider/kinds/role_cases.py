"""Lives of roles."""

from pulumi_timescaledb.specs.role import Role

from ..lifecycle import Alter, Drift, LifeCycle

LIVES = [
    LifeCycle(
        "plain",
        Role(
            name="life",
            login=True,
            connection_limit=5,
            password="it's secret",
            settings={
                "statement_timeout": "30s",
                "search_path": '"$user", flows, "Sel""ect, é"',
                "app.esco": "a'b\\c",
            },
            comment="first",
        ),
        alters=(
            Alter("login", {"login": False}),
            Alter("superuser", {"superuser": True}),
            Alter("inherit", {"inherit": False}),
            Alter("create databases", {"create_db": True}),
            Alter("create roles", {"create_role": True, "create_db": True}),
            Alter("replication", {"replication": True}),
            Alter("bypass", {"bypass_rls": True}),
            Alter("connections", {"connection_limit": -1}),
            Alter("until then", {"valid_until": "2031-01-02T03:00:00+01:00"}),
            Alter("settings", {"settings": {"search_path": "", "TimeZone": "Europe/London"}}),
            Alter("no settings", {"settings": {}}),
            Alter("comment", {"comment": "it's second"}),
            Alter("no comment", {"comment": None}),
            Alter("password", {"password": "other"}),
            Alter("password beyond ASCII", {"password": "pässwörd"}),
        ),
        drifts=(
            Drift("login", "ALTER ROLE life NOLOGIN", "login"),
            Drift("superuser", "ALTER ROLE life SUPERUSER", "superuser"),
            Drift(
                "flags",
                "ALTER ROLE life NOINHERIT CREATEDB CREATEROLE REPLICATION",
                "inherit create_db create_role replication",
            ),
            Drift("bypass", "ALTER ROLE life BYPASSRLS", "bypass_rls"),
            Drift("connections", "ALTER ROLE life CONNECTION LIMIT 1", "connection_limit"),
            Drift("locked out", "ALTER ROLE life VALID UNTIL '2020-01-01'", "valid_until"),
            Drift("setting", "ALTER ROLE life SET search_path TO a, b", "settings"),
            Drift("setting gone", "ALTER ROLE life RESET ALL", "settings"),
            Drift("setting more", "ALTER ROLE life SET timezone TO 'UTC'", "settings"),
            Drift("comment", "COMMENT ON ROLE life IS NULL", "comment"),
        ),
    ),
    LifeCycle(
        "hostile name",
        Role(name="Sel\"ect; 'DROP' -- " + "é" * 20, inherit=False, comment="\\ 'x'", password="'; --"),
        alters=(Alter("login", {"login": True, "inherit": True}),),
    ),
    LifeCycle("named like the placeholder", Role(name="'********'", login=True, password="secret")),
]
