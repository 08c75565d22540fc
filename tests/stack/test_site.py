"""What the site says is run: every query on demo data, every request of the API's page, Swagger UI in a browser."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows import declarations
from flowsctl.drawing import can_draw
from flowsctl.site import patterns, requests
from flowsctl.site.catalogue import Catalogue
from flowsctl.site.measure import measure, measure_all, owners
from flowsctl.site.pages import pages
from pulumi_timescaledb.whole import Whole

from ..browser import browser, needs_chromium
from .conftest import READY, Stack

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack-site")]
FOR_EVER = ("--config", "registerIntervalHhRetention=")
"""The demo's dates are fixed, and would one day be past the retention."""
CATALOGUE = Catalogue(Whole(declarations()))


@pytest.fixture(scope="module")
def loaded(new_stack: Callable[[], Stack]) -> Stack:
    """A stack with the demo data that the page names, as the page loads it."""
    if os.environ.get(READY):
        stack = Stack(Path(os.environ[READY]).resolve())
    else:
        stack = new_stack()
        stack.ctl("up", *FOR_EVER)
    stack.ctl(*patterns.DEMO, "--replace")
    with stack.connect() as admin:
        admin.execute(patterns.TAKEN_OUT.encode())
    return stack


def test_queries_return_and_read_what_the_page_says(loaded: Stack) -> None:
    with loaded.connect() as admin, loaded.connect(patterns.READER) as reader:
        found = measure_all(reader, admin)
    shown = patterns.measured()
    for slug, made in found.items():
        assert made.as_json() == shown[slug].as_json(), f"{slug}: write it anew with python -m tools.patterns"
    assert set(found) == set(shown)


def test_a_wrong_figure_would_be_found(loaded: Stack) -> None:
    """More days read more chunks: the count comes from the plan, not from the page."""
    pattern = next(each for each in patterns.patterns() if each.slug == "from-reads")
    assert patterns.measured()["from-reads"].chunks["register_import"] == (3, 32)
    wider = replace(pattern, sql=pattern.sql.replace("2026-05-29", "2026-05-19"))
    with loaded.connect() as admin, loaded.connect(patterns.READER) as reader:
        made = measure(reader, wider, owners(admin))
    assert made.chunks["register_import"] == (13, 32)


@pytest.fixture(scope="module")
def shell(loaded: Stack) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a text of the page in bash, flowsctl on PATH; `before` comes first."""
    for program in ("curl", "jq", "bash"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")

    def run(text: str, before: str = "") -> subprocess.CompletedProcess[str]:
        path = f"{loaded.root / 'bin'}:{os.environ['PATH']}"
        script = f"set -euo pipefail\n{before}\n{text}\n"
        return subprocess.run(
            ["bash", "-c", script], env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=300,
            check=False, cwd=loaded.root,
        )  # fmt: skip

    return run


STATUS = "curl() { command curl --silent --show-error --include \"$@\" | tr -d '\\r'; }"


def tokens(stack: Stack) -> dict[str, str]:
    """API and TOKEN as the page sets them, per role."""
    found = {}
    for role in (requests.READER, requests.WRITER):
        token = stack.json("token", "--esco", requests.ESCO, "--role", role)["token"]
        found[role] = f"{STATUS}\nAPI={shlex.quote(stack.api)}\nTOKEN={token}"
    return found


@pytest.mark.skipif(not can_draw(), reason="Node or tools/diagram is not installed: make setup")
def test_the_page_of_the_api_holds_nothing_that_is_not_run_here() -> None:
    page = pages(CATALOGUE, "local")["reference/api"]
    blocks = [block.strip() for block in re.findall(r"```sh\n(.*?)```", page, re.S)]
    commands = [command for block in blocks[1:] for command in block.split("\n\n") if command.strip()]
    assert blocks[0].splitlines()[0] == shlex.join(("flowsctl", *patterns.DEMO))
    assert set(commands) == {command for command, _ in every_command()}


def every_command() -> Iterator[tuple[str, str]]:
    """Commands of the page, in an order in which they work, and whose token each needs."""
    from flowsctl.site.pages import CALLS, EMBEDDED

    made = list(requests.every(CATALOGUE))
    yield from ((request.curl, request.role) for request in made if request.method == "GET")
    for text in (*CALLS.values(), EMBEDDED):
        yield from ((command, requests.READER) for command in text.split("\n\n"))
    rows = json.loads(requests.WRITES.read_text())
    by_view = {view: iter(found) for view, found in requests.writing().items()}
    yield from ((next(by_view[row["view"]]).curl, requests.WRITER) for row in rows)


def test_the_first_lines_of_the_page_work(loaded: Stack, shell: Callable[..., Any]) -> None:
    page = (loaded.root / "flowsctl" / "site" / "templates" / "reference" / "api.md.j2").read_text()
    block = (
        re.findall(r"```sh\n(.*?)```", page, re.S)[0].replace("{{ demo }}\n", "").replace("{{ esco }}", requests.ESCO)
    )
    done = shell(f'{block}\ntest -n "$API" && test -n "$TOKEN"')
    assert done.returncode == 0, done.stderr


def test_requests_of_the_page_are_answered(loaded: Stack, shell: Callable[..., Any]) -> None:
    before, empty = tokens(loaded), []
    counted = "curl() { command curl --silent --show-error --include -H 'Prefer: count=exact' \"$@\" | tr -d '\\r'; }"
    for command, role in every_command():
        setup = before[role].replace(STATUS, counted)
        done = shell(command, setup)
        status = int(done.stdout.split()[1])
        assert status in (200, 201, 204, 206), f"{command}\n{done.stdout}{done.stderr}"
        if "\ncontent-range: */0" in done.stdout.lower():
            empty.append(command.split('"')[1])
    # On data of the past nobody fell silent within the last day, and half-hours of one register were complete.
    assert set(empty) <= {"$API/meters_offline_recently?select=last_online,serial,name,id&limit=5"} | {
        each for each in empty if "_missing?" in each
    }, empty


@contextmanager
def serving(stack: Stack, *arguments: str) -> Iterator[str]:
    """`flowsctl api docs`, ended by Ctrl-C, which must be a good end."""
    process = stack.start("api", "docs", "--esco", requests.ESCO, "--json", *arguments)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        yield str(json.loads(line)["url"])
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 0, said
    finally:
        process.kill()
        process.wait()


def status_of(url: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@needs_chromium
def test_a_request_is_sent_from_swagger_ui(loaded: Stack) -> None:
    with serving(loaded) as url, browser() as tab:
        tab.open(url)
        tab.until("document.documentElement.dataset.ready")
        tab.until("document.querySelector('#operations-tag-escos')")
        tab.run("document.querySelector('#operations-tag-escos button').click()")
        tab.until("document.querySelector('#operations-escos-get_escos button')")
        tab.run("document.querySelector('#operations-escos-get_escos button').click()")
        tab.until("document.querySelector('#operations-escos-get_escos .execute')")
        tab.run("document.querySelector('#operations-escos-get_escos .execute').click()")
        answer = "document.querySelector('#operations-escos-get_escos .live-responses-table .response"
        tab.until(f"{answer} td')")
        assert tab.run(f"{answer} td').innerText").strip().startswith("200")
        assert '"code": "WLCE"' in tab.run(f"{answer} .response-col_description').innerText")
        assert not tab.faults
        assert not [each for each in tab.asked if not each.startswith((url, "data:", "about:"))]


def test_the_address_is_the_key(loaded: Stack) -> None:
    with serving(loaded, "--role", requests.WRITER) as url:
        place = url.rsplit("/", 2)[0]
        assert status_of(url) == 200
        assert status_of(f"{url}swagger-ui-bundle.js") == 200
        assert status_of(f"{place}/") == status_of(f"{place}/api/escos") == status_of(f"{place}/x/") == 404
        assert status_of(url, Host="rebound.example.org") == 404
        assert status_of(f"{url}../../../../etc/passwd") == 404
        assert status_of(f"{url}api/escos") == 401, "the page's token is the page's, not the address's"
        token = loaded.json("token", "--esco", requests.ESCO)["token"]
        assert status_of(f"{url}api/escos?select=code", Authorization=f"Bearer {token}") == 200


def test_written_page_holds_no_token(loaded: Stack, tmp_path: Path) -> None:
    loaded.ctl("api", "docs", "--write", str(tmp_path / "api"))
    made = {path.name: path.read_bytes() for path in (tmp_path / "api").iterdir()}
    assert {"index.html", "swagger-ui.css", "swagger-ui-bundle.js", "LICENSE", "NOTICE"} <= set(made)
    assert b"eyJ" not in made["index.html"]
    assert loaded.outputs()["secrets"]["jwt"].encode() not in made["index.html"]
    assert b"/circuit_interval_daily" in made["index.html"]


def test_wrong_esco_and_taken_port_are_told(loaded: Stack) -> None:
    assert "there is no esco with code NONE" in loaded.ctl("api", "docs", "--esco", "NONE", check=False).stderr
    port = loaded.api.rpartition(":")[2]
    done = loaded.ctl("api", "docs", "--port", port, check=False)
    assert done.returncode == 1
    assert f"port {port} cannot be used" in done.stderr


@pytest.mark.skipif(not can_draw(), reason="Node or tools/diagram is not installed: make setup")
def test_docs_and_graph_need_no_database(loaded: Stack, tmp_path: Path) -> None:
    report = loaded.json("docs", "--out", str(tmp_path / "site"))
    assert Path(report["index"]).is_file()
    assert report["pages"] > 10
    told = loaded.ctl("graph", "flows.circuit_interval_hh", "--depth", "2", "--out", str(tmp_path / "g.svg")).stdout
    assert (tmp_path / "g.svg").read_text().startswith("<svg")
    assert "objects" in told
