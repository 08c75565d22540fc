"""Lives of domains."""

from pulumi_timescaledb.specs.domain import Domain, DomainCheck

from ..lifecycle import Alter, Drift, LifeCycle

BEFORE = "CREATE SCHEMA life; CREATE ROLE one; CREATE ROLE two"
POSITIVE = DomainCheck(name="positive", expression="VALUE > 0")
EVEN = DomainCheck(name="even", expression="VALUE % 2 -- even)\n = 0")
SMALL = DomainCheck(name='Sel"ect', expression="value < 100")
HOSTILE = 'Ünïcode; "x" \'--'

LIVES = [
    LifeCycle(
        "plain",
        Domain(
            schema_="life",
            name="counter",
            type="int",
            not_null=True,
            default="2",
            checks=(POSITIVE, EVEN),
            owner="one",
            comment="first",
        ),
        before=BEFORE,
        alters=(
            Alter("type", {"type": "bigint"}, rebuild=True),
            Alter("nullable", {"not_null": False}),
            Alter("default", {"default": "4 + 4"}),
            Alter("no default", {"default": None}),
            Alter("checks", {"checks": (POSITIVE, SMALL)}),
            Alter("check rewritten", {"checks": (DomainCheck(name="positive", expression="VALUE >= 1"), EVEN)}),
            Alter("no checks", {"checks": ()}),
            Alter("check not validated", {"checks": (POSITIVE, EVEN.model_copy(update={"validated": False}))}),
            Alter("owner", {"owner": "two"}),
            Alter("comment", {"comment": "it's second"}),
            Alter("no comment", {"comment": None}),
        ),
        drifts=(
            Drift("nullable", "ALTER DOMAIN life.counter DROP NOT NULL", "not_null"),
            Drift("default", "ALTER DOMAIN life.counter SET DEFAULT 6", "default"),
            Drift(
                "another type",
                'DROP DOMAIN life.counter; CREATE DOMAIN life.counter AS text COLLATE "C"',
                "type collation",
                rebuild=True,
            ),
            Drift("check gone", "ALTER DOMAIN life.counter DROP CONSTRAINT even", "checks"),
            Drift("check more", "ALTER DOMAIN life.counter ADD CHECK (VALUE < 7)", "checks"),
            Drift("check renamed", "ALTER DOMAIN life.counter RENAME CONSTRAINT even TO odd", "checks.name"),
            Drift(
                "check not validated, and another one",
                "ALTER DOMAIN life.counter DROP CONSTRAINT even; "
                "ALTER DOMAIN life.counter ADD CONSTRAINT even CHECK (VALUE % 4 = 0) NOT VALID",
                "checks.validated checks.expression",
            ),
            Drift(
                "check not validated",
                "ALTER DOMAIN life.counter DROP CONSTRAINT even; "
                "ALTER DOMAIN life.counter ADD CONSTRAINT even CHECK (VALUE % 2 = 0) NOT VALID",
                "checks.validated",
            ),
            Drift("owner", "ALTER DOMAIN life.counter OWNER TO two", "owner"),
            Drift("comment", "COMMENT ON DOMAIN life.counter IS NULL", "comment"),
        ),
    ),
    LifeCycle(
        "texts",
        Domain(schema_="life", name=HOSTILE, type="varchar(20)[]", default="ARRAY['it''s', NULL]::varchar[]"),
        before=BEFORE,
        alters=(
            Alter("not null", {"not_null": True}),
            Alter("length", {"type": "character varying(30)[]"}, rebuild=True),
        ),
    ),
    LifeCycle(
        "collated",
        Domain(schema_="life", name="code", type="text", collation='"C"'),
        before=BEFORE,
        alters=(Alter("collation", {"collation": '"POSIX"'}, rebuild=True),),
    ),
    LifeCycle(
        "default with an operator",
        Domain(schema_="life", name="flag", type="boolean", default="NOT false"),
        before=BEFORE,
        alters=(Alter("default", {"default": "1 IS NULL"}),),
    ),
    LifeCycle(
        "not validated",
        Domain(schema_="life", name="old", type="int", checks=(POSITIVE.model_copy(update={"validated": False}),)),
        before=BEFORE,
        alters=(Alter("validated", {"checks": (POSITIVE,)}),),
        drifts=(Drift("validated", "ALTER DOMAIN life.old VALIDATE CONSTRAINT positive", "checks.validated"),),
    ),
    LifeCycle(
        "of a domain",
        Domain(schema_="life", name="small", type='life."Base"', checks=(SMALL,)),
        before='CREATE SCHEMA life; CREATE DOMAIN life."Base" AS integer CHECK (VALUE > 0)',
    ),
]
