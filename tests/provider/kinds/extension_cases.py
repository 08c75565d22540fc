"""Lives of extensions."""

from pulumi_timescaledb.specs.extension import Extension

from ..lifecycle import Alter, Drift, LifeCycle

BEFORE = 'CREATE SCHEMA one; CREATE SCHEMA "Two"'

LIVES = [
    LifeCycle(
        "older version",
        Extension(name="hstore", schema_="one", version="1.7"),
        before=BEFORE,
        alters=(
            Alter("version", {"version": "1.8"}),
            Alter("schema", {"schema_": "Two"}),
            Alter("both", {"schema_": "Two", "version": "1.8"}),
        ),
        drifts=(
            Drift("version", "ALTER EXTENSION hstore UPDATE TO '1.8'", "version", refused="no update path"),
            Drift("schema", 'ALTER EXTENSION hstore SET SCHEMA "Two"', "schema_"),
        ),
    ),
    LifeCycle("server's choice", Extension(name="btree_gist")),
]
