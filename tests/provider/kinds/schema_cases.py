"""Lives of schemas."""

from pulumi_timescaledb.specs.schema import Schema

from ..lifecycle import Alter, Drift, LifeCycle

BEFORE = "CREATE ROLE one; CREATE ROLE two"

LIVES = [
    LifeCycle(
        "plain",
        Schema(name="life", owner="one", comment="first"),
        before=BEFORE,
        alters=(
            Alter("owner", {"owner": "two"}),
            Alter("comment", {"comment": "it's second"}),
            Alter("no comment", {"comment": None}),
        ),
        drifts=(
            Drift("owner", 'ALTER SCHEMA "life" OWNER TO two', "owner"),
            Drift("comment", 'COMMENT ON SCHEMA "life" IS NULL', "comment"),
        ),
    ),
    LifeCycle("hostile name", Schema(name='Sel"ect; DROP -- ' + "é" * 10, owner="one"), before=BEFORE),
]
