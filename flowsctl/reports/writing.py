"""Writing a review to the files that were asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from flowsctl.drawing import can_draw, draw
from flowsctl.errors import FlowsError
from flowsctl.reports.picture import Picture
from flowsctl.reports.review_run import Review
from flowsctl.reports.story import Change

HERE = Path(__file__).resolve().parent
COMMENT_LIMIT = 60_000
"""Characters; GitHub refuses a comment of more than 65,536 (GitLab takes a million)."""


def write(review: Review, markdown: Path | None, html: Path | None, document: Path | None) -> None:
    """The reports whose path is given. Raises FlowsError where a file cannot be written."""
    for path, write_text in ((markdown, as_markdown), (html, as_page), (document, as_json)):
        if path is None:
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(write_text(review), encoding="utf-8")
        except OSError as error:
            raise FlowsError(f"{path} cannot be written: {error.strerror}", "choose another place") from error


def as_json(review: Review) -> str:
    """For programs."""
    return json.dumps(review.as_json(), indent=2, ensure_ascii=False) + "\n"


def as_markdown(review: Review) -> str:
    """A comment. Where it would be longer than COMMENT_LIMIT the SQL stays in the page."""
    values = {"story": review.story, "proof": review.proof}
    text = _render("comment.md.j2", with_sql=True, **values)
    return text if len(text) <= COMMENT_LIMIT else _cut(_render("comment.md.j2", with_sql=False, **values))


def as_page(review: Review) -> str:
    """One HTML page that needs nothing besides itself."""
    return _render("page.html.j2", story=review.story, proof=review.proof, drawing=_drawing(review.story.picture))


def _cut(text: str) -> str:
    return (
        text
        if len(text) <= COMMENT_LIMIT
        else text[:COMMENT_LIMIT].rsplit("\n", 1)[0] + "\n\n… and more: see the page.\n"
    )


def _render(template: str, **values: Any) -> str:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=template.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["fenced"] = _fenced
    environment.filters["sql"] = _sql
    return environment.get_template(template).render(**values)


def _sql(change: Change) -> str:
    """The statements of a change, each under its lock and hazards."""
    lines = []
    for each in change.statements:
        lines += [f"-- lock: {each['lock']}"] if each["lock"] else []
        lines += [f"-- {hazard}" for hazard in each["hazards"]]
        lines.append(each["sql"] + ";")
    return "\n".join(lines)


def _fenced(text: str, language: str) -> str:
    """A code block whose fence is longer than any run of backticks in it."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"


def _drawing(picture: Picture) -> Markup | None:
    """The picture as SVG; None where it cannot be drawn here, and the page does without."""
    if not picture.nodes or not can_draw():
        return None
    try:
        return Markup(draw([picture.dot()])[0])
    except FlowsError:
        return None
