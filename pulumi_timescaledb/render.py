"""Rendering SQL templates. Templates only render; decisions are made by the kinds."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from .sqltext import dollar_quoted, ident, literal, qualified

TEMPLATES = Path(__file__).parent / "sql_templates"


def _qualified(parts: str | Iterable[str]) -> str:
    return qualified(parts) if isinstance(parts, str) else qualified(*parts)


def _idents(names: Iterable[str]) -> str:
    return ", ".join(ident(name) for name in names)


class _CompiledTemplates(FileSystemBytecodeCache):
    """Compiled templates beside Python's own: compiling those of the catalog takes longer than reading a hundred
    objects. A folder that cannot be written (an installed package) is no error, as it is none for Python."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keeps a compiled template, unless Python keeps none either."""
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                Path(self.directory).mkdir(exist_ok=True)
                super().dump_bytecode(bucket)


def environment(*folders: Path) -> Environment:
    """A Jinja environment for SQL: undefined names are errors, nothing is escaped behind one's back.

    Filters: ident, idents, qualified, literal, dollar.
    """
    made = Environment(
        loader=FileSystemLoader([str(folder) for folder in folders]),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        bytecode_cache=_CompiledTemplates(str(Path(__file__).parent / "__pycache__")),
    )
    made.filters.update(ident=ident, idents=_idents, qualified=_qualified, literal=literal, dollar=dollar_quoted)
    return made


@cache
def _provider_environment() -> Environment:
    return environment(TEMPLATES)


def render(template: str, /, **values: Any) -> str:
    """The SQL of `sql_templates/<template>.sql.j2`, for example render("table/create", table=spec).

    Raises:
        jinja2.TemplateNotFound: there is no such template.
        jinja2.UndefinedError: the template uses a value that was not given.
    """
    return _provider_environment().get_template(f"{template}.sql.j2").render(**values).strip()
