"""The pages as Markdown for Sphinx, from the declarations, the patterns and the guide."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flowsctl.drawing import draw
from flowsctl.site import entities, patterns, requests
from flowsctl.site.catalogue import API, OWNER, Area, Catalogue, names
from flowsctl.site.rights import matrices
from flowsctl.site.words import in_words

FOLDER = Path(__file__).resolve().parent / "templates"
COMMANDS = {"all": "read and write", "select": "read", "insert": "insert", "update": "update", "delete": "delete"}
CALLS = {
    "get_meters_for_cli": 'curl "$API/rpc/get_meters_for_cli?esco_filter=WLCE" -H "Authorization: Bearer $TOKEN"\n\n'
    'curl -X POST "$API/rpc/get_meters_for_cli" -H "Authorization: Bearer $TOKEN" \\\n'
    '  -H "Content-Type: application/json" \\\n  -d \'{"feeder_filter": "WLCE feeder 1"}\''
}
EMBEDDED = (
    'curl "$API/meter_registry?select=serial,meter_registers(element,nature),meter_shadows(balance)&limit=3" \\\n'
    '  -H "Authorization: Bearer $TOKEN"'
)


def pages(catalogue: Catalogue, stack: str) -> dict[str, str]:
    """Every page by its path without the ending `.md`.

    Raises:
        FlowsError: pictures cannot be drawn here.
    """
    writer = _Writer(catalogue, stack)
    found = {"index": writer.index(), "queries": writer.queries(), "migration": writer.plain("migration")}
    found |= {f"reference/{area.name}": writer.area(area) for area in catalogue.areas}
    for name in ("index", "timeseries", "views", "access", "api", "functions", "enums"):
        found[f"reference/{name}"] = writer.reference(name)
    return found


def anchor(kind: str, *identity: str) -> str:
    """The label of an object's section, in the form in which it also is the HTML id."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join((kind, *identity)).lower()).strip("-")


class _Writer:
    """Renders templates over one catalogue; pictures are drawn once, all in one run."""

    def __init__(self, catalogue: Catalogue, stack: str) -> None:
        self.catalogue = catalogue
        self.stack = stack
        self.pictures = self._draw()
        self.environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=False,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self.environment.globals |= {
            "catalogue": catalogue,
            "anchor": anchor,
            "owner": OWNER,
            "stack": stack,
            "demo": shlex.join(("flowsctl", *patterns.DEMO)),
        }
        self.environment.filters |= {
            "cell": cell,
            "code": code,
            "names": names,
            "ref": self._reference,
            "type": self._type,
            "fires": fires,
            "orders": orders,
            "sql": lambda text: f"```sql\n{text.strip()}\n```",
            "svg": lambda svg: f'```{{raw}} html\n<div class="diagram">{svg}</div>\n```',
            "may": COMMANDS.__getitem__,
            "words": in_words,
        }

    def _draw(self) -> dict[str, str]:
        within = self._url("")
        graphs = {
            "whole": entities.whole_picture(self.catalogue, self._url("reference/")),
            "hierarchy": entities.hierarchy_picture(self.catalogue, within),
        }
        for area in self.catalogue.areas:
            if any(self.catalogue.on("ForeignKey", *table.identity()) for table in area.tables):
                graphs[area.name] = entities.area_picture(self.catalogue, area, within)
        return dict(zip(graphs, draw(list(graphs.values())), strict=True))

    def _url(self, folder: str) -> entities.Link:
        def url(schema: str, name: str) -> str:
            area = self.catalogue.area_of(schema, name)
            return f"{folder}{area.name if area else 'timeseries'}.html#{anchor('table', schema, name)}"

        return url

    def _render(self, template: str, **values: Any) -> str:
        return self.environment.get_template(f"{template}.md.j2").render(**values)

    def plain(self, name: str) -> str:
        return self._render(name)

    def index(self) -> str:
        return self._render(
            "index",
            whole=self.pictures["whole"],
            patterns=patterns.patterns(),
            api_views=len(self._api_views()),
        )

    def area(self, area: Area) -> str:
        return self._render("reference/area", area=area, picture=self.pictures.get(area.name))

    def queries(self) -> str:
        every = patterns.patterns()
        topics = [(topic, list(members)) for topic, members in groupby(every, lambda each: each.topic)]
        return self._render("queries", topics=topics, measured=patterns.measured(), reader=patterns.READER)

    def reference(self, name: str) -> str:
        views = [*self.catalogue.of("View"), *self.catalogue.of("MaterializedView")]
        return self._render(
            f"reference/{name}",
            hierarchy=self.pictures["hierarchy"],
            views=[view for view in views if view.schema_ not in (API, "api_private")],
            matrices=matrices(self.catalogue),
            using=self._users_of_enums(),
            **self._api(),
        )

    def _api_views(self) -> list[Any]:
        return [view for view in self.catalogue.of("View") if view.schema_ == API]

    def _api(self) -> dict[str, Any]:
        views = self._api_views()
        schema = self.catalogue.whole.get("Schema", API)
        return {
            "api_views": views,
            "api_functions": [each for each in self.catalogue.of("Function") if each.schema_ == API],
            "schema_comment": (getattr(schema, "comment", None) or "").partition("\n")[2],
            "methods": {view.name: requests.writable(self.catalogue, view) for view in views},
            "reading": lambda view: requests.reading(self.catalogue, view, requests.READER),
            "writing": requests.writing(),
            "calls": CALLS,
            "embedded": EMBEDDED,
            "esco": requests.ESCO,
            "writer": requests.WRITER,
        }

    def _users_of_enums(self) -> dict[tuple[str, ...], list[tuple[tuple[str, str], str]]]:
        found = defaultdict[tuple[str, ...], list[tuple[tuple[str, str], str]]](list)
        for table in self.catalogue.of("Table"):
            for column in table.columns:
                found[tuple(column.type.split("."))].append((table.identity(), column.name))
        return found

    def _reference(self, target: Any) -> str:
        """A link to the section of a table or aggregate."""
        schema, name = target if isinstance(target, tuple) else target.identity()
        return f"[{name}](#{anchor('table', schema, name)})"

    def _type(self, text: str) -> str:
        schema, _, name = text.rpartition(".")
        if schema and self.catalogue.one("Enum", schema, name):
            return f"[{name}](#{anchor('enum', schema, name)})"
        return f"`{text}`"


def cell(text: str | None) -> str:
    """Text inside a table of Markdown."""
    return " ".join(str(text or "").split()).replace("|", "\\|")


def code(text: str) -> str:
    """Code inside a table of Markdown; the fence is longer than any run of backticks in it."""
    text = cell(text)
    fence = "`"
    while fence in text:
        fence += "`"
    return f"{fence}{text}{fence}"


def fires(trigger: Any) -> str:
    """When a trigger fires, for a sentence."""
    events = [
        f"update of {names(trigger.update_of)}" if event == "update" and trigger.update_of else event
        for event in trigger.events
    ]
    return f"{trigger.timing} {' or '.join(events)}"


def orders(keys: Sequence[Any] | Iterable[Any]) -> str:
    """Sort keys for a sentence."""
    return ", ".join(f"`{key.column}`{' descending' if key.descending else ''}" for key in keys)
