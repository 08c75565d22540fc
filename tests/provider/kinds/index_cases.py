"""Lives of indexes."""

from pulumi_timescaledb.specs.index import Index, IndexKey

from ..lifecycle import Alter, Drift, LifeCycle

BEFORE = """
CREATE SCHEMA life;
CREATE TABLE life.thing (id int PRIMARY KEY, name text, at timestamptz, tags text[], doc jsonb, "Order" int);
CREATE TABLE life.other (id int, name text);
INSERT INTO life.thing (id, name) VALUES (1, 'one'), (2, 'two');
"""
NAME = IndexKey(column="name")
PLAIN = Index(schema_="life", relation="thing", name="thing_name", keys=(NAME,), comment="first")
AGAIN = "DROP INDEX life.thing_name; CREATE {}; COMMENT ON INDEX life.thing_name IS 'first'"

LIVES = [
    LifeCycle(
        "plain",
        PLAIN,
        before=BEFORE,
        alters=(
            Alter("name", {"name": "Thing name", "previously": "thing_name"}),
            Alter("relation", {"relation": "other"}, rebuild=True),
            Alter("keys", {"keys": (NAME, IndexKey(column="at", descending=True))}, rebuild=True),
            Alter("nulls", {"keys": (IndexKey(column="name", nulls="first"),)}, rebuild=True),
            Alter("descending", {"keys": (IndexKey(column="at", descending=True, nulls="last"),)}, rebuild=True),
            Alter(
                "operator class", {"keys": (IndexKey(column="name", operator_class="text_pattern_ops"),)}, rebuild=True
            ),
            Alter("collation", {"keys": (IndexKey(column="name", collation='"C"'),)}, rebuild=True),
            Alter("expression", {"keys": (IndexKey(expression="lower(name) -- why)\n || 'x;'"),)}, rebuild=True),
            Alter("method", {"method": "hash"}, rebuild=True),
            Alter("unique", {"unique": True}, rebuild=True),
            Alter("nulls collide", {"unique": True, "nulls_not_distinct": True}, rebuild=True),
            Alter("include", {"include": ("id", "Order")}, rebuild=True),
            Alter("where", {"where": "id > 0 AND name <> 'it''s'"}, rebuild=True),
            Alter("parameters", {"parameters": {"fillfactor": "70", "deduplicate_items": "off"}}),
            Alter("comment", {"comment": "it's second"}),
            Alter("no comment", {"comment": None}),
            Alter("invalid", {"valid": False}, refused="declared invalid"),
        ),
        drifts=(
            Drift(
                "invalid",
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'life.thing_name'::regclass",
                "valid",
                rebuild=True,
            ),
            Drift("relation", AGAIN.format("INDEX thing_name ON life.other (name)"), "relation", rebuild=True),
            Drift(
                "keys",
                AGAIN.format("INDEX thing_name ON life.thing (id DESC NULLS LAST, name)"),
                "keys.column keys.descending keys.nulls",
                rebuild=True,
            ),
            Drift(
                "expression",
                AGAIN.format('INDEX thing_name ON life.thing (lower(name) COLLATE "C" text_pattern_ops)'),
                "keys.expression keys.collation keys.operator_class",
                rebuild=True,
            ),
            Drift("method", AGAIN.format("INDEX thing_name ON life.thing USING hash (name)"), "method", rebuild=True),
            Drift(
                "unique and partial",
                AGAIN.format(
                    "UNIQUE INDEX thing_name ON life.thing (name) INCLUDE (id) NULLS NOT DISTINCT WHERE id > 0"
                ),
                "unique nulls_not_distinct include where",
                rebuild=True,
            ),
            Drift("comment", "COMMENT ON INDEX life.thing_name IS NULL", "comment"),
            Drift("parameters", "ALTER INDEX life.thing_name SET (fillfactor = 50)", "parameters"),
        ),
    ),
    LifeCycle(
        "everything",
        Index(
            schema_="life",
            relation="thing",
            name='Sel"ect; DROP -- ' + "é" * 23,
            keys=(
                IndexKey(expression="lower(name)", collation='"C"', operator_class="text_pattern_ops"),
                IndexKey(column="Order", descending=True),
                IndexKey(column="at", nulls="first"),
                IndexKey(expression="(doc ->> 'a')::integer + 1", descending=True, nulls="last"),
            ),
            unique=True,
            nulls_not_distinct=True,
            include=("id",),
            where="at IS NOT NULL",
            parameters={"fillfactor": "80"},
        ),
        before=BEFORE,
        alters=(
            Alter("no parameters", {"parameters": {}}),
            Alter("other parameters", {"parameters": {"fillfactor": "70"}}),
            Alter("whole table", {"where": None}, rebuild=True),
        ),
    ),
    LifeCycle(
        "gin",
        Index(schema_="life", relation="thing", name="thing_tags", keys=(IndexKey(column="tags"),), method="gin"),
        before=BEFORE,
        alters=(
            Alter(
                "paths",
                {"keys": (IndexKey(column="doc", operator_class="jsonb_path_ops"),)},
                rebuild=True,
            ),
        ),
    ),
    LifeCycle(
        "operator class of an extension, with parameters",
        Index(
            schema_="life",
            relation="thing",
            name="thing_trigrams",
            keys=(IndexKey(column="name", operator_class='"Ext".gist_trgm_ops (siglen=32)'),),
            method="gist",
        ),
        before=BEFORE + 'CREATE SCHEMA "Ext"; CREATE EXTENSION pg_trgm SCHEMA "Ext"',
    ),
    LifeCycle(
        "brin",
        Index(
            schema_="life",
            relation="thing",
            name="thing_at",
            keys=(IndexKey(column="at"),),
            method="brin",
            parameters={"pages_per_range": "16"},
        ),
        before=BEFORE,
        alters=(Alter("coarser", {"parameters": {"pages_per_range": "64", "autosummarize": "on"}}),),
    ),
    LifeCycle(
        "materialized view",
        Index(schema_="life", relation="summary", name="summary_id", keys=(IndexKey(column="id"),), unique=True),
        before=BEFORE + "CREATE MATERIALIZED VIEW life.summary AS SELECT id FROM life.thing",
    ),
    LifeCycle(
        "hypertable with chunks",
        Index(
            schema_="life",
            relation="series",
            name="series_time",
            keys=(IndexKey(column="id"), IndexKey(column="at", descending=True)),
            unique=True,
        ),
        before="""
        CREATE SCHEMA life;
        CREATE TABLE life.series (at timestamptz NOT NULL, id int);
        SELECT create_hypertable('life.series', by_range('at'));
        INSERT INTO life.series VALUES ('2024-01-01', 1), ('2025-01-01', 1);
        """,
        alters=(
            Alter("name", {"name": "later", "previously": "series_time"}),
            Alter("comment", {"comment": "x"}),
            Alter("not unique", {"unique": False}, rebuild=True),
        ),
    ),
]
