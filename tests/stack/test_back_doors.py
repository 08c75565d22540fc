"""Ways around the program that must lose nothing: each does nothing, or says what is wrong and what to do. And a rename
on the real engine. One stack, in order; each test leaves it in step."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from pulumi_timescaledb import specs
from pulumi_timescaledb.connection import ConnectionSettings, Database
from pulumi_timescaledb.local.server import EmbeddedServer
from pulumi_timescaledb.rebind import rebind
from pulumi_timescaledb.specs import Spec

from ..provider.test_rename import OLD, RENAMED
from .small import Small

pytestmark = [
    pytest.mark.stack,
    pytest.mark.xdist_group("back-doors"),
    # The Automation API leaves its sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]
EXTENSION = specs.Extension(name="timescaledb")
FIRST: list[Spec] = [EXTENSION, *OLD]
SECOND: list[Spec] = [EXTENSION, *RENAMED["all of them"][1]]
NUMBERS = """
    SELECT oid, relkind, (SELECT count(*) FROM aclexplode(relacl)) FROM pg_class
    WHERE relnamespace::regnamespace::text IN ('app', 'data') OR relname ~ '^_hyper' ORDER BY 1
"""


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    made = Small(tmp_path_factory.mktemp("life") / "one")
    try:
        made.run("up", FIRST)
        made.sql("INSERT INTO app.devices VALUES (1, 'on')")
        made.sql(
            "INSERT INTO app.readings SELECT t, 1, 5 FROM generate_series('2026-01-01'::date, '2026-02-01', '1 day') t"
        )
        yield made
    finally:
        EmbeddedServer(made.data).remove()


def changes(small: Small) -> int:
    """How often anything was done to the database."""
    return int(small.sql("SELECT count(*) FROM pulumi_timescaledb.history")[0][0])


def urn(kind: str, name: str, parent: str = "") -> str:
    return f"urn:pulumi:dev::small::{parent}{kind}::{name}"


def test_a_renamed_provider_changes_nothing(life: Small) -> None:
    before = life.sql(NUMBERS), changes(life)
    life.provider = "renamed"
    life.run("up")
    assert (life.sql(NUMBERS), changes(life)) == before
    assert life.run("preview") == {}


def test_replacing_changes_nothing(life: Small) -> None:
    before = life.sql(NUMBERS), changes(life)
    inside = "flows:components:DatabaseSchema$"
    for target in (
        urn("pulumi:providers:timescaledb", "renamed"),
        urn("timescaledb:index:Table", "app.devices", inside),
        urn("timescaledb:index:Grant", "rn_reader.app", inside),
    ):
        assert any("replace" in op for op in life.run("up", replace=[target])), target
        assert (life.sql(NUMBERS), changes(life)) == before
    assert life.run("preview") == {}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"database": "template1"}, "cannot connect"),
        ({"embedded_folder": "/nonexistent/folder"}, "it is another one, or it was emptied"),
    ],
)
def test_another_place_is_refused(life: Small, settings: dict[str, object], told: str) -> None:
    before = life.sql(NUMBERS), changes(life)
    life.settings = settings
    assert told in life.refused("up")
    life.settings = {}
    assert (life.sql(NUMBERS), changes(life)) == before
    assert life.run("up") == {"update": 1}  # the provider's own settings
    assert life.run("preview") == {}


def test_another_folder_is_refused(life: Small, tmp_path: Path) -> None:
    before, data = life.sql(NUMBERS), life.data
    life.data = tmp_path / "elsewhere"
    assert "the database would be left there" in life.refused("up")
    assert not life.data.exists()
    life.data = data
    assert life.sql(NUMBERS) == before
    assert life.run("up") == {"update": 1}  # the provider's own settings


def test_a_rename_is_a_few_updates(life: Small) -> None:
    before = life.sql(NUMBERS)
    assert set(life.run("preview", SECOND)) == {"update"}
    assert set(life.run("up", SECOND)) == {"update"}
    assert life.sql(NUMBERS) == before
    assert life.sql('SELECT count(*) FROM data."values"') == [(32,)]
    assert life.run("preview") == {}
    life.run("refresh")
    assert life.run("preview") == {}


def test_what_stands_on_a_renamed_table_still_goes_with_it(life: Small) -> None:
    """`deleted_with` names the table by its new name: the drop of the table takes what is on it."""
    left = [spec for spec in SECOND if "values" not in str(spec.to_wire()) and getattr(spec, "name", "") != "top"]
    left = [spec for spec in left if getattr(spec, "relation", "") != "daily"]
    done = life.run("up", left)
    assert done["delete"] == len(SECOND) - len(left)
    assert life.sql("SELECT count(*) FROM timescaledb_information.hypertables") == [(0,)]
    deleted = life.sql("""SELECT kind FROM pulumi_timescaledb.history
                          WHERE verb = 'delete' AND statements[1] NOT LIKE '-- went with %'""")
    assert ("Columnstore",) not in deleted
    assert ("Index",) not in deleted
    assert life.run("preview") == {}


def test_two_projects_with_stacks_of_one_name(life: Small, tmp_path: Path) -> None:
    other = Small(tmp_path / "two", project="other", data=life.data)
    before = life.sql(NUMBERS)
    assert 'belongs to stack "small/dev"' in other.refused("up", [specs.Schema(name="data")])
    other.run("up", [specs.Schema(name="theirs")])
    assert "it holds objects of small/dev" in other.refused("destroy")
    assert life.sql(NUMBERS) == before
    assert life.sql("SELECT DISTINCT stack FROM pulumi_timescaledb.ledger") == [("small/dev",)]
    assert life.run("preview") == {}


def test_a_renamed_stack_is_told_to_rebind(life: Small) -> None:
    before = life.sql(NUMBERS)
    life.cli("stack", "rename", "renamed", "--stack", "dev")
    life.stack = "renamed"
    said = life.refused("up")
    assert "belong to stack small/dev, and this is stack small/renamed" in said
    assert "flowsctl ledger rebind" in said

    async def bind() -> None:
        database = Database(ConnectionSettings(host=str(EmbeddedServer(life.data).socket_dir), user="tsdbadmin"))
        try:
            known = life.sql("SELECT ledger::text FROM pulumi_timescaledb.identity")[0][0]
            assert (await rebind(database, "small/renamed", known)).previous == "small/dev"
        finally:
            await database.close()

    asyncio.run(bind())
    assert life.run("preview") == {}
    life.run("up")
    assert life.sql(NUMBERS) == before
    life.run("destroy")
    assert not life.data.exists()
