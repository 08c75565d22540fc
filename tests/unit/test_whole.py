"""Who needs whom, in which order, and the packed picture."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_timescaledb import specs
from pulumi_timescaledb.specs import Reference, Spec
from pulumi_timescaledb.whole import Whole

from ..properties import DETERMINISTIC, names, texts

EXTENSION = specs.Extension(name="timescaledb")
SCHEMA = specs.Schema(name="flows")
ROLE = specs.Role(name="owner", password="planted-secret")
SETTINGS = specs.RoleSettings(role="owner", comment="x")
COLUMNS = ({"name": "at", "type": "timestamptz"}, {"name": "kind", "type": "flows.mood"})
TABLE = specs.Table(schema="flows", name="reading", columns=COLUMNS, owner="owner")
MOOD = specs.Enum(schema="flows", name="mood", labels=("a",))
HYPERTABLE = specs.Hypertable(schema="flows", relation="reading", time_column="at")
INDEX = specs.Index(schema="flows", relation="reading", name="reading_kind", keys=({"column": "kind"},))
VIEW = specs.View(schema="flows", name="latest", query="SELECT max(at) FROM flows.reading -- flows.upper")
UPPER = specs.View(schema="flows", name="upper", query='SELECT * FROM "flows"."latest"')
GRANT = specs.Grant(role="owner", schema="flows", objects=({"name": "latest", "privileges": ("select",)},))
FUNCTION = specs.Function(schema="flows", name="f", returns="trigger", body="BEGIN RETURN NEW; END")
TRIGGER = specs.Trigger(
    schema="flows",
    relation="reading",
    name="t",
    timing="before",
    events=("insert",),
    function_schema="flows",
    function="f",
)
ALL: list[Spec] = [
    GRANT,
    UPPER,
    VIEW,
    TRIGGER,
    FUNCTION,
    INDEX,
    HYPERTABLE,
    TABLE,
    MOOD,
    SCHEMA,
    EXTENSION,
    ROLE,
    SETTINGS,
]


def _needs(spec: Spec) -> set[Reference]:
    return set(Whole(ALL).needs[spec.reference()])


@pytest.mark.parametrize(
    ("spec", "needed", "not_needed"),
    [
        (SCHEMA, [EXTENSION], []),
        (SETTINGS, [ROLE, EXTENSION], []),
        (ROLE, [], [EXTENSION]),
        (MOOD, [SCHEMA, EXTENSION], [TABLE]),
        (TABLE, [SCHEMA, MOOD, ROLE], [HYPERTABLE, TABLE]),
        (HYPERTABLE, [TABLE, EXTENSION], [INDEX]),
        (INDEX, [TABLE, HYPERTABLE], []),
        (VIEW, [TABLE, HYPERTABLE, SCHEMA], [UPPER, VIEW]),
        (UPPER, [VIEW], []),
        (GRANT, [VIEW, ROLE, SCHEMA], [UPPER]),
        (TRIGGER, [FUNCTION, TABLE, HYPERTABLE], []),
    ],
    ids=lambda value: value.KIND if isinstance(value, Spec) else "",
)
def test_needs(spec: Spec, needed: list[Spec], not_needed: list[Spec]) -> None:
    found = _needs(spec)
    assert {each.reference() for each in needed} <= found
    assert not {each.reference() for each in not_needed} & found


def test_a_schema_that_an_extension_is_put_in_comes_before_it() -> None:
    """Every other one goes before the extension: its hooks fail beside its drop."""
    whole = Whole([specs.Extension(name="timescaledb", schema="inside"), specs.Schema(name="inside"), SCHEMA])
    assert whole.needs[Reference("Schema", ("inside",))] == []
    assert whole.needs[SCHEMA.reference()] == [EXTENSION.reference()]
    assert [each.import_id() for each in map(whole.specs.get, whole.creation_order) if each] == [
        "inside",
        "timescaledb",
        "flows",
    ]


def test_creation_order_puts_needs_first() -> None:
    whole = Whole(ALL)
    place = {reference: number for number, reference in enumerate(whole.creation_order)}
    assert len(place) == len(ALL)
    for reference, needed in whole.needs.items():
        assert all(place[each] < place[reference] for each in needed), reference


def test_needed_by_is_the_inverse() -> None:
    whole = Whole(ALL)
    pairs = {(one, other) for one, needed in whole.needs.items() for other in needed}
    assert pairs == {(one, other) for other, found in whole.needed_by.items() for one in found}


def test_direct_needs_reach_the_same() -> None:
    whole = Whole(ALL)

    def reached(edges: dict[Reference, list[Reference]], start: Reference) -> set[Reference]:
        found: set[Reference] = set()
        for each in edges[start]:
            found |= {each} | reached(edges, each)
        return found

    assert sum(map(len, whole.direct_needs.values())) < sum(map(len, whole.needs.values()))
    for reference in whole.specs:
        assert reached(dict(whole.direct_needs), reference) == reached(dict(whole.needs), reference)


def test_dependents_in_creation_order() -> None:
    found = Whole(ALL).dependents(TABLE.reference())
    assert set(found) == {each.reference() for each in (HYPERTABLE, INDEX, TRIGGER, VIEW, UPPER, GRANT)}
    assert found.index(VIEW.reference()) < found.index(UPPER.reference())
    assert found.index(HYPERTABLE.reference()) < found.index(VIEW.reference())


def test_a_circle_is_named() -> None:
    one = specs.View(schema="flows", name="one", query="SELECT * FROM flows.two")
    two = specs.View(schema="flows", name="two", query="SELECT * FROM flows.one")
    with pytest.raises(ValueError, match=r"circle: View flows\.(one|two) -> View flows\.(two|one) -> View flows\."):
        _ = Whole([one, two]).creation_order


def test_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="Schema flows is declared twice"):
        Whole([SCHEMA, SCHEMA])


def test_get_and_of_kind() -> None:
    whole = Whole(ALL)
    assert whole.get("View", "flows", "latest") is VIEW
    assert whole.get("View", "flows", "gone") is None
    assert whole.of_kind("View") == [UPPER, VIEW]


def test_pack_round_trip_without_secrets() -> None:
    packed = Whole(ALL).pack()
    assert list(Whole.unpack(packed).specs.values()) == [spec.without_secrets() for spec in ALL]
    other = [specs.Role(name="owner", password="other") if spec is ROLE else spec for spec in ALL]
    assert Whole(other).pack() == packed
    assert Whole.unpack(Whole().pack()).specs == {}


@DETERMINISTIC
@given(st.dictionaries(names, texts, max_size=4))
def test_pack_round_trip_of_any_text(comments: dict[str, str]) -> None:
    declared = [specs.Schema(name=name, comment=text) for name, text in comments.items()]
    assert list(Whole.unpack(Whole(declared).pack()).specs.values()) == declared


@pytest.mark.parametrize("packed", ["", "junk", "{}", "é", "c-jT?"])
def test_unpack_refuses_junk(packed: str) -> None:
    with pytest.raises(ValueError, match="not in the form this provider writes"):
        Whole.unpack(packed)
