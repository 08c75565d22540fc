"""What belongs to the closure of an aggregate, and the order of its steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.kinds import Context
from pulumi_timescaledb.ledger import Entry
from pulumi_timescaledb.plan import Standing, make_plan
from pulumi_timescaledb.rebuild import Change, plan_change
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.statement import Refused, Statement
from pulumi_timescaledb.succession.closure import Closure, named
from pulumi_timescaledb.succession.judge import selected
from pulumi_timescaledb.succession.plan import build, rebuilt, swap
from pulumi_timescaledb.succession.step import Step
from pulumi_timescaledb.whole import Whole


def of(kind: type[Spec], **fields: Any) -> Any:
    return kind.from_wire({"schema": "s", **fields})


def aggregate(name: str, source: str, output: str = "sum(v) AS v", **more: Any) -> Any:
    query = f"SELECT time_bucket('1 day', at) AS at, {output} FROM {source} GROUP BY 1"
    return of(specs.ContinuousAggregate, name=name, query=query, **more)


LOW, HIGH = aggregate("low", "s.raw"), aggregate("high", "s.low")
VIEW = of(specs.View, name="v", query="SELECT * FROM s.high")
READS = of(specs.Function, name="reads", returns="bigint", language="sql", body="SELECT count(*) FROM s.low")
ROWS = of(specs.Function, name="rows", returns="SETOF s.low", language="sql", body="SELECT * FROM s.low")
GRANT = specs.Grant.from_wire(
    {"role": "public", "schema": "s", "objects": [{"name": n, "privileges": ["select"]} for n in ("low", "v")]}
)
RETENTION = of(specs.RetentionPolicy, relation="high", dropAfter="1 year")
OLD: list[Spec] = [specs.Schema(name="s"), LOW, HIGH, VIEW, READS, ROWS, GRANT, RETENTION]
NEW_LOW = aggregate("low", "s.raw", "max(v) AS v")


def changed(*new: Spec) -> Closure:
    """The closure of the change of LOW; `new` replaces what is declared."""
    wanted = {spec.reference(): spec for spec in [*OLD, NEW_LOW, *new]}
    return Closure(LOW, NEW_LOW, Whole(OLD), Context(whole=Whole(wanted.values())))


def test_the_closure() -> None:
    closure = changed()
    assert [member.old.name for member in closure.members] == ["low", "high"]
    assert {spec.import_id() for spec in closure.standing} == {"s.v", "s.rows()", "public.s"}


def test_a_function_that_only_reads_is_left_alone() -> None:
    assert not any("s.reads" in each.sql.replace('"', "") for each in swap(changed()).statements)


def test_the_digest_is_that_of_what_is_built() -> None:
    same = changed(VIEW.model_copy(update={"comment": "x"}), RETENTION.model_copy(update={"drop_after": "2 years"}))
    assert same.digest == changed().digest
    assert changed(HIGH.model_copy(update={"comment": "x"})).digest != changed().digest


def test_retention_that_was_there_is_no_new_loss() -> None:
    def losses(closure: Closure) -> list[str]:
        return [h.allow for each in swap(closure).statements for h in each.hazards if h.code == "data_loss"]

    assert losses(changed()) == []
    assert losses(changed(RETENTION.model_copy(update={"drop_after": "1 month"}))) == ["retention:s.high"]


def test_what_is_no_longer_declared_goes_and_says_so() -> None:
    closure = changed()
    whole = Whole(spec for spec in closure.context.whole.specs.values() if spec not in (HIGH, VIEW))  # type: ignore[union-attr]
    closure = replace(closure, context=Context(whole=whole))
    (loss,) = [h for each in swap(closure).statements for h in each.hazards if h.code == "data_loss"]
    assert loss.allow == "drop:s.high"
    assert "high_v2" not in " ".join(each.sql for each in rebuilt(closure).statements)


def test_a_view_whose_new_needs_are_not_there_yet_keeps_its_old_form() -> None:
    later = of(specs.Function, name="later", returns="integer", language="sql", body="SELECT 1")
    view = VIEW.model_copy(update={"query": "SELECT *, s.later() FROM s.high"})
    closure = changed(later, view)
    made = next(each.sql for each in swap(closure).statements if each.sql.startswith("CREATE VIEW"))
    assert "later" not in made


def test_the_upper_query_is_read_while_the_new_lower_one_bears_its_name() -> None:
    texts = [each.sql for each in build(changed(), 1)]
    places = [
        next(n for n, text in enumerate(texts) if part in text) for part in ('TO "low"', "CREATE MAT", 'TO "low_v2')
    ]
    assert places == sorted(places)


def test_a_new_name_and_a_new_query_at_once_are_refused() -> None:
    with pytest.raises(Refused, match=r"changes its name and its query at once\. Rename it in one run"):
        plan_change(_kind(), LOW, NEW_LOW.model_copy(update={"name": "lower"}), Context(), Whole(OLD))


def test_the_whole_plan_has_the_closure_as_one_step() -> None:
    """The upper one has none of its own; unless the server says that the lower one is changed in place."""
    upper = HIGH.model_copy(update={"comment": "x"})
    new = changed(upper).context.whole or Whole()
    plan = make_plan(Standing(Whole(OLD)), new, Context().capabilities)
    assert [step.spec.import_id() for step in plan.steps] == ["s.low"]
    assert [h.allow for _, each in plan.statements() for h in each.hazards if h.code == "data_loss"] == [
        "rebuild:s.low",
        "rebuild:s.high",
    ]
    (change,) = plan.unsettled
    assert change.closure is not None
    plan = make_plan(
        Standing(Whole(OLD)), new, Context().capabilities, {LOW.reference(): Change([Statement("in place")])}
    )
    assert [step.spec.import_id() for step in plan.steps] == ["s.low", "s.high"]
    assert plan.unsettled == []


def test_names_are_cut_to_what_the_server_keeps() -> None:
    assert named("short", "_v2_12345678") == "short_v2_12345678"
    for name in ("x" * 63, "é" * 31, "日" * 21):
        found = named(name, "_v2_12345678")
        assert found.endswith("_v2_12345678")
        assert 60 <= len(found.encode()) <= 63


def test_a_step_survives_the_ledger() -> None:
    step = Step("d", "built", 1, (("s", "a"),), (("s", "b"),), {"s.low": "2025-01-01"}, "2024-12-31")
    entry = Entry("ContinuousAggregate", "s.low", "dev", "urn", None, {}, {}, step.text())
    assert Step.of(entry) == step
    for other in (None, "intent", "rebuilt"):
        assert Step.of(replace(entry, step=other)) is None


@pytest.mark.parametrize(
    ("query", "expressions"),
    [
        (" SELECT device,\n    sum(kwh) AS kwh\n   FROM s.raw\n  GROUP BY device;", ["device", "sum(kwh)"]),
        (' SELECT count(*) FILTER (WHERE (a > 1)) AS "a, FROM b"\n   FROM x', ["count(*) FILTER (WHERE (a > 1))"]),
        (
            " SELECT max(CASE WHEN (x = ', '::text) THEN (1)::integer ELSE ARRAY[1, 2][1] END) AS \"as\"\n FROM x",
            ["max(CASE WHEN (x = ', '::text) THEN (1)::integer ELSE ARRAY[1, 2][1] END)"],
        ),
        (
            ' SELECT "trim"(max(EXTRACT(hour FROM t))) AS h, min(CAST(a AS text)) AS b FROM x',
            ['"trim"(max(EXTRACT(hour FROM t)))', "min(CAST(a AS text))"],
        ),
    ],
)
def test_expressions_of_a_query_as_the_server_writes_it(query: str, expressions: list[str]) -> None:
    assert list(selected(query)) == expressions


def _kind() -> Any:
    from pulumi_timescaledb.kinds import kind_of

    return kind_of("ContinuousAggregate")
