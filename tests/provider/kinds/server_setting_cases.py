"""Lives of server settings; those of the whole server, which no transaction can hold: unit/test_plan_of_access.py."""

from pulumi_timescaledb.specs.server_setting import ServerSetting

from ..lifecycle import Alter, Drift, LifeCycle

IN_DATABASE = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {}', current_database()); END $$"

LIVES = [
    LifeCycle(
        "plain",
        ServerSetting(name="work_mem", value="5MB"),
        alters=(Alter("value", {"value": "6000kB"}),),
        drifts=(Drift("value", IN_DATABASE.format("work_mem TO ''1MB''"), "value"),),
    ),
    LifeCycle(
        "list",
        ServerSetting(name="search_path", value='"$user", flows, "Sel""ect, é"'),
        alters=(Alter("value", {"value": ""}), Alter("plain", {"value": "public"})),
        drifts=(Drift("value", IN_DATABASE.format("search_path TO a"), "value"),),
    ),
    LifeCycle(
        "of an application, mixed case",
        ServerSetting(name="App.Zone", value="it's = \\ $body$ é"),
        alters=(Alter("value", {"value": ""}),),
    ),
    LifeCycle("in mixed case to the server", ServerSetting(name="timezone", value="Europe/London")),
]
