"""A plan of the whole: what has a step, which statements it has, in which order."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.capabilities import ServerCapabilities
from pulumi_timescaledb.plan import Plan, Refusal, Standing, Step, make_plan, removals
from pulumi_timescaledb.script import script
from pulumi_timescaledb.sizes import Size
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.statement import Statement
from pulumi_timescaledb.whole import Whole

SCHEMA = specs.Schema(name="app")
DOMAIN = specs.Domain(schema="app", name="code", type="text")
FUNCTION = specs.Function.from_wire(
    {"schema": "app", "name": "stamp", "returns": "trigger", "language": "plpgsql", "body": "BEGIN RETURN NEW; END"}
)


def table(name: str = "things", **columns: str) -> specs.Table:
    wanted = columns or {"id": "integer", "note": "text"}
    return specs.Table.from_wire(
        {"schema": "app", "name": name, "columns": [{"name": n, "type": t} for n, t in wanted.items()]}
    )


def view(name: str, query: str) -> specs.View:
    return specs.View(schema="app", name=name, query=query)


def grant(*names: str) -> specs.Grant:
    rights = [{"type": "relation", "name": name, "privileges": ["select"]} for name in names]
    return specs.Grant.from_wire({"role": "reader", "schema": "app", "objects": rights})


def changed(spec: Spec, **fields: Any) -> Any:
    return type(spec).from_wire({**spec.to_wire(), **fields})


def planned(old: list[Spec], new: list[Spec], **more: Any) -> Plan:
    return make_plan(Standing(Whole(old), **more), Whole(new), ServerCapabilities())


def steps(plan: Plan) -> list[str]:
    return [f"{step.verb} {step.subject}" for step in plan.steps]


def sql(plan: Plan, subject: str) -> list[str]:
    (step,) = [step for step in plan.steps if step.subject == subject]
    return [statement.sql for statement in step.statements]


TRIGGER = specs.Trigger.from_wire(
    {
        "schema": "app",
        "relation": "things",
        "name": "stamped",
        "functionSchema": "app",
        "function": "stamp",
        "timing": "before",
        "events": ["insert"],
    }
)
INDEX = specs.Index.from_wire({"schema": "app", "relation": "things", "name": "by_id", "keys": [{"column": "id"}]})


def test_nothing_to_do_has_no_step_and_needs_no_order() -> None:
    whole = Whole([SCHEMA, table()])
    assert planned([SCHEMA, table()], [SCHEMA, table()]) == Plan()
    assert make_plan(Standing(whole), whole, ServerCapabilities()) == Plan()
    assert "creation_order" not in vars(whole)


def test_creates_come_after_what_they_need_and_drops_last_in_reverse() -> None:
    lower = view("lower", "SELECT id FROM app.things")
    upper = view("upper", "SELECT id FROM app.lower")
    made = planned([], [upper, lower, table(), SCHEMA])
    assert steps(made) == [
        "create Schema app",
        "create Table app.things",
        "create View app.lower",
        "create View app.upper",
    ]
    gone = planned([SCHEMA, table(), lower, upper], [SCHEMA, table("others")])
    assert steps(gone) == [
        "create Table app.others",
        "delete View app.upper",
        "delete View app.lower",
        "delete Table app.things",
    ]


def test_what_goes_with_its_table_has_no_step_and_what_does_not_has_one() -> None:
    gone = planned([SCHEMA, FUNCTION, table(), INDEX, TRIGGER], [SCHEMA, FUNCTION])
    assert steps(gone) == ["delete Trigger app.things.stamped", "delete Table app.things"]
    assert steps(planned([SCHEMA, table(), INDEX], [SCHEMA, table()])) == ["delete Index app.by_id"]


def test_a_rebuild_makes_its_dependents_again_once_from_the_new_declarations() -> None:
    old = [SCHEMA, table(), view("lower", "SELECT id FROM app.things"), view("upper", "SELECT id FROM app.lower")]
    new = [*old[:2], view("lower", "SELECT note, id FROM app.things"), view("upper", "SELECT id, note FROM app.lower")]
    rights: list[Spec] = [grant("lower", "upper", "things")]
    plan = planned([*old, *rights], [*new, *rights])
    assert steps(plan) == ["update View app.lower"]
    texts = sql(plan, "View app.lower")
    assert [text.split(" AS")[0].split("\n")[0] for text in texts if "VIEW" in text] == [
        'DROP VIEW "app"."upper"',
        'DROP VIEW "app"."lower"',
        'CREATE VIEW "app"."lower"',
        'CREATE VIEW "app"."upper"',
    ]
    assert texts[-1] == 'GRANT SELECT ON TABLE "app"."lower", "app"."upper" TO "reader"'
    assert [spec.import_id() for spec in plan.steps[0].remade] == ["app.upper", "reader.app"]


def test_views_that_grow_are_replaced_one_after_the_other() -> None:
    old = [SCHEMA, table(), view("lower", "SELECT id FROM app.things"), view("upper", "SELECT id FROM app.lower")]
    new = [*old[:2], view("lower", "SELECT id, note FROM app.things"), view("upper", "SELECT id, note FROM app.lower")]
    plan = planned([*old, grant("lower", "upper")], [*new, grant("lower", "upper")])
    assert steps(plan) == ["update View app.lower", "update View app.upper"]
    assert [
        text.split(" AS")[0].split("\n")[0] for name in ("lower", "upper") for text in sql(plan, f"View app.{name}")
    ] == [
        'CREATE OR REPLACE VIEW "app"."lower"',
        'CREATE OR REPLACE VIEW "app"."upper"',
    ]
    everything = [*old[:3], view("upper", "SELECT * FROM app.lower")]
    plan = planned(everything, [*everything[:2], new[2], everything[3]])
    assert steps(plan) == ["update View app.lower"]
    assert [spec.import_id() for spec in plan.steps[0].remade] == ["app.upper"]


def test_a_grant_beside_a_rebuild_keeps_only_what_it_still_has_to_do() -> None:
    old = [SCHEMA, table(), view("lower", "SELECT id FROM app.things"), grant("lower", "things")]
    new = [SCHEMA, table(), view("lower", "SELECT note FROM app.things"), grant("lower")]
    plan = planned(old, new)
    assert steps(plan) == ["update View app.lower", "update Grant reader.app"]
    assert sql(plan, "Grant reader.app") == ['REVOKE SELECT ON TABLE "app"."things" FROM "reader"']


def test_a_dropped_dependent_of_a_rebuild_is_not_dropped_twice() -> None:
    old = [SCHEMA, table(), view("lower", "SELECT id FROM app.things"), view("upper", "SELECT id FROM app.lower")]
    plan = planned(old, [*old[:2], view("lower", "SELECT note FROM app.things")])
    assert steps(plan) == ["update View app.lower"]
    assert [text for text in sql(plan, "View app.lower") if "upper" in text] == ['DROP VIEW "app"."upper"']


def test_a_rename_is_an_update_of_the_new_name() -> None:
    plan = planned([SCHEMA, table()], [SCHEMA, changed(table("stuff"), previously="things")])
    assert steps(plan) == ["update Table app.stuff"]
    assert sql(plan, "Table app.stuff")[0] == 'ALTER TABLE "app"."things" RENAME TO "stuff"'


def test_every_refusal_is_told_and_the_rest_is_planned() -> None:
    mood = specs.Enum(schema="app", name="mood", labels=("good", "bad"))
    coded = table("coded", code="app.code")
    old: list[Spec] = [SCHEMA, mood, DOMAIN, coded]
    plan = planned(old, [SCHEMA, changed(mood, labels=["good"]), changed(DOMAIN, type="integer"), coded, table()])
    assert steps(plan) == ["create Table app.things"]
    assert sorted(refusal.subject for refusal in plan.refusals) == ["Domain app.code", "Enum app.mood"]


def test_what_is_there_and_cannot_be_taken_has_no_step() -> None:
    foreign = Refusal("Table app.things", "it exists.", foreign=True)
    plan = planned([SCHEMA], [SCHEMA, table()], refusals=(foreign,))
    assert plan.steps == []
    assert [str(refusal) for refusal in plan.refusals] == ["Table app.things: it exists."]


def test_rights_that_are_there_are_changed_not_made() -> None:
    there = grant("things")
    plan = planned([SCHEMA, table()], [SCHEMA, table(), grant()], adopted={there.reference(): there})
    assert steps(plan) == ["create Grant reader.app"]
    assert sql(plan, "Grant reader.app") == ['REVOKE SELECT ON TABLE "app"."things" FROM "reader"']


def test_a_destroy_is_all_drops() -> None:
    found = removals(Whole([SCHEMA, table(), INDEX]), ServerCapabilities())
    assert [step.subject for step in found] == ["Table app.things", "Schema app"]


def test_the_script_names_objects_locks_and_hazards_and_hides_secrets() -> None:
    role = specs.Role.from_wire({"name": "reader", "login": True, "password": "very secret"})
    text = script(planned([], [SCHEMA, table(), role]))
    assert "very secret" not in text
    assert "SCRAM" not in text
    assert "\n-- not shown, it holds a secret: ALTER ROLE" in text
    commented = Step("create", SCHEMA, (Statement("SELECT 1 -- one"),))
    assert "SELECT 1 -- one\n;\n" in script(Plan([commented]))
    gone = script(planned([SCHEMA, table()], [SCHEMA]))
    assert "-- 1 of 1: delete Table app.things\nBEGIN;\n" in gone
    assert "-- lock: ACCESS EXCLUSIVE\n-- data loss: all rows of app.things are lost\nDROP TABLE" in gone
    assert script(Plan()) == "-- no change\n"


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (Size(3, True, 8192), "3 rows, 8,192 bytes"),
        (Size(1_234_567, False, 5 * 2**30, 12, 7), "about 1,234,567 rows, 5,120 MB, 12 chunks, 7 of them compressed"),
        (Size(None, False, 2**50), "rows not counted, 1,024 TB"),
    ],
)
def test_sizes_in_words(size: Size, said: str) -> None:
    assert str(size) == said
