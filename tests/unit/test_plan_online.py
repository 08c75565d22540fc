"""Which way a change goes: by what the relation is, whether anybody uses it, and what the server can do."""

from __future__ import annotations

import pytest

from pulumi_timescaledb.capabilities import EMBEDDED, ServerCapabilities
from pulumi_timescaledb.drift import as_seen
from pulumi_timescaledb.executor import CONCURRENT_PATIENCE, patience
from pulumi_timescaledb.kinds import Context, kind_of
from pulumi_timescaledb.kinds.columns import is_volatile
from pulumi_timescaledb.ledger import Entry
from pulumi_timescaledb.plan import Standing, make_plan
from pulumi_timescaledb.relations import LEFTOVER, Relation
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.specs.columnstore import Columnstore, OrderBy
from pulumi_timescaledb.specs.foreign_key import ForeignKey
from pulumi_timescaledb.specs.hypertable import Hypertable
from pulumi_timescaledb.specs.index import Index, IndexKey
from pulumi_timescaledb.specs.table import Check, Column, Exclusion, ExclusionElement, PrimaryKey, Table, Unique
from pulumi_timescaledb.sqltext import names_renamed
from pulumi_timescaledb.statement import LockLevel, Rebuild, Refused, Statement
from pulumi_timescaledb.whole import Whole

AT, ID = Column(name="at", type="timestamptz", not_null=True), Column(name="id", type="integer")
TABLE = Table(schema="s", name="t", columns=(AT, ID))
INDEX = Index(schema="s", relation="t", name="i", keys=(IndexKey(column="id"),))
UNIQUE = INDEX.model_copy(update={"unique": True})
KEY = ForeignKey(
    schema="s", relation="t", name="k", columns=("id",), target_schema="s", target="o", target_columns=("id",)
)
PLAIN, HYPERTABLE = Relation(), Relation(hypertable=True)


def plan(old: Spec | None, new: Spec | None, relation: Relation, **more: object) -> list[Statement]:
    context = Context(live={("s", "t"): relation}, **more)  # type: ignore[arg-type]
    return kind_of((old or new).KIND).plan(old, new, context)  # type: ignore[union-attr]


def how(statement: Statement) -> str:
    words = ["CONCURRENTLY", "transaction_per_chunk"]
    return next((word for word in words if word in statement.sql), "plain") + ("" if statement.transactional else "!")


@pytest.mark.parametrize(
    ("index", "relation", "more", "wanted"),
    [
        (INDEX, PLAIN, {}, "CONCURRENTLY!"),
        (UNIQUE, PLAIN, {}, "CONCURRENTLY!"),
        (INDEX, Relation(in_use=False), {}, "plain"),
        (INDEX, PLAIN, {"capabilities": EMBEDDED}, "plain"),
        (INDEX, PLAIN, {"together": True}, "plain"),
        (INDEX, Relation(partitioned=True), {}, "plain"),
        (INDEX, HYPERTABLE, {}, "transaction_per_chunk!"),
        (UNIQUE, HYPERTABLE, {}, "plain"),
        (INDEX, Relation(hypertable=True, in_use=False), {}, "plain"),
        (INDEX, HYPERTABLE, {"capabilities": EMBEDDED}, "plain"),
        (INDEX, Relation(aggregate=True), {}, "transaction_per_chunk!"),
    ],
)
def test_how_an_index_is_built(index: Index, relation: Relation, more: dict[str, object], wanted: str) -> None:
    (statement,) = plan(None, index, relation, **more)
    assert how(statement) == wanted
    assert (statement.undo is not None) == wanted.endswith("!")
    assert statement.lock == (LockLevel.SHARE_UPDATE_EXCLUSIVE if wanted == "CONCURRENTLY!" else LockLevel.SHARE)


def test_storage_parameters_stand_beside_the_transaction_per_chunk() -> None:
    index = INDEX.model_copy(update={"parameters": {"fillfactor": "70"}})
    (statement,) = plan(None, index, HYPERTABLE)
    assert "WITH (timescaledb.transaction_per_chunk, fillfactor = '70')" in statement.sql


def test_an_index_that_becomes_unique_is_rebuilt_at_once_on_a_hypertable() -> None:
    with pytest.raises(Rebuild):
        plan(INDEX, UNIQUE, HYPERTABLE)
    assert [how(each) for each in plan(INDEX, UNIQUE, PLAIN)] == ["CONCURRENTLY!", "plain", "plain"]


def test_leftovers_go_first() -> None:
    left = plan(INDEX, UNIQUE, PLAIN)[0].sql.split('"')[1]
    assert left.startswith(LEFTOVER)
    for old, new in ((INDEX, INDEX), (None, INDEX), (INDEX, UNIQUE), (INDEX, None)):
        first = plan(old, new, Relation(leftovers=(left, f"{LEFTOVER}of_another")))[0]
        assert first.sql == f'DROP INDEX CONCURRENTLY "s"."{left}"'
    keyed = TABLE.model_copy(update={"unique": (Unique(name="u", columns=("id",)),)})
    build = next(each for each in plan(TABLE, keyed, PLAIN) if not each.transactional)
    left = build.sql.split('"')[1]
    assert plan(TABLE, TABLE, Relation(leftovers=(left,)))[0].sql == f'DROP INDEX CONCURRENTLY "s"."{left}"'


@pytest.mark.parametrize(
    ("relation", "more", "steps"),
    [
        (PLAIN, {}, "++!!!+++"),  # checks unchecked; two scans and a build; NOT NULL, its proof gone, the key
        (HYPERTABLE, {}, "++!!+++"),
        (Relation(hypertable=True, columnstore=True), {}, "+++"),  # it refuses VALIDATE
        (Relation(in_use=False), {}, "+++"),
        (PLAIN, {"capabilities": EMBEDDED}, "+++"),
    ],
)
def test_the_steps_of_a_table(relation: Relation, more: dict[str, object], steps: str) -> None:
    new = TABLE.model_copy(
        update={
            "columns": (AT, ID.model_copy(update={"not_null": True})),
            "checks": (Check(name="c", expression="id > 0"),),
            "primary_key": PrimaryKey(name="p", columns=("at",)),
        }
    )
    statements = plan(TABLE, new, relation, **more)
    assert "".join("+" if each.transactional else "!" for each in statements) == steps
    assert not any("rewritten" in str(hazard) for each in statements for hazard in each.hazards)


def test_a_key_that_replaces_another_takes_its_place_in_one_transaction() -> None:
    old = TABLE.model_copy(update={"primary_key": PrimaryKey(name="p", columns=("at",))})
    new = TABLE.model_copy(update={"primary_key": PrimaryKey(name="q", columns=("at", "id"))})
    kept = [each for each in plan(old, new, PLAIN) if "CONSTRAINT" in each.sql and "NOT NULL" not in each.sql]
    assert [each.sql.split('"t" ')[1].split()[0] for each in kept[-2:]] == ["DROP", "ADD"]
    assert all(each.transactional for each in kept[-2:])
    # What goes with a column cannot wait for its successor.
    gone = Table(schema="s", name="t", columns=(ID,), primary_key=PrimaryKey(name="q", columns=("id",)))
    first = plan(old, gone, PLAIN)[0]
    assert 'DROP CONSTRAINT "p"' in first.sql


def test_a_foreign_key_changes_without_a_moment_of_unchecked_rows() -> None:
    new = KEY.model_copy(update={"on_delete": "cascade"})
    statements = plan(KEY, new, PLAIN)
    assert [each.transactional for each in statements] == [True, True, False]
    assert "NOT VALID" in statements[1].sql
    with pytest.raises(Rebuild):
        plan(KEY, new, PLAIN, together=True)
    (only,) = plan(None, KEY, Relation(hypertable=True, columnstore=True))
    assert "NOT VALID" not in only.sql


def test_an_index_follows_its_columns() -> None:
    index = INDEX.model_copy(
        update={
            "keys": (IndexKey(column="id"), IndexKey(expression='abs("id") + id')),
            "where": "id > 0",
            "include": ("at",),
        }
    )
    follows = INDEX.model_copy(
        update={
            "keys": (IndexKey(column="number"), IndexKey(expression="abs(number) + number")),
            "where": "number > 0",
            "include": ("at",),
        }
    )
    renamed = Table(schema="s", name="t", columns=(AT, Column(name="number", type="integer", previously="id")))
    whole = Whole([renamed, follows])
    assert plan(index, follows, PLAIN, whole=whole) == []
    again = Table(schema="s", name="t", columns=(*renamed.columns, ID))  # another column of the old name
    assert plan(index, follows, PLAIN, whole=Whole([again])) != []


def test_names_in_strings_and_dotted_names_stay() -> None:
    assert names_renamed("a = 'a' AND b.a > \"a\" AND a.b < 0 -- a", {"a": "New"}) == (
        '"New" = \'a\' AND b."New" > "New" AND a.b < 0 -- a'
    )


@pytest.mark.parametrize(("version", "answer"), [((2, 23, 0), "refused"), ((2, 24, 0), "asked"), ((2, 29, 2), "asked")])
def test_a_type_beside_a_columnstore(version: tuple[int, ...], answer: str) -> None:
    new = TABLE.model_copy(update={"columns": (AT, ID.model_copy(update={"type": "bigint"}))})
    capabilities = ServerCapabilities(timescaledb=version)
    relation = Relation(hypertable=True, columnstore=True)
    if answer == "refused":
        with pytest.raises(Refused, match="type cannot change while columnstore is on"):
            plan(TABLE, new, relation, capabilities=capabilities)
        return
    (statement,) = plan(TABLE, new, relation, capabilities=capabilities)
    (asked,) = [hazard for hazard in statement.hazards if hazard.code == "refused"]
    assert "is_compressed" in asked.probe
    assert """SELECT decompress_chunk(c, true) FROM show_chunks('"s"."t"') c""" in asked.way_out


@pytest.mark.parametrize(
    ("default", "volatile"),
    [
        (None, False),
        ("1", False),
        ("'now()'", False),
        ("now()", False),
        ("'{}'::jsonb", False),
        ("gen_random_uuid()", True),
        ("clock_timestamp()", True),
        ("now() + app.shift()", True),
    ],
)
def test_defaults_that_rewrite_a_table(default: str | None, volatile: bool) -> None:
    assert is_volatile(default) == volatile


def test_a_plan_knows_what_earlier_steps_have_made() -> None:
    hypertable = Hypertable(schema="s", relation="t", time_column="at")
    store = Columnstore(schema="s", relation="t", segment_by=(), order_by=(OrderBy(column="at"),))
    wider = TABLE.model_copy(update={"columns": (AT, ID.model_copy(update={"type": "bigint"}))})

    def sql(old: list[Spec], new: list[Spec], *found: Relation) -> dict[str, list[str]]:
        relations = dict.fromkeys([("s", "t")], found[0]) if found else {}
        made = make_plan(Standing(Whole(old), relations=relations), Whole(new), ServerCapabilities())
        assert not made.refusals
        return {step.spec.KIND: [how(each) for each in step.statements] for step in made.steps}

    assert sql([TABLE], [TABLE, hypertable, INDEX], PLAIN)["Index"] == ["transaction_per_chunk!"]
    assert sql([TABLE], [TABLE, INDEX], PLAIN)["Index"] == ["CONCURRENTLY!"]
    assert sql([TABLE], [TABLE, INDEX], Relation(in_use=False))["Index"] == ["plain"]
    assert sql([], [TABLE, INDEX])["Index"] == ["plain"]
    # The columnstore is still on when the type changes: deletes come last.
    with_store = Relation(hypertable=True, columnstore=True, arranged_by=("at",))
    made = make_plan(
        Standing(Whole([TABLE, hypertable, store]), relations={("s", "t"): with_store}),
        Whole([wider, hypertable]),
        ServerCapabilities(timescaledb=(2, 23, 0)),
    )
    assert "its type cannot change" in str(made.refusals[0])


def test_only_who_makes_nobody_wait_is_patient() -> None:
    assert patience(Statement("x", LockLevel.SHARE_UPDATE_EXCLUSIVE, transactional=False), 2000) == (
        2000 * CONCURRENT_PATIENCE
    )
    for lock in (LockLevel.SHARE, LockLevel.ACCESS_EXCLUSIVE, LockLevel.NONE):
        assert patience(Statement("x", lock, transactional=False), 2000) == 2000


def test_only_the_parts_that_drifted_are_seen_in_the_servers_words() -> None:
    declared = Table(
        schema="s",
        name="t",
        columns=(Column(name="a", type="text", default="'x'"), Column(name="b", type="int")),
        checks=(Check(name="c", expression="b > 0"),),
    )
    canonical = declared.model_copy(
        update={
            "columns": (Column(name="a", type="text", default="'x'::text"), Column(name="b", type="int")),
            "checks": (Check(name="c", expression="(b > 0)"),),
        }
    )
    live = canonical.model_copy(
        update={
            "columns": (canonical.columns[0], Column(name="b", type="bigint"), Column(name="more", type="int")),
            "checks": (*canonical.checks, Check(name="d", expression="(b < 9)")),
        }
    )
    entry = Entry(
        kind="Table",
        id="s.t",
        stack="dev",
        urn="u",
        former=None,
        declared=declared.to_wire(),
        canonical=canonical.to_wire(),
    )
    seen = as_seen(entry, live)
    assert isinstance(seen, Table)
    assert seen.columns == (declared.columns[0], *live.columns[1:])
    assert seen.checks == (declared.checks[0], live.checks[1])


def test_an_exclusion_takes_the_place_of_another_in_one_transaction() -> None:
    """It cannot be made of an index that is there, so the new key's index is built before."""
    apart = Exclusion(name="apart", elements=(ExclusionElement(column="id", operator="="),), method="btree")
    other = apart.model_copy(update={"where": "id > 0"})
    key = Unique(name="u", columns=("at",))
    old = TABLE.model_copy(update={"exclusions": (apart,)})
    online = plan(old, TABLE.model_copy(update={"exclusions": (other,), "unique": (key,)}), PLAIN)
    assert [how(each) for each in online] == ["CONCURRENTLY!", "plain", "plain", "plain"]
    drop, add = online[2:]
    assert "DROP CONSTRAINT" in drop.sql
    assert "EXCLUDE USING" in add.sql
    assert [hazard.code for hazard in add.hazards] == ["index_build"]
    gone = TABLE.model_copy(update={"columns": (AT,)})
    assert ["DROP CONSTRAINT" in each.sql for each in plan(old, gone, PLAIN)] == [True, False]
