"""The Flows SQL templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pulumi_timescaledb.render import environment

TEMPLATES = Path(__file__).parent.parent / "sql_templates" / "flows"

_ENVIRONMENT = environment(TEMPLATES)


def sql(template: str, /, **values: Any) -> str:
    """The text of `sql_templates/flows/<template>.sql.j2`.

    Raises:
        jinja2.TemplateNotFound: there is no such template.
        jinja2.UndefinedError: the template uses a value that was not given.
    """
    return _ENVIRONMENT.get_template(f"{template}.sql.j2").render(**values).strip()
