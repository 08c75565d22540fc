"""The Flows SQL templates."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment

from pulumi_timescaledb.render import environment

TEMPLATES = Path(__file__).parent.parent / "sql_templates" / "flows"


@cache
def _environment() -> Environment:
    return environment(TEMPLATES)


def sql(template: str, /, **values: Any) -> str:
    """The text of `sql_templates/flows/<template>.sql.j2`.

    Raises:
        jinja2.TemplateNotFound: there is no such template.
        jinja2.UndefinedError: the template uses a value that was not given.
    """
    return _environment().get_template(f"{template}.sql.j2").render(**values).strip()
