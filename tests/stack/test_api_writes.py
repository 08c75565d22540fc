"""What the API lets the write role change: rows of its own esco, and what the read role may: nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from postgrest import SyncPostgrestClient

from .conftest import Stack
from .two_escos import ALPHA, BRAVO

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

WRITER = "flows_api_writer"
TARIFF = {"standing_charge": 0.5, "unit_rate_element_a": 0.21, "activation_datetime": "2031-04-01T00:00:00"}
RETURN = {"Prefer": "return=representation"}


def client(stack: Stack, role: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {stack.token(role=role, esco=ALPHA.code)}"}
    with httpx.Client(base_url=stack.api, headers=headers, timeout=30) as made:
        yield made


@pytest.fixture(scope="module")
def writer(stack: Stack) -> Iterator[httpx.Client]:
    yield from client(stack, WRITER)


@pytest.fixture(scope="module")
def reader(stack: Stack) -> Iterator[httpx.Client]:
    yield from client(stack, "public_backend")


@pytest.fixture
def unchanged(stack: Stack) -> Iterator[None]:
    """The test must leave every plain table of the two escos as it was."""
    before = everything(stack)
    yield
    assert everything(stack) == before


def everything(stack: Stack) -> dict[str, str]:
    tables = stack.rows("""
        SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'flows'::regnamespace AND relrowsecurity
    """)
    digest = "SELECT '{0}', md5(string_agg(to_jsonb(t)::text, '' ORDER BY to_jsonb(t)::text)) FROM flows.{0} t"
    found = stack.rows(" UNION ALL ".join(digest.format(name) for (name,) in tables))
    return {str(name): str(value) for name, value in found}


def futures(stack: Stack) -> dict[str, Any]:
    return {str(key): value for key, value in stack.rows("SELECT id, tariffs_future FROM flows.meter_shadows")}


def forget_tariffs(stack: Stack) -> None:
    stack.rows("UPDATE flows.meter_shadows SET tariffs_future = NULL RETURNING id")


def test_future_tariffs_of_one_own_meter(stack: Stack, writer: httpx.Client) -> None:
    meter = str(ALPHA.id("prepay"))
    try:
        done = writer.patch("/meter_shadows", params={"id": f"eq.{meter}"}, json={"tariffs_future": TARIFF})
        assert (done.status_code, done.text) == (204, "")
        assert {key for key, value in futures(stack).items() if value is not None} == {meter}
        (shown,) = writer.get("/meter_shadows_tariffs", params={"id": f"eq.{meter}"}).json()
        assert shown["future_unit_rate_a"] == 0.21
        assert shown["future_activation_datetime"] == "2031-04-01T00:00:00"
    finally:
        forget_tariffs(stack)


def test_a_patch_without_a_filter_stays_within_the_esco(stack: Stack, writer: httpx.Client) -> None:
    mine = {str(ALPHA.id("prepay")), str(ALPHA.id("silent"))}
    try:
        done = writer.patch("/meter_shadows", json={"tariffs_future": TARIFF}, headers=RETURN)
        assert done.status_code == 200
        assert {row["id"] for row in done.json()} == mine
        assert {key for key, value in futures(stack).items() if value is not None} == mine
    finally:
        forget_tariffs(stack)


def test_the_client_library_patches(stack: Stack) -> None:
    headers = {"Authorization": f"Bearer {stack.token(role=WRITER, esco=ALPHA.code)}"}
    meter = str(ALPHA.id("silent"))
    try:
        with SyncPostgrestClient(stack.api, schema="api", headers=headers) as library:
            found = library.from_("meter_shadows").update({"tariffs_future": TARIFF}).eq("id", meter).execute().data
            assert [row["tariffs_future"] for row in found] == [TARIFF]
            foreign = str(BRAVO.id("silent"))
            none = library.from_("meter_shadows").update({"tariffs_future": TARIFF}).eq("id", foreign).execute().data
            assert none == []
        assert {key for key, value in futures(stack).items() if value is not None} == {meter}
    finally:
        forget_tariffs(stack)


def test_a_sync_job_s_update_reaches_the_history(stack: Stack, writer: httpx.Client) -> None:
    meter = str(ALPHA.id("prepay"))
    counts = "SELECT (SELECT count(*) FROM flows.meter_csq), (SELECT count(*) FROM flows.register_import)"
    ((csq, reads),) = stack.rows(counts)
    body = {"csq": 11, "import_a": 4321.5}
    done = writer.patch("/meter_shadows", params={"id": f"eq.{meter}"}, json=body, headers=RETURN)
    assert done.status_code == 200, done.text
    at = done.json()[0]["updated_at"]
    try:
        assert stack.rows(counts) == [(csq + 1, reads + 1)]
        (entry,) = writer.get("/register_import", params={"timestamp": f"eq.{at}"}).json()
        assert entry == {"register_id": str(ALPHA.id("prepay-A")), "timestamp": at, "read": 4321.5}
        assert writer.get("/meter_csq", params={"timestamp": f"eq.{at}"}).json()[0]["csq"] == 11
    finally:
        stack.rows("UPDATE flows.meter_shadows SET csq = 21, import_a = 1 WHERE id = %s RETURNING id", meter)


def test_own_configuration_is_made_changed_and_unmade(stack: Stack, writer: httpx.Client) -> None:
    meter, register = str(uuid4()), str(uuid4())
    body = {"id": meter, "serial": "EML10077", "name": "ALPHA new", "esco": str(ALPHA.id("esco"))}
    try:
        made = writer.post("/meter_registry", json=body, headers=RETURN)
        assert (made.status_code, made.json()[0]["mode"]) == (201, "active"), made.text
        assert writer.post("/meter_registry", json={**body, "id": str(uuid4())}).status_code == 409
        assert writer.get("/meter_shadows", params={"id": f"eq.{meter}"}).json()[0]["balance"] is None
        registered = writer.post("/meter_registers", json={"register_id": register, "meter_id": meter, "element": "A"})
        assert registered.status_code == 201, registered.text
        linked = {"circuit": str(ALPHA.id("circuit")), "register": register, "start_time": "2026-01-01T00:00:00Z"}
        assert writer.post("/circuit_register", json=linked).status_code == 201
        renamed = writer.patch("/meter_registry", params={"id": f"eq.{meter}"}, json={"name": "ALPHA newer"})
        assert renamed.status_code == 204
        assert writer.delete("/circuit_register", params={"register": f"eq.{register}"}).status_code == 204
        assert writer.delete("/meter_registry", params={"id": f"eq.{meter}"}).status_code == 403  # history refers to it
    finally:
        stack.rows("DELETE FROM flows.circuit_register WHERE register = %s RETURNING 1", register)
        stack.rows("DELETE FROM flows.meter_registers WHERE register_id = %s RETURNING 1", register)
        stack.rows("DELETE FROM flows.meter_shadows WHERE id = %s RETURNING 1", meter)
        stack.rows("DELETE FROM flows.meter_registry WHERE id = %s RETURNING 1", meter)


A, B = ALPHA.ids, BRAVO.ids
FOREIGN_ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "a meter": ("/meter_registry", {"serial": "EML19999", "esco": B["esco"]}),
    "a meter without an esco": ("/meter_registry", {"serial": "EML19999"}),
    "a site": ("/sites_new", {"name": "x", "esco": B["esco"]}),
    "a feeder": ("/feeder_registry", {"name": "x", "esco": B["esco"]}),
    "a service head": ("/service_head_registry", {"name": "x", "feeder": B["feeder"]}),
    "a service head of no feeder": ("/service_head_registry", {"name": "x"}),
    "a property": ("/properties", {"plot": "x", "site": B["site"]}),
    "a tophat": ("/meter_tophat_registry", {"meter": B["prepay"]}),
    "a register": ("/meter_registers", {"register_id": str(uuid4()), "meter_id": B["prepay"]}),
    "own meter, foreign head": ("/service_head_meter", {"service_head": B["head"], "meter": A["silent"]}),
    "foreign meter, own head": ("/service_head_meter", {"service_head": A["head"], "meter": B["silent"]}),
    "own property, foreign head": ("/properties_service_head", {"property": A["flat"], "service_head": B["head"]}),
    "foreign property, own head": ("/properties_service_head", {"property": B["flat"], "service_head": A["head"]}),
    "foreign register, own circuit": (
        "/circuit_register",
        {"circuit": A["circuit"], "register": B["silent-SINGLE"], "start_time": "2026-01-01T00:00:00Z"},
    ),
    "own register, foreign circuit": (
        "/circuit_register",
        {"circuit": B["circuit"], "register": A["silent-SINGLE"], "start_time": "2026-01-01T00:00:00Z"},
    ),
}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("what", FOREIGN_ROWS)
def test_a_row_of_a_foreign_esco_cannot_be_made(writer: httpx.Client, what: str) -> None:
    path, body = FOREIGN_ROWS[what]
    answer = writer.post(path, json=body)
    assert answer.status_code in (400, 403), f"{answer.status_code} {answer.text}"
    assert answer.json()["code"] in ("42501", "23514"), answer.text


# Path -> thing, and the column and thing that tell whose it is.
HANDED_OVER = {
    "/meter_registry": ("prepay", "esco", "esco"),
    "/sites_new": ("site", "esco", "esco"),
    "/feeder_registry": ("feeder", "esco", "esco"),
    "/service_head_registry": ("head", "feeder", "feeder"),
    "/meter_tophat_registry": ("tophat", "meter", "prepay"),
    "/properties": ("plot", "site", "site"),
}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("path", HANDED_OVER)
def test_own_rows_cannot_be_handed_over_nor_foreign_ones_taken(writer: httpx.Client, path: str) -> None:
    thing, column, owner = HANDED_OVER[path]
    given = writer.patch(path, params={"id": f"eq.{A[thing]}"}, json={column: B[owner]})
    assert given.status_code == 403, f"{given.status_code} {given.text}"
    taken = writer.patch(path, params={"id": f"eq.{B[thing]}"}, json={column: A[owner]}, headers=RETURN)
    assert (taken.status_code, taken.json()) == (200, []), taken.text
    upsert = {"Prefer": "resolution=merge-duplicates"}
    merged = writer.post(path, json={"id": B[thing], "name": "x", column: A[owner]}, headers=upsert)
    assert merged.status_code in (400, 403), f"{merged.status_code} {merged.text}"


@pytest.mark.usefixtures("unchanged")
def test_foreign_rows_cannot_be_deleted(writer: httpx.Client) -> None:
    for path, column, thing in (
        ("/circuit_register", "circuit", "circuit"),
        ("/service_head_meter", "meter", "prepay"),
        ("/properties_service_head", "property", "plot"),
        ("/meter_tophat_registry", "id", "tophat"),
    ):
        done = writer.delete(path, params={column: f"eq.{B[thing]}"}, headers=RETURN)
        assert (done.status_code, done.json()) == (200, []), path


@pytest.mark.usefixtures("unchanged")
def test_what_nobody_may_write(writer: httpx.Client, reader: httpx.Client) -> None:
    prepay = {"id": f"eq.{A['prepay']}"}
    attempts: list[tuple[httpx.Client, str, str, dict[str, Any], dict[str, str]]] = [
        (writer, "POST", "/escos", {"code": "CHARLIE"}, {}),
        (writer, "PATCH", "/escos", {"code": "CHARLIE"}, {"id": f"eq.{A['esco']}"}),
        (writer, "PATCH", "/meter_shadows", {"id": B["prepay"]}, prepay),
        (writer, "PATCH", "/meter_shadows", {"updated_at": "2020-01-01"}, prepay),
        (writer, "POST", "/register_import", {"register_id": A["prepay-A"], "timestamp": "2026-01-01", "read": 1}, {}),
        (writer, "PATCH", "/ev_chargers", {"serial": "EML19998"}, {"id": f"eq.{A['charger']}"}),
        (writer, "DELETE", "/meter_shadows", {}, prepay),
        (reader, "PATCH", "/meter_shadows", {"tariffs_future": TARIFF}, prepay),
        (reader, "POST", "/meter_registry", {"serial": "EML19997", "esco": A["esco"]}, {}),
        (reader, "DELETE", "/circuit_register", {}, {"circuit": f"eq.{A['circuit']}"}),
    ]
    for http, verb, path, body, parameters in attempts:
        answer = http.request(verb, path, json=body, params=parameters)
        assert answer.status_code == 403, f"{verb} {path} {body}: {answer.status_code} {answer.text}"
