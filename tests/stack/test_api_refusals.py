"""Requests the API must refuse: tokens that do not hold, roles it may not take on, schemas it does not show."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from .conftest import Stack
from .two_escos import ALPHA, BRAVO, NOBODY

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

OK = {"esco": ALPHA.code}
HOUR = 3600
# Claims on top of a working token (None leaves one out), and the status.
TOKENS: dict[str, tuple[dict[str, Any], int]] = {
    "wrong key": ({**OK, "key": "0" * 64}, 401),
    "wrong key, HS512": ({**OK, "key": "0" * 64, "algorithm": "HS512"}, 401),
    "alg none": ({**OK, "algorithm": "none"}, 401),
    "expired": ({**OK, "exp": int(time.time()) - HOUR}, 401),
    "not yet valid": ({**OK, "nbf": int(time.time()) + HOUR}, 401),
    "no exp": ({**OK, "exp": None}, 401),
    "no esco": ({}, 403),
    "unknown esco": ({"esco": "CHARLIE"}, 403),
    "esco in other letters": ({"esco": ALPHA.code.lower()}, 403),
    "esco as a pattern": ({"esco": "%"}, 403),
    "empty esco": ({"esco": ""}, 403),
    "esco as an array": ({"esco": [ALPHA.code]}, 403),
    "esco as an array of two": ({"esco": [ALPHA.code, BRAVO.code]}, 403),
    "esco as a number": ({"esco": 1}, 403),
    "esco as an object": ({"esco": {"code": ALPHA.code}}, 403),
    "esco that is none": ({"esco": str(NOBODY.id("esco"))}, 403),
    "no role": ({**OK, "role": None}, 401),
    "role tsdbadmin": ({**OK, "role": "tsdbadmin"}, 403),
    "role postgres": ({**OK, "role": "postgres"}, 403),
    "role flows": ({**OK, "role": "flows"}, 403),
    "role api_owner": ({**OK, "role": "api_owner"}, 403),
    "role authenticator": ({**OK, "role": "authenticator"}, 403),
    "role none": ({**OK, "role": "none"}, 403),
    "role grafanareader": ({**OK, "role": "grafanareader"}, 403),
    "role pg_read_all_data": ({**OK, "role": "pg_read_all_data"}, 403),
    # PostgREST 12.0.2 takes a role that the server does not know for a bad request.
    "role that does not exist": ({**OK, "role": "nobody_of_that_name"}, 400),
    "role as an array": ({**OK, "role": ["public_backend"]}, 400),
}
REQUESTS = (
    ("GET", "/meter_registry", None),
    ("GET", "/circuit_interval_daily", None),
    ("GET", "/", None),
    ("POST", "/rpc/get_meters_for_cli", {}),
    ("PATCH", f"/meter_shadows?id=eq.{ALPHA.id('prepay')}", {"backlight": "broken"}),
)


def refused(stack: Stack, headers: dict[str, str], status: int) -> None:
    with httpx.Client(base_url=stack.api, headers=headers, timeout=30) as http:
        for verb, path, body in REQUESTS:
            answer = http.request(verb, path, json=body)
            assert answer.status_code == status, f"{verb} {path}: {answer.status_code} {answer.text[:200]}"
            assert set(answer.json()) == {"code", "message", "details", "hint"}
            assert not any(mark in answer.text for esco in (ALPHA, BRAVO, NOBODY) for mark in esco.marks)


@pytest.mark.parametrize("fault", TOKENS)
def test_a_token_that_does_not_hold_is_refused(stack: Stack, fault: str) -> None:
    claims, status = TOKENS[fault]
    refused(stack, {"Authorization": f"Bearer {stack.token(**claims)}"}, status)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Basic dXNlcjpwYXNz"])
def test_no_token_is_refused(stack: Stack, header: str) -> None:
    refused(stack, {"Authorization": header} if header else {}, 401)


def test_no_refused_request_changed_anything(stack: Stack) -> None:
    assert stack.rows("SELECT count(*) FROM flows.meter_shadows WHERE backlight IS NOT NULL") == [(0,)]


def test_what_tokens_may_say(stack: Stack) -> None:
    for claims in (
        OK,
        {"esco": str(ALPHA.id("esco"))},
        {"esco": str(ALPHA.id("esco")).upper()},
        {**OK, "role": "flows_api_writer"},
        {**OK, "exp": 10**17},
    ):
        headers = {"Authorization": f"Bearer {stack.token(**claims)}"}
        answer = httpx.get(f"{stack.api}/escos", headers=headers)
        assert (answer.status_code, [row["code"] for row in answer.json()]) == (200, [ALPHA.code]), claims


def test_flowsctl_signs_tokens_that_work(stack: Stack) -> None:
    for role in ("public_backend", "flows_api_writer"):
        signed = stack.ctl("token", "--esco", BRAVO.code, "--role", role).stdout.strip()
        answer = httpx.get(f"{stack.api}/escos", headers={"Authorization": f"Bearer {signed}"})
        assert (answer.status_code, [row["code"] for row in answer.json()]) == (200, [BRAVO.code]), role
    assert stack.ctl("token", "--esco", BRAVO.code, "--role", "tsdbadmin", check=False).returncode == 2


def test_other_schemas_cannot_be_reached(stack: Stack) -> None:
    for role in ("public_backend", "flows_api_writer"):
        headers = {"Authorization": f"Bearer {stack.token(role=role, **OK)}"}
        with httpx.Client(base_url=stack.api, headers=headers, timeout=30) as http:
            for schema in ("flows", "api_private", "monitoring", "public", "pg_catalog", "pulumi_timescaledb"):
                assert http.get("/meter_registry", headers={"Accept-Profile": schema}).status_code == 406, schema
                assert http.get("/", headers={"Accept-Profile": schema}).status_code == 406, schema
                posted = http.post("/escos", headers={"Content-Profile": schema}, json={"code": "X"})
                assert posted.status_code == 406, schema
                called = http.post("/rpc/get_meters_for_cli", headers={"Content-Profile": schema}, json={})
                assert called.status_code == 406, schema
            for path in ("/meter_metrics", "/role_scope", "/chunk_sizes", "/ledger", "/pg_roles", "/flows.escos"):
                assert http.get(path).status_code == 404, path
            for function in (
                "pre_request",
                "visible_escos",
                "refresh_register_import_missing",
                "set_config",
                "version",
            ):
                assert http.post(f"/rpc/{function}", json={}).status_code == 404, function
