"""Reports of a review, without a server: what they say, that they are the same every time, that nothing breaks out."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from flowsctl.reports import writing
from flowsctl.reports.picture import MOST_NODES, picture
from flowsctl.reports.proof import Proof
from flowsctl.reports.review_run import Review
from flowsctl.reports.story import tell, verbs
from flowsctl.reports.waits import MEASURED, Wait, Waits
from pulumi_timescaledb.capabilities import ServerCapabilities
from pulumi_timescaledb.plan import Standing, make_plan
from pulumi_timescaledb.planner import Planned
from pulumi_timescaledb.policing import Policies
from pulumi_timescaledb.specs import Spec
from pulumi_timescaledb.specs.role import Role
from pulumi_timescaledb.specs.schema import Schema
from pulumi_timescaledb.specs.table import Column, Table
from pulumi_timescaledb.specs.view import View
from pulumi_timescaledb.whole import Whole

SECRET = "hunter2-hunter2"
HOSTILE = '</script><script>alert("x")</script> ``` "quoted"'


def table(*more: Column) -> Table:
    return Table(schema_="a", name="thing", columns=(Column(name="id", type="bigint"), *more))


def view(name: str, query: str = "SELECT id FROM a.thing") -> View:
    return View(schema_="a", name=name, query=query)


def reviewed(old: list[Spec], new: list[Spec], proof: Proof | None = None, policies: Policies | None = None) -> Review:
    standing, wanted = Standing(Whole(old)), Whole(new)
    planned = Planned(make_plan(standing, wanted, ServerCapabilities()), standing)
    if policies is not None:
        planned.judge(wanted, policies)
    return Review(tell(planned, wanted, "local"), planned, proof)


@pytest.fixture
def change() -> Review:
    schema = Schema(name="a")
    old = [schema, table(Column(name="gone", type="text")), view("kept"), view("dropped")]
    role = Role(name="reader", login=True, password=SECRET)
    new = [schema, table(Column(name="fresh", type="text", comment=HOSTILE)), view("kept"), view("new"), role]
    return reviewed(old, new, Proof(locks={"Table a.thing": {"a.thing": "ACCESS EXCLUSIVE"}}, tables=3))


def test_the_headline_counts_changes_and_hazards(change: Review) -> None:
    assert change.story.headline == "+2 ~1 -1 · 1 possible data loss"
    nothing = reviewed([Schema(name="a"), table()], [Schema(name="a"), table()])
    assert nothing.story.headline == "no change"
    harmless = reviewed([Schema(name="a")], [Schema(name="a"), table()])
    assert harmless.story.headline == "+1 ~0 -0 · no data loss"


def test_reports_are_the_same_every_time_and_hold_no_secret(change: Review) -> None:
    for form in (writing.as_markdown, writing.as_page, writing.as_json):
        text = form(change)
        assert text == form(change)
        assert SECRET not in text
        assert "ADD COLUMN" in text
        assert 'CREATE VIEW "a"."new"' in text or "CREATE VIEW" in text


def test_json_says_what_the_plan_says(change: Review) -> None:
    found = json.loads(writing.as_json(change))
    assert found["counts"] == {"create": 2, "update": 1, "delete": 1}
    assert {(each["verb"], each["kind"], each["id"]) for each in found["changes"]} == {
        ("create", "Role", "reader"),
        ("create", "View", "a.new"),
        ("update", "Table", "a.thing"),
        ("delete", "View", "a.dropped"),
    }
    assert found["proof"]["holds"]


def test_policies_advise_or_refuse_in_every_report() -> None:
    name, told = "table-without-primary-key", "Table a.thing has no primary key"
    new = [Schema(name="a"), table()]
    advised = reviewed(new[:1], new, policies=Policies())
    assert advised.story.headline == "+1 ~0 -0 · no data loss · 1 warning"
    assert advised.story.refusals == []
    assert f"#### Warnings\n\n- {name}: {told}" in writing.as_markdown(advised)
    assert f"<li>{name}: {told}" in writing.as_page(advised).split('id="warnings"')[1].split("</section>")[0]
    (found,) = json.loads(writing.as_json(advised))["policies"]
    assert (found["policy"], found["level"], found["subject"]) == (name, "advisory", "Table a.thing")
    assert reviewed(new, new, policies=Policies()).story.headline == "no change · 1 warning"

    refused = reviewed(new[:1], new, policies=Policies({name: "mandatory"}))
    assert refused.story.headline == "+1 ~0 -0 · no data loss · 1 refused"
    assert f"#### Refused\n\n- {name}: {told}" in writing.as_markdown(refused)
    assert told in writing.as_page(refused).split('id="refused"')[1].split("</section>")[0]
    document = json.loads(writing.as_json(refused))
    assert document["policies"][0]["level"] == "mandatory"
    assert told in document["refusals"][0]

    silent = reviewed(new[:1], new, policies=Policies({name: "off"}))
    assert name not in writing.as_markdown(silent) + writing.as_page(silent) + writing.as_json(silent)


class Tags(HTMLParser):
    """Start tags with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_page_needs_nothing_else_and_nothing_breaks_out(change: Review) -> None:
    page = writing.as_page(change)
    tags = Tags()
    tags.feed(page)
    assert [tag for tag, _ in tags.found].count("script") == 1
    assert not [attrs for _, attrs in tags.found if {"src", "href", "srcset"} & attrs.keys()]
    assert not re.search(r"url\(|@import|fetch\(", page)


def test_a_comment_survives_backticks_and_stays_under_the_limit(
    change: Review, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = writing.as_markdown(change)
    assert "\n````sql\n" in text  # longer than the three backticks in the comment's text
    assert text.startswith("<!-- flowsctl preview local -->\n")
    monkeypatch.setattr(writing, "COMMENT_LIMIT", 1500)
    shorter = writing.as_markdown(change)
    assert len(shorter) < 1600
    assert "ALTER TABLE" not in shorter
    assert change.story.headline in shorter


def test_the_picture_shows_what_depends_on_a_change_and_has_an_end() -> None:
    schema = Schema(name="a")
    views = [view(f"v{number}") for number in range(MOST_NODES + 10)]
    old, new = Whole([schema, table(), *views]), Whole([schema, table(Column(name="x", type="int")), *views])
    plan = make_plan(Standing(old), new, ServerCapabilities())
    drawn = picture(verbs(plan.steps), old, new)
    assert len(drawn.nodes) == MOST_NODES
    assert drawn.left_out == 11
    assert drawn.nodes[0].verb == "update"
    assert (0, 1) in drawn.edges
    odd = picture({table().reference(): "update"}, Whole([schema, table()]), Whole([schema, table()]))
    assert "Table a.thing" in odd.mermaid()


def test_waits_are_told_with_what_they_were_for() -> None:
    waited = Waits(MEASURED, {"a.other": Wait(), "a.thing": Wait(1.5, f"Table a.thing: {HOSTILE}")})
    proof = Proof(tables=1, waits=waited)
    assert (
        proof.headline
        == "proved on a copy: second preview empty, untouched tables 1 equal, a writer waited up to 1.50 s"
    )
    assert proof.as_json()["waits"]["tables"] == {
        "a.other": {"seconds": 0.0, "waitedFor": None},
        "a.thing": {"seconds": 1.5, "waitedFor": f"Table a.thing: {HOSTILE}"},
    }
    review = reviewed([Schema(name="a"), table()], [Schema(name="a"), table(Column(name="more", type="text"))], proof)
    comment, page = writing.as_markdown(review), writing.as_page(review)
    assert "- a writer of `a.other`: no wait seen\n- a writer of `a.thing`: up to 1.50 s for <code>" in comment
    assert "a writer of a.thing: up to 1.50 s for <code>" in page
    for text in (comment, page):
        assert f"- waits: {MEASURED}\n" in text or f"<li>waits: {MEASURED}</li>" in text
        assert '<script>alert("x")' not in text


def test_a_proof_that_fails_says_so() -> None:
    proof = Proof(remaining=["update View a.kept"], tables=2, changed_tables=["a.thing"])
    assert not proof.holds
    assert proof.headline == "proved on a copy: second preview 1 changes left, untouched tables 1 of 2 CHANGED"


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: apt-get install chromium)")
class TestBrowser:
    """The page in a real browser. Its filter stands in the address, so a run without clicks reaches all of it."""

    def shown(self, change: Review, folder: Path, given: str = "") -> tuple[set[str], str]:
        """Changes that are not hidden, and the page as the browser has it."""
        page = folder / "page.html"
        page.write_text(writing.as_page(change))
        command = [
            str(CHROMIUM),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={folder / 'profile'}",
        ]
        done = subprocess.run(
            [*command, "--dump-dom", f"{page.as_uri()}{given}"], capture_output=True, text=True, timeout=90, check=True
        )
        details = re.findall(r"<details class=\"change[^>]*>.*?</details>", done.stdout, re.S)
        names = {
            match[1]
            for each in details
            if not re.match(r"<details[^>]*\bhidden\b", each) and (match := re.search(r"<code>. ([^<]*)</code>", each))
        }
        return names, done.stdout

    def test_filter_and_search(self, change: Review, tmp_path: Path) -> None:
        everything = {"reader", "a.new", "a.thing", "a.dropped"}
        assert self.shown(change, tmp_path)[0] == everything
        assert self.shown(change, tmp_path, "#q=ADD+column")[0] == {"a.thing"}
        assert self.shown(change, tmp_path, "#hide=delete,update")[0] == {"reader", "a.new"}
        names, page = self.shown(change, tmp_path, "#q=nowhere")
        assert names == set()
        assert '<p class="none" id="none">Nothing matches.</p>' in page
        assert "a.dropped" not in self.shown(change, tmp_path, "#risky=1&hide=create")[0]

    def test_hostile_text_is_only_text(self, change: Review, tmp_path: Path) -> None:
        _, page = self.shown(change, tmp_path)
        assert "alert(" in page
        assert '<script>alert("x")' not in page
