"""Lives of enums."""

from pulumi_timescaledb.specs.enum import Enum

from ..lifecycle import Alter, Drift, LifeCycle

BEFORE = "CREATE SCHEMA life; CREATE ROLE one; CREATE ROLE two"
HOSTILE = 'Sel"ect; DROP -- ' + "é" * 23
ODD = ("it's", 'a "b"', "back\\slash", "Größe " + "€" * 16, " ", "select")

LIVES = [
    LifeCycle(
        "plain",
        Enum(schema_="life", name="mood", labels=("sad", "ok", "happy"), owner="one", comment="first"),
        before=BEFORE,
        alters=(
            Alter("at the end", {"labels": ("sad", "ok", "happy", "thrilled")}),
            Alter("everywhere", {"labels": ("dead", "gone", "sad", "so-so", "fair", "ok", "happy", "thrilled", "mad")}),
            Alter("removed", {"labels": ("sad", "happy")}, refused="cannot remove a label"),
            Alter("reordered", {"labels": ("ok", "sad", "happy", "new")}, refused="cannot change the order"),
            Alter("owner", {"owner": "two"}),
            Alter("comment", {"comment": "it's second"}),
            Alter("no comment", {"comment": None}),
        ),
        drifts=(
            # The only drift of labels that can be mended; no DDL causes it.
            Drift(
                "label gone",
                "DELETE FROM pg_enum WHERE enumlabel = 'ok' AND enumtypid = 'life.mood'::regtype",
                "labels",
            ),
            Drift(
                "label renamed",
                "ALTER TYPE life.mood RENAME VALUE 'ok' TO 'fine'",
                "labels",
                refused="cannot remove a label",
            ),
            Drift("owner", "ALTER TYPE life.mood OWNER TO two", "owner"),
            Drift("comment", "COMMENT ON TYPE life.mood IS NULL", "comment"),
        ),
    ),
    LifeCycle(
        "hostile",
        Enum(schema_="life", name=HOSTILE, labels=ODD),
        before=BEFORE,
        alters=(Alter("neighbours", {"labels": (*ODD[:1], "'", *ODD[1:3], "\\'", *ODD[3:])}),),
    ),
]
