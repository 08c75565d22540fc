"""Rules of object specs and kinds that need no server."""

import pytest
from pydantic import ValidationError

from pulumi_timescaledb.datatypes import normal_type
from pulumi_timescaledb.kinds.columns import conversion
from pulumi_timescaledb.kinds.trigger import _condition
from pulumi_timescaledb.settings import setting_value
from pulumi_timescaledb.specs.function import Argument, Function
from pulumi_timescaledb.specs.table import Column, Table
from pulumi_timescaledb.specs.view import View


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("integer", "bigint", "widening"),
        ("bigint", "integer", "lossy"),
        ("bigint", "double precision", "lossy"),
        ("real", "double precision", "widening"),
        ("integer", "numeric", "widening"),
        ("integer", "numeric(3,0)", "lossy"),
        ("numeric(10,2)", "numeric(12,2)", "free"),
        ("numeric(10,2)", "numeric(12,4)", "widening"),
        ("numeric(10,2)", "numeric(11,4)", "lossy"),
        ("numeric(10)", "numeric(9)", "lossy"),
        ("numeric", "numeric(9)", "lossy"),
        ("numeric(9)", "numeric", "free"),
        ("character varying(10)", "character varying(20)", "free"),
        ("character varying(20)", "character varying(10)", "lossy"),
        ("character varying", "character varying(10)", "lossy"),
        ("character varying(10)", "character varying", "free"),
        ("character varying(10)", "text", "free"),
        ("text", "character varying(10)", "lossy"),
        ("uuid", "text", "widening"),
        ("integer[]", "bigint[]", "widening"),
        ("integer", "bigint[]", "lossy"),
        ("date", "timestamp with time zone", "widening"),
        ("timestamp with time zone", "date", "lossy"),
        ('flows."Mood (x)"', "integer", "lossy"),
    ],
)
def test_conversion(old: str, new: str, expected: str) -> None:
    assert conversion(old, new) == expected


@pytest.mark.parametrize(
    ("name", "value", "sql"),
    [
        ("search_path", "", "''"),
        ("search_path", "pg_catalog", "'pg_catalog'"),
        ("search_path", 'Flows, "B, c", "$user" , "x""y"', "'flows', 'B, c', '$user', 'x\"y'"),
        ("Search_Path", "a,b", "'a', 'b'"),
        ("work_mem", "64MB", "'64MB'"),
        ("app.list", "a, b", "'a, b'"),
        ("app.quote", "it's \\", "E'it''s \\\\'"),
    ],
)
def testsetting_value(name: str, value: str, sql: str) -> None:
    assert setting_value(name, value) == sql


def test_trigger_condition_is_found_between_hostile_names() -> None:
    condition = "((old.\"(\" IS DISTINCT FROM 'a)''EXECUTE FUNCTION '::text) AND (new.execute > 1))"
    definition = (
        'CREATE TRIGGER "x WHEN (y" BEFORE UPDATE OF "WHEN" ON s."A WHEN (" FOR EACH ROW '
        f"WHEN ({condition}) EXECUTE FUNCTION s.f('WHEN (')"
    )
    assert _condition(definition) == condition


@pytest.mark.parametrize(
    "types",
    [(), ("integer",), ("integer[]", "timestamp with time zone"), ('a."B, (c)"', 'd."e""f"', "text")],
)
@pytest.mark.parametrize("name", ["plain", "Mixed (case", 'qu"o"te', "a,b.c"])
def test_function_import_key(name: str, types: tuple[str, ...]) -> None:
    arguments = tuple(Argument(type=each) for each in types)
    function = Function(schema_="S", name=name, arguments=arguments, returns="void", body="")
    assert Function.parse_id(function.import_id()) == function.identity()


@pytest.mark.parametrize("text", ["f", "s.f", "s.f(", "s.f)integer("])
def test_not_a_function_import_key(text: str) -> None:
    with pytest.raises(ValueError, match=r"signature|dotted"):
        Function.parse_id(text)


def test_parameter_with_a_length_is_refused() -> None:
    with pytest.raises(ValidationError, match="drops length"):
        Argument(type="varchar(10)")
    assert Argument(type='flows."odd(1)"').type == 'flows."odd(1)"'


def test_procedure_has_no_volatility() -> None:
    with pytest.raises(ValidationError, match="none of"):
        Function(schema_="s", name="p", procedure=True, body="", volatility="stable")


def test_old_column_names_do_not_count_as_a_difference() -> None:
    before = Table(schema_="s", name="t", columns=(Column(name="b", type="int"),))
    after = Table(schema_="s", name="t", columns=(Column(name="b", type="int", previously="a"),))
    assert before.comparable() == after.comparable()


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("timestamptz", "timestamp with time zone"),
        ("timestamp(3) with time zone", "timestamp(3) with time zone"),
        ("timestamptz(3)", "timestamp(3) with time zone"),
        ("TIME (6)", "time(6) without time zone"),
        ("timetz[]", "time with time zone[]"),
        ("timestamp", "timestamp without time zone"),
        ("float(24)", "real"),
        ("float(53)[]", "double precision[]"),
        ("varchar(8)", "character varying(8)"),
        ('"My"."Type"', '"My"."Type"'),
    ],
)
def test_types_read_as_the_server_writes_them(written: str, normal: str) -> None:
    assert normal_type(written) == normal
    assert normal_type(normal) == normal


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("SELECT 1;", "SELECT 1"),
        ("SELECT 1; -- x", "SELECT 1"),
        ("SELECT 1 /* a /* nested */ ; */ ;\n-- end", "SELECT 1"),
        ("SELECT '--'", "SELECT '--'"),
        ("SELECT 1 -- one\n, 2", "SELECT 1 -- one\n, 2"),
    ],
)
def test_a_text_never_ends_inside_a_comment(written: str, kept: str) -> None:
    assert View(schema="s", name="v", query=written).query == kept
