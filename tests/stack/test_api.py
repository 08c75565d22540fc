"""The API through the real PostgREST: what each esco reads, over plain HTTP and with the client people use."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from postgrest import APIError, SyncPostgrestClient

from .conftest import Stack
from .two_escos import NOBODY, PIN, Esco

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

SHARED = "/meter_event_log_type"
"""The one endpoint whose rows are everybody's."""
ENDPOINTS = {
    *("/escos", "/sites_new", "/properties", "/circuits", "/feeder_registry", "/service_head_registry", "/ev_chargers"),
    *("/meter_registry", "/meter_tophat_registry", "/meter_registers", "/meter_shadows", "/meter_event_log", SHARED),
    *("/circuit_register", "/service_head_meter", "/properties_service_head"),
    *("/register_import", "/register_export", "/register_interval_hh", "/meter_prepay_balance", "/meter_csq"),
    *("/meter_voltage", "/meter_3p_voltage", "/meter_health_history"),
    *("/circuit_interval_hh", "/circuit_interval_daily", "/circuit_interval_monthly"),
    *("/meter_shadows_tariffs", "/meters_low_balance", "/meters_offline_recently", "/meters_offline_all"),
    *("/meters_clock_drift", "/register_interval_hh_missing", "/register_import_missing", "/register_export_missing"),
}
NOTE = re.compile(r"(^|\n\n)Note:.*", re.DOTALL)
"""What PostgREST adds to the comment of a key column."""


@pytest.fixture(scope="module")
def alpha(stack: Stack, escos: tuple[Esco, Esco]) -> Iterator[httpx.Client]:
    yield from client(stack, escos[0])


@pytest.fixture(scope="module")
def bravo(stack: Stack, escos: tuple[Esco, Esco]) -> Iterator[httpx.Client]:
    yield from client(stack, escos[1])


def client(stack: Stack, esco: Esco) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {stack.token(esco=esco.code)}"}
    with httpx.Client(base_url=stack.api, headers=headers, timeout=30) as made:
        yield made


def read(http: httpx.Client, path: str, **parameters: str) -> list[dict[str, Any]]:
    answer = http.get(path, params=parameters)
    assert answer.status_code == 200, f"{path} {parameters}: {answer.status_code} {answer.text}"
    return list(answer.json())


def owned(rows: list[dict[str, Any]], esco: Esco) -> list[dict[str, Any]]:
    """The rows that carry a mark of the esco."""
    return [row for row in rows if any(mark in json.dumps(row) for mark in esco.marks)]


def bag(rows: list[dict[str, Any]], columns: set[str]) -> Counter[str]:
    return Counter(json.dumps({name: row[name] for name in columns}, sort_keys=True) for row in rows)


def test_each_esco_reads_all_its_rows_and_no_other_in_every_endpoint(
    stack: Stack, escos: tuple[Esco, Esco], alpha: httpx.Client, bravo: httpx.Client
) -> None:
    paths = {path for path in alpha.get("/").json()["paths"] if path != "/" and not path.startswith("/rpc/")}
    assert paths == ENDPOINTS
    for path in sorted(paths):
        everything = [row[0] for row in stack.rows(f"SELECT to_jsonb(t) FROM flows.{path.removeprefix('/')} t")]
        for esco, http in zip(escos, (alpha, bravo), strict=True):
            rows = read(http, path)
            expected = everything if path == SHARED else owned(everything, esco)
            assert expected, f"{path}: {esco.code} has no rows, so nothing is tested"
            columns = set(rows[0]) if rows else set()
            assert bag(rows, columns) == bag(expected, columns), f"{path} as {esco.code}"
            others = [other for other in (*escos, NOBODY) if other is not esco]
            assert not [row for other in others for row in owned(rows, other)], f"{path} as {esco.code}"


def test_aggregates_sum_up_the_own_registers_only(alpha: httpx.Client, bravo: httpx.Client) -> None:
    # Two registers per circuit, each with as many kWh in a half hour as the esco's number.
    for http, kwh in ((alpha, 2), (bravo, 4)):
        halves = read(http, "/circuit_interval_hh")
        assert {row["timestamp"] for row in halves} == {row["timestamp"] for row in read(http, "/register_interval_hh")}
        assert {row["total_import_kwh"] for row in halves} == {kwh}
        assert {row["total_export_kwh"] for row in halves} == {kwh / 10}
        for coarser in ("daily", "monthly"):
            total = sum(row["total_import_kwh"] for row in read(http, f"/circuit_interval_{coarser}"))
            assert total == kwh * len(halves)


def test_naming_the_other_finds_nothing(alpha: httpx.Client, escos: tuple[Esco, Esco], stack: Stack) -> None:
    definitions = alpha.get("/").json()["definitions"]
    other = escos[1]
    asked = 0
    for table, definition in definitions.items():
        for column, property_ in definition["properties"].items():
            if property_.get("format") == "uuid":
                listing = ",".join(other.ids.values())
                assert read(alpha, f"/{table}", **{column: f"in.({listing})"}) == [], f"{table}.{column}"
                asked += 1
    assert asked > 25
    assert read(alpha, "/escos", code=f"eq.{other.code}") == []
    assert read(alpha, "/meter_registry", serial="like.EML2*") == []
    counted = alpha.get("/meter_registry", params={"serial": "like.EML2*"}, headers={"Prefer": "count=exact"})
    assert counted.headers["Content-Range"] == "*/0"


def test_rpc_lists_the_own_meters_by_post_and_by_get(
    alpha: httpx.Client, bravo: httpx.Client, escos: tuple[Esco, Esco]
) -> None:
    for http, esco, other in ((alpha, *escos), (bravo, *reversed(escos))):
        mine = {str(esco.id("prepay")), str(esco.id("silent"))}
        for arguments in ({}, {"esco_filter": esco.code}):
            posted = http.post("/rpc/get_meters_for_cli", json=arguments)
            got = http.get("/rpc/get_meters_for_cli", params=arguments)
            assert (posted.status_code, got.status_code) == (200, 200)
            assert {row["id"] for row in posted.json()} == {row["id"] for row in got.json()} == mine
            assert {row["esco"] for row in posted.json()} == {esco.code}
        assert http.post("/rpc/get_meters_for_cli", json={"esco_filter": other.code}).json() == []
        on_feeder = http.post("/rpc/get_meters_for_cli", json={"feeder_filter": f"{esco.code} feeder"}).json()
        assert [(row["serial"], row["ip_address"]) for row in on_feeder] == [
            (f"EML{esco.number}0001", f"10.0.{esco.number}.1")
        ]
        without = http.post("/rpc/get_meters_for_cli", json={"feeder_filter": "null"}).json()
        assert [row["id"] for row in without] == [str(esco.id("silent"))]
        assert http.post("/rpc/get_meters_for_cli", json={"feeder_filter": f"{other.code} feeder"}).json() == []


def test_embedding_follows_the_keys(alpha: httpx.Client, escos: tuple[Esco, Esco]) -> None:
    shadows = read(alpha, "/meter_shadows", select="balance,csq,meter_registry(serial,name)", order="csq")
    assert shadows == [
        {"balance": 1, "csq": 21, "meter_registry": {"serial": "EML10001", "name": "ALPHA prepay"}},
        {"balance": None, "csq": None, "meter_registry": {"serial": "EML10002", "name": "ALPHA silent"}},
    ]
    (esco,) = read(alpha, "/escos", select="code,meter_registry(serial,meter_registers(element)),sites_new(name)")
    assert {meter["serial"] for meter in esco["meter_registry"]} == {"EML10001", "EML10002"}
    assert esco["sites_new"] == [{"name": "ALPHA site"}]
    (circuit,) = read(alpha, "/circuits", select="name,circuit_register(meter_registers(element))")
    elements = [each["meter_registers"]["element"] for each in circuit["circuit_register"]]
    assert sorted(elements) == ["A", "B"]
    # A foreign row cannot be reached through a key either.
    inner = read(
        alpha, "/meter_shadows", select="id,meter_registry!inner(serial)", **{"meter_registry.serial": "like.EML2*"}
    )
    assert inner == []


def test_filters_order_pages_and_ranges(alpha: httpx.Client, escos: tuple[Esco, Esco]) -> None:
    register = str(escos[0].id("prepay-A"))
    newest = {"register_id": f"eq.{register}", "order": "timestamp.desc"}
    everything = read(alpha, "/register_interval_hh", **newest)
    times = [row["timestamp"] for row in everything]
    assert len(times) > 100
    assert times == sorted(times, reverse=True)
    assert read(alpha, "/register_interval_hh", **newest, limit="10", offset="5") == everything[5:15]
    assert read(alpha, "/register_interval_hh", **newest, timestamp=f"gte.{times[3]}") == everything[:4]
    ranged = alpha.get(
        "/register_interval_hh",
        params=newest,
        headers={"Range-Unit": "items", "Range": "20-29", "Prefer": "count=exact"},
    )
    assert (ranged.status_code, ranged.json()) == (206, everything[20:30])
    assert ranged.headers["Content-Range"] == f"20-29/{len(everything)}"
    assert [row["serial"] for row in read(alpha, "/meter_registry", serial="eq.EML10002")] == ["EML10002"]
    assert [row["name"] for row in read(alpha, "/meter_registry", name="like.*silent")] == ["ALPHA silent"]
    assert read(alpha, "/meter_shadows", select="balance", balance="gte.2") == []
    # The documentation's profile example filters this by meter_id: there is no such column.
    assert alpha.get("/register_interval_hh", params={"meter_id": f"eq.{register}"}).status_code == 400
    assert alpha.get("/nothing_of_that_name").status_code == 404


def test_the_client_library_reads_the_same(stack: Stack, alpha: httpx.Client, escos: tuple[Esco, Esco]) -> None:
    headers = {"Authorization": f"Bearer {stack.token(esco=escos[0].code)}"}
    with SyncPostgrestClient(stack.api, schema="api", headers=headers) as library:
        for path in sorted(ENDPOINTS):
            found = library.from_(path.removeprefix("/")).select("*").execute().data
            columns = set(found[0])
            assert bag(found, columns) == bag(read(alpha, path), columns), path
        page = library.from_("register_import").select("timestamp,read").order("timestamp", desc=True).range(1, 3)
        ordered = read(alpha, "/register_import", select="timestamp,read", order="timestamp.desc", limit="4")
        assert page.execute().data == ordered[1:]
        embedded = library.from_("meter_shadows").select("balance,meter_registry(serial)").eq("csq", 21).execute()
        assert embedded.data == [{"balance": 1, "meter_registry": {"serial": "EML10001"}}]
        meters = library.rpc("get_meters_for_cli", {"esco_filter": escos[0].code}).execute().data
        assert {row["id"] for row in meters} == {str(escos[0].id("prepay")), str(escos[0].id("silent"))}
        with pytest.raises(APIError, match="permission denied"):
            library.from_("escos").insert({"code": "X"}).execute()


def test_the_openapi_document_reads_as_documentation(alpha: httpx.Client) -> None:
    document = alpha.get("/").json()
    assert document["info"]["title"] == "Flows API"
    bare = [
        f"{verb} {path}"
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
        if path != "/" and not (operation.get("summary") or operation.get("description"))
    ]
    bare += [name for name, definition in document["definitions"].items() if not definition.get("description")]
    bare += [
        f"{name}.{column}"
        for name, definition in document["definitions"].items()
        for column, property_ in definition["properties"].items()
        if not NOTE.sub("", property_.get("description", "")).strip()
    ]
    assert bare == []
    assert list(document["paths"]["/rpc/get_meters_for_cli"]) == ["get", "post"]


def test_the_pin_of_a_charger_appears_nowhere(alpha: httpx.Client) -> None:
    document = alpha.get("/").json()
    assert "pin" not in document["definitions"]["ev_chargers"]["properties"]
    for path in sorted({*ENDPOINTS, "/"}):
        assert PIN not in alpha.get(path).text, path
    for parameters in ({"select": "pin"}, {"pin": f"eq.{PIN}"}, {"order": "pin"}, {"select": "ev_chargers(pin)"}):
        assert alpha.get("/ev_chargers", params=parameters).status_code == 400, parameters
    assert alpha.get("/escos", params={"select": "ev_chargers(pin)"}).status_code == 400
