"""Each policy: declarations that break it and the same made right; levels, exemptions, mistakes; the Flows model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from components.config import ConfigError, StackConfig
from flows import Settings, declarations
from flows.policies import POLICIES, policies
from pulumi_timescaledb import specs
from pulumi_timescaledb.policing import SHOWN_OF_EACH, Policies, PolicyError, advice, names, policy, refusals
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.whole import Whole
from tools import policies as page

ALL_MANDATORY = Policies(dict.fromkeys(names(), "mandatory"), exposed=("api",))
KEY = {"name": "pk", "columns": ["id"]}
COLUMNS = ({"name": "id", "type": "integer", "notNull": True}, {"name": "at", "type": "timestamptz"})


def _table(name: str = "things", **more: Any) -> Any:
    given = {"schema": "app", "name": name, "columns": COLUMNS, "primaryKey": KEY, **more}
    return specs.Table.from_wire({key: value for key, value in given.items() if value is not None})


def _index(*keys: str, **more: Any) -> Any:
    columns = [{"expression": key} if "(" in key else {"column": key} for key in keys]
    return specs.Index.from_wire({"schema": "app", "relation": "things", "name": "i", "keys": columns, **more})


def _view(schema: str = "api", **more: Any) -> Any:
    given = {"securityBarrier": True, "owner": "keeper", "comment": "Things.", **more}
    wire = {"schema": schema, "name": "things", "query": "SELECT id FROM app.things", **given}
    return specs.View.from_wire({key: value for key, value in wire.items() if value is not None})


def _function(schema: str = "app", **more: Any) -> Any:
    wire = {"schema": schema, "name": "f", "returns": "integer", "language": "sql", "body": "SELECT 1", **more}
    return specs.Function.from_wire(wire)


def _grant(role: str, schema: str = "api", **more: Any) -> Any:
    return specs.Grant.from_wire({"role": role, "schema": schema, **more})


def _row_policy(**more: Any) -> Any:
    return specs.RlsPolicy.from_wire({"schema": "app", "relation": "things", "name": "own", "using": "true", **more})


HYPERTABLE = specs.Hypertable(schema="app", relation="things", time_column="at")
RETENTION = specs.RetentionPolicy(schema="app", relation="things", drop_after="30 days")
STORE = specs.Columnstore.from_wire(
    {"schema": "app", "relation": "things", "segmentBy": [], "orderBy": [{"column": "at"}]}
)
SERIES = _table(primaryKey={"name": "pk", "columns": ["id", "at"]})
AGGREGATE = specs.ContinuousAggregate(
    schema="app", name="daily", query="SELECT time_bucket('1 day', at) AS day FROM app.things GROUP BY 1"
)
FOREIGN = specs.ForeignKey.from_wire(
    {
        "schema": "app",
        "relation": "things",
        "name": "fk",
        "columns": ["at", "id"],
        "targetSchema": "app",
        "target": "others",
        "targetColumns": ["a", "b"],
    }
)
ONE_COLUMN = FOREIGN.model_copy(update={"columns": ("at",), "target_columns": ("a",)})
MATERIALIZED = specs.MaterializedView(schema="api", name="m", query="SELECT 1 AS one", comment="One.")
LOGIN = specs.RoleMembership(role="reader", member="gate")
USAGE = {"privileges": ["usage"]}


def _refresh(start: str) -> Any:
    return specs.RefreshPolicy(
        schema="app", relation="daily", start_offset=start, end_offset="1 hour", schedule_interval="1 hour"
    )


@dataclass(frozen=True)
class Case:
    policy: str
    bad: tuple[Spec, ...]
    subject: str
    good: tuple[Spec, ...]


CASES = [
    Case(
        "hypertable-without-retention",
        (SERIES, HYPERTABLE),
        "Hypertable app.things",
        (SERIES, HYPERTABLE, RETENTION),
    ),
    Case("table-without-primary-key", (_table(primaryKey=None),), "Table app.things", (_table(),)),
    Case("foreign-key-without-index", (_table(), FOREIGN), "ForeignKey app.things.fk", (SERIES, FOREIGN)),
    Case(  # the other way round and with more behind is as good; one that begins elsewhere is not
        "foreign-key-without-index",
        (_table(), FOREIGN, _index("note", "id", "at")),
        "ForeignKey app.things.fk",
        (_table(), FOREIGN, _index("id", "at", "note")),
    ),
    Case(
        "foreign-key-without-index",
        (_table(), ONE_COLUMN, _index("at", where="id > 3")),
        "ForeignKey app.things.fk",
        (_table(), ONE_COLUMN, _index("at", where="(at IS NOT NULL)")),
    ),
    Case(
        "foreign-key-without-index",
        (_table(), ONE_COLUMN, _index("date_trunc('day', at)", "at")),
        "ForeignKey app.things.fk",
        (_table(), ONE_COLUMN, _index("at", "abs(id)")),
    ),
    Case(
        "api-object-without-comment", (_view(comment=None),), "View api.things", (_view(), _view("app", comment=None))
    ),
    Case(
        "api-object-without-comment",
        (_function("api"),),
        "Function api.f()",
        (_function("api", comment="One."), _function("app")),
    ),
    Case(
        "api-view-without-barrier",
        (_view(securityBarrier=False),),
        "View api.things",
        (_view(securityBarrier=False, securityInvoker=True), _view("app", securityBarrier=False)),
    ),
    Case("api-view-without-barrier", (MATERIALIZED,), "MaterializedView api.m", (_view(),)),
    Case(
        "inert-row-policy",
        (_table(), _row_policy()),
        "RlsPolicy app.things.own",
        (_table(rowLevelSecurity=True), _row_policy()),
    ),
    Case(
        "inert-row-policy",
        (SERIES, HYPERTABLE, RETENTION, STORE, _row_policy()),
        "RlsPolicy app.things.own",
        (SERIES, HYPERTABLE, RETENTION, STORE),
    ),
    Case(
        "definer-without-search-path",
        (_function(securityDefiner=True),),
        "Function app.f()",
        (_function(securityDefiner=True, settings={"search_path": ""}),),
    ),
    Case(
        "definer-without-search-path",
        (_function(securityDefiner=True, settings={"work_mem": "4MB"}),),
        "Function app.f()",
        (_function(securityDefiner=True, body="BEGIN ATOMIC SELECT 1; END"),),
    ),
    Case(
        "grant-to-public", (_grant("public", **USAGE),), "Grant public.api", (_grant("public"), _grant("me", **USAGE))
    ),
    Case(
        "api-above-row-security",
        (specs.Role(name="keeper", bypass_rls=True), _view()),
        "View api.things",
        (specs.Role(name="keeper"), _view()),
    ),
    Case("api-above-row-security", (_view(owner=None),), "View api.things", (_view(owner=None, securityInvoker=True),)),
    Case(
        "api-above-row-security",
        (specs.Role(name="reader"), specs.Role(name="gate", superuser=True), LOGIN, _grant("reader", **USAGE)),
        "Role gate",
        (specs.Role(name="reader"), specs.Role(name="gate"), LOGIN, _grant("reader", **USAGE)),
    ),
    Case(
        "api-above-row-security",
        (specs.Role(name="reader", superuser=True), _grant("reader", **USAGE)),
        "Role reader",
        (specs.Role(name="reader", superuser=True), _grant("reader"), _grant("reader", "app", **USAGE)),
    ),
    Case(
        "refresh-close-to-retention",
        (SERIES, HYPERTABLE, RETENTION, AGGREGATE, _refresh("24 days")),
        "RefreshPolicy app.daily",
        (SERIES, HYPERTABLE, RETENTION, AGGREGATE, _refresh("23 days")),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.policy)
def test_policy(case: Case) -> None:
    (found,) = ALL_MANDATORY.findings(Whole(case.bad))
    assert (found.policy, found.subject, found.level) == (case.policy, case.subject, "mandatory")
    assert str(found).startswith(f"{case.policy}: {case.subject} ")
    assert ALL_MANDATORY.findings(Whole(case.good)) == []


def test_every_policy_has_a_case_and_a_text() -> None:
    assert {case.policy for case in CASES} == set(names())
    for name in names():
        found = policy(name)
        assert all(text.strip() for text in (found.demand, found.harm, found.remedy, found.source)), name
        assert found.remedy.endswith("."), name


def test_what_an_api_shows_is_only_looked_at_where_a_program_says_so() -> None:
    nothing = Policies(dict.fromkeys(names(), "mandatory"))
    assert nothing.findings(Whole([_view(comment=None, securityBarrier=False, owner=None), MATERIALIZED])) == []


OFFENDER = Whole([_table(primaryKey=None)])
NAME = "table-without-primary-key"


def test_levels() -> None:
    (found,) = Policies().findings(OFFENDER)
    assert advice([found]) == [str(found)]
    assert refusals([found]) == []
    (found,) = Policies({NAME: "mandatory"}).findings(OFFENDER)
    assert advice([found]) == []
    assert refusals([found])[0].startswith(str(found))
    assert Policies({NAME: "off"}).findings(OFFENDER) == []
    assert Policies({NAME: "mandatory"}).at({NAME: "off"}).findings(OFFENDER) == []


def test_an_exemption_spares_that_object_and_is_told_when_it_is_not_needed() -> None:
    spared = Policies({NAME: "mandatory"}, {NAME: {"Table app.things": "a log"}})
    assert spared.findings(OFFENDER) == []
    (found,) = spared.findings(Whole([_table("other", primaryKey=None), _table()]))[:1]
    assert found.subject == "Table app.other"
    (stale,) = spared.findings(Whole([_table()]))
    assert (stale.level, stale.subject) == ("advisory", "Table app.things")
    assert "Take the exemption out" in str(stale)


def test_a_text_lists_some_and_counts_the_rest() -> None:
    many = Policies().findings(Whole(_table(f"t{number}", primaryKey=None) for number in range(SHOWN_OF_EACH + 3)))
    assert len(many) == SHOWN_OF_EACH + 3
    assert len(advice(many)) == SHOWN_OF_EACH + 1
    assert advice(many)[-1] == f"{NAME}: and 3 more."


@pytest.mark.parametrize(
    ("wire", "fault"),
    [
        ({"levels": {"table-without-primary-keys": "off"}}, "Did you mean table-without-primary-key?"),
        ({"levels": {"xyz": "off"}}, "There are api-above-row-security"),
        ({"levels": {NAME: "warn"}}, "it may be advisory, mandatory, off"),
        ({"levels": ["off"]}, "must be an object"),
        ({"exempt": {NAME: {"Table a.b": " "}}}, "spares Table a.b without a reason"),
        ({"exempt": {NAME: ["Table a.b"]}}, "must be an object"),
        ({"exposedSchemas": "api"}, "must be a list"),
        ({"level": {}}, "has no property level"),
    ],
)
def test_mistakes_are_named(wire: dict[str, Any], fault: str) -> None:
    with pytest.raises(PolicyError) as raised:
        Policies.from_wire(wire)
    assert fault in str(raised.value)


def test_the_wire_form_goes_both_ways() -> None:
    chosen = Policies({NAME: "off"}, {"grant-to-public": {"Grant public.api": "everybody's"}}, ("api",))
    assert Policies.from_wire(chosen.to_wire()) == chosen
    assert Policies.from_wire({}) == Policies.from_wire(None) == Policies()
    assert Policies().to_wire() == {}


@pytest.mark.parametrize(
    "settings", [Settings(), Settings(tableau_enabled=True, query_statistics=True), Settings(edition="apache")]
)
def test_the_flows_model_passes(settings: Settings) -> None:
    assert policies(settings).findings(Whole(declarations(settings))) == []


def test_a_stack_chooses_after_its_edition() -> None:
    loud = {"flows:edition": "apache", "flows:policies": {"hypertable-without-retention": "mandatory"}}
    assert StackConfig.read(loud).policies.level("hypertable-without-retention") == "mandatory"


def test_levels_come_from_the_config() -> None:
    for value in ({NAME: "off"}, f'{{"{NAME}": "off"}}'):
        config = StackConfig.read({"flows:policies": value})
        assert config.policies.level(NAME) == "off"
        assert config.policies.exposed == ("api",)
    assert StackConfig.read({"flows:policies": ""}).policies == POLICIES
    with pytest.raises(ConfigError, match=r"flows:policies: .*Did you mean grant-to-public"):
        StackConfig.read({"flows:policies": {"grant-to-publik": "off"}})
    with pytest.raises(ConfigError, match="flows:policies must be an object of levels"):
        StackConfig.read({"flows:policies": "off"})
    with pytest.raises(ConfigError, match="flows:allow must be a list of texts"):  # a text was once taken for nothing
        StackConfig.read({"flows:allow": "drop:flows.meter_csq"})


def test_the_page_is_up_to_date() -> None:
    assert page.TARGET.read_text(encoding="utf-8") == page.document(), "run make docs"
