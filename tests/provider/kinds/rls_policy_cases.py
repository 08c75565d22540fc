"""Lives of row-level-security policies."""

from pulumi_timescaledb.specs.rls_policy import RlsPolicy

from ..lifecycle import Alter, Drift, LifeCycle

BEFORE = """
CREATE SCHEMA life;
CREATE TABLE life.thing (id int, owner text, esco uuid);
CREATE ROLE one;
CREATE ROLE "Two ""2"" x";
"""
PLAIN = RlsPolicy(
    schema_="life",
    relation="thing",
    name="isolation",
    roles=("one",),
    using="id > 0",
    check="id > 1",
    comment="first",
)

LIVES = [
    LifeCycle(
        "plain",
        PLAIN,
        before=BEFORE,
        alters=(
            Alter("command", {"command": "update"}, rebuild=True),
            Alter("restrictive", {"permissive": False}, rebuild=True),
            Alter("roles", {"roles": ('Two "2" x', "one")}),
            Alter("everyone", {"roles": ("public",)}),
            Alter("using", {"using": "owner = current_user -- it's mine;\n AND true"}),
            Alter("using gone", {"using": None}, rebuild=True),
            Alter("check", {"check": "owner <> 'it''s'"}),
            Alter("check gone", {"check": None}, rebuild=True),
            Alter("comment", {"comment": "it's second"}),
            Alter("no comment", {"comment": None}),
        ),
        drifts=(
            Drift(
                "made again",
                "DROP POLICY isolation ON life.thing; CREATE POLICY isolation ON life.thing AS RESTRICTIVE FOR UPDATE "
                "TO one USING (id > 0) WITH CHECK (id > 1)",
                "command permissive",
                rebuild=True,
            ),
            Drift("roles", "ALTER POLICY isolation ON life.thing TO PUBLIC", "roles"),
            Drift("using", "ALTER POLICY isolation ON life.thing USING (true)", "using"),
            Drift("check", "ALTER POLICY isolation ON life.thing WITH CHECK (true)", "check"),
            Drift("comment", "COMMENT ON POLICY isolation ON life.thing IS NULL", "comment"),
        ),
    ),
    LifeCycle(
        "select only",
        RlsPolicy(
            schema_="life",
            relation="thing",
            name="esco",
            command="select",
            permissive=False,
            using="esco = nullif(current_setting('app.current_esco', true), '')::uuid",
        ),
        before=BEFORE,
        alters=(Alter("delete", {"command": "delete"}, rebuild=True), Alter("roles", {"roles": ("one",)})),
    ),
    LifeCycle(
        "hostile, insert",
        RlsPolicy(
            schema_='Li"fe',
            relation="Order",
            name='Sel"ect; DROP -- ' + "é" * 23,
            command="insert",
            roles=('Two "2" x',),
            check='"User" IN (SELECT name FROM life.people)',
        ),
        before=BEFORE
        + 'CREATE SCHEMA "Li""fe"; CREATE TABLE "Li""fe"."Order" ("User" text); CREATE TABLE life.people (name text)',
        alters=(Alter("check", {"check": '"User" IS NOT NULL'}),),
    ),
    LifeCycle(
        "no expression", RlsPolicy(schema_="life", relation="thing", name="none", roles=("PUBLIC",)), before=BEFORE
    ),
]
