"""The site: complete, linked, offline, the same each time; read in a real browser on a desk and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from flows import Settings, declarations
from flowsctl.drawing import can_draw
from flowsctl.errors import FlowsError
from flowsctl.site import build as building
from flowsctl.site import patterns, requests
from flowsctl.site.catalogue import Catalogue
from flowsctl.site.pages import anchor, pages
from flowsctl.site.rights import matrices, readers_of
from flowsctl.site.words import in_words, is_known
from pulumi_timescaledb.whole import Whole

from ..browser import DESKTOP, PHONE, Page, browser, needs_chromium

pytestmark = [
    pytest.mark.skipif(not can_draw(), reason="Node or tools/diagram is not installed: make setup"),
    pytest.mark.xdist_group("site"),
]
CATALOGUE = Catalogue(Whole(declarations()))


class Links(HTMLParser):
    """Identifiers, links and loaded files of a page, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids.add(found.get("id", ""))
        if tag == "a":
            self.links += [found[name] for name in ("href", "xlink:href") if name in found]
        elif tag in ("link", "script", "img", "iframe", "source"):
            self.loaded += [found[name] for name in ("href", "src") if name in found]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "www"
    building.build(CATALOGUE.whole, "local", out)
    return out


@pytest.fixture(scope="module")
def read(site: Path) -> dict[str, Links]:
    return {path.relative_to(site).as_posix(): Links(path.read_text()) for path in site.rglob("*.html")}


def test_every_declared_thing_is_there(read: dict[str, Links]) -> None:
    for area in CATALOGUE.areas:
        page = read[f"reference/{area.name}.html"]
        for table in area.tables:
            assert anchor("table", *table.identity()) in page.ids
            words = [table.comment, *(column.name for column in table.columns)]
            words += [column.comment for column in table.columns]
            words += [check.name for check in table.checks]
            words += [each.name for kind in ("ForeignKey", "Index", "Trigger") for each in
                      CATALOGUE.on(kind, *table.identity())]  # fmt: skip
            missing = [word for word in words if _plain(word) not in _plain(page.text)]
            assert not missing, (table.name, missing)
    assert {table.name for area in CATALOGUE.areas for table in area.tables} == {
        table.name for table in CATALOGUE.of("Table")
    }
    expected = {
        "views": [each for kind in ("View", "MaterializedView") for each in CATALOGUE.of(kind)
                  if each.schema_ not in ("api", "api_private")],
        "api": [each for each in CATALOGUE.of("View") if each.schema_ == "api"],
        "functions": CATALOGUE.of("Function"),
        "enums": CATALOGUE.of("Enum"),
        "timeseries": CATALOGUE.of("ContinuousAggregate"),
        "access": CATALOGUE.of("Role"),
    }  # fmt: skip
    for name, specs in expected.items():
        text = _plain(read[f"reference/{name}.html"].text)
        for spec in specs:
            assert _plain(spec.name) in text
            assert _plain(spec.comment) in text, spec.reference()
    for enum in CATALOGUE.of("Enum"):
        assert all(label in read["reference/enums.html"].text for label in enum.labels)
    for job in CATALOGUE.of("Job"):
        assert job.procedure in read["reference/functions.html"].text


def _plain(text: str | None) -> str:
    """Without what typography changes."""
    return re.sub(r"[^a-z0-9]", "", (text or "").lower())


def test_links_and_anchors_lead_somewhere(site: Path, read: dict[str, Links]) -> None:
    checked = 0
    for name, page in read.items():
        for link in page.links:
            where = urlsplit(link)
            if where.scheme or where.netloc:
                continue
            target = (site / name).parent.joinpath(unquote(where.path)).resolve() if where.path else site / name
            assert target.is_file(), f"{name}: {link}"
            if where.fragment and target.suffix == ".html":
                ids = read[target.relative_to(site.resolve()).as_posix() if where.path else name].ids
                assert unquote(where.fragment) in ids, f"{name}: {link}"
            checked += 1
    assert checked > 1000


def test_nothing_is_loaded_from_elsewhere(site: Path, read: dict[str, Links]) -> None:
    for name, page in read.items():
        for each in page.loaded:
            assert not urlsplit(each).netloc, f"{name} loads {each}"
            assert (site / name).parent.joinpath(unquote(urlsplit(each).path)).exists() or each.startswith("data:")
    for path in site.rglob("*.css"):
        assert not re.findall(r"(?:@import|url\()\s*['\"]?https?:", path.read_text()), path


def test_pictures_show_every_table_and_lead_to_it(read: dict[str, Links]) -> None:
    index = read["index.html"]
    for table in CATALOGUE.of("Table"):
        area = CATALOGUE.area_of(*table.identity())
        assert area is not None
        assert f"reference/{area.name}.html#{anchor('table', *table.identity())}" in index.links


def test_row_security_is_said_in_words() -> None:
    for policy in CATALOGUE.of("RlsPolicy"):
        for condition in filter(None, (policy.using, policy.check)):
            assert is_known(condition), f"{policy.reference()}: {condition}"
    assert in_words("a = 1 OR f(b)") == "`a = 1 OR f(b)`", "what is not known stays SQL"
    assert in_words("x.a IS NULL OR b IN (SELECT s.f())") == "`a` is empty, or `b` is one of `s.f()`"


def test_the_matrix_says_what_the_grants_say() -> None:
    shown: set[tuple[str, str, str, str]] = set()
    for matrix in matrices(CATALOGUE):
        for kind, name, cells in matrix.rows:
            for role, cell in zip(matrix.roles, cells, strict=True):
                words = {word.partition(" of ")[0] for word in cell.words.split(", ")} if kind != "schema" else set()
                shown |= {(matrix.schema, role, name, word) for word in words if word}
    given = {
        (grant.schema_, grant.role, rights.name.replace("(text,text)", "(text, text)"), privilege)
        for grant in CATALOGUE.of("Grant")
        for rights in grant.objects
        for privilege in rights.privileges
    }
    assert shown == given


def test_every_right_to_write_has_an_example_and_the_other_way_round() -> None:
    for view in CATALOGUE.of("View"):
        if view.schema_ == "api":
            examples = {request.method for request in requests.writing().get(view.name, ())}
            assert examples == set(requests.writable(CATALOGUE, view)), view.name
            assert requests.READER in readers_of(CATALOGUE, "api", view.name)["select"]


def test_patterns_are_measured_or_move() -> None:
    every = patterns.patterns()
    assert {pattern.slug for pattern in every if not pattern.moves} == set(patterns.measured())
    assert {pattern.moves for pattern in every} == {"", "now", "sizes"}
    assert len({pattern.slug for pattern in every}) == len(every)
    for pattern in every:
        found = patterns.measured().get(pattern.slug)
        if found and found.chunks and "circuit_interval_monthly" not in found.chunks:
            assert all(read < there for read, there in found.chunks.values()), f"{pattern.slug} reads every chunk"


def test_other_settings_make_another_site() -> None:
    chosen = Settings(tableau_enabled=True, query_statistics=True, register_import_retention="")
    found = pages(Catalogue(Whole(declarations(chosen))), "other")
    assert "for ever" in found["reference/timeseries"].split("register_import")[1].split("\n")[0]
    assert "`tableau`" in found["reference/access"]
    assert "query_statistics" in found["reference/views"]


def test_the_same_declarations_make_the_same_pages() -> None:
    assert pages(CATALOGUE, "local") == pages(Catalogue(Whole(declarations())), "local")


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FlowsError, match="not a site made by flowsctl docs"):
        building.build(CATALOGUE.whole, "local", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_dead_link_stops_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "pages", lambda *_: {"index": "# Title\n\n[gone](#no-such-place)\n"})
    with pytest.raises(FlowsError, match="no-such-place"):
        building.build(CATALOGUE.whole, "local", tmp_path / "www")
    assert not (tmp_path / "www").exists()


@pytest.fixture(scope="module")
def tab() -> Iterator[Page]:
    with browser() as page:
        yield page


@needs_chromium
class TestBrowser:
    """From the disk, without a server and without a network."""

    @pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
    def test_every_page_fits(self, site: Path, tab: Page, size: tuple[int, int]) -> None:
        tab.size(*size)
        for path in sorted(site.rglob("*.html")):
            tab.open(path.as_uri())
            assert tab.run("document.documentElement.scrollWidth") <= size[0], f"{path.name} is wider than the screen"
            assert tab.run("document.body.innerText.length") > 0
        assert not tab.faults
        assert not [url for url in tab.asked if not url.startswith(("file:", "data:", "about:"))]

    def test_search_finds_a_table_from_the_disk(self, site: Path, tab: Page) -> None:
        tab.open(f"{(site / 'search.html').as_uri()}?q=register_import")
        tab.until("document.querySelectorAll('#search-results li').length > 5")
        links = tab.run("[...document.querySelectorAll('#search-results a')].map(a => a.getAttribute('href'))")
        assert any(link.startswith("reference/series.html#table-flows-register-import") for link in links), links
        tab.open(f"{(site / 'search.html').as_uri()}?q=nosuchwordanywhere")
        tab.until("document.querySelector('#search-results').innerText.includes('did not match')")

    def test_pictures_follow_the_colours(self, site: Path, tab: Page) -> None:
        colour = "getComputedStyle(document.querySelector('.diagram polygon[fill=\"#d7e5f4\"]')).fill"
        tab.open((site / "reference" / "meters.html").as_uri())
        tab.dark(False)
        light = tab.run(colour)
        tab.dark()
        assert light == "rgb(215, 229, 244)"
        assert tab.run(colour) == "rgb(39, 71, 102)"

    def test_a_name_in_a_picture_leads_to_its_section(self, site: Path, tab: Page) -> None:
        tab.open((site / "index.html").as_uri())
        tab.run(
            "[...document.querySelectorAll('.diagram a')].find(a => a.textContent.trim() === 'meter_registers')"
            ".dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))"
        )
        tab.until("location.href.endsWith('reference/meters.html#table-flows-meter-registers')")
