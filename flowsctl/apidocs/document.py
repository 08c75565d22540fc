"""The OpenAPI document of a stack's API, as a role sees it, and the page that shows it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flowsctl.errors import FlowsError

HERE = Path(__file__).resolve().parent
ASSETS = HERE.parents[1] / "tools" / "swagger" / "node_modules" / "swagger-ui-dist"
FILES = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png", "LICENSE", "NOTICE")
"""What is taken of the npm package swagger-ui-dist (Apache-2.0)."""
SECURITY = "JWT"
SECONDS = 30


def assets() -> Mapping[str, bytes]:
    """Swagger UI's files by name. Raises FlowsError where they are not installed."""
    try:
        return {name: (ASSETS / name).read_bytes() for name in FILES}
    except OSError:
        raise FlowsError("Swagger UI is not installed", "run make setup") from None


def connect(url: str) -> http.client.HTTPConnection:
    """A connection to the API."""
    where = urlsplit(url)
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    return kind(where.hostname or "127.0.0.1", where.port, timeout=SECONDS)


def fetch(url: str, token: str) -> dict[str, Any]:
    """What PostgREST says of itself to the token's role: only what that role may do (openapi-mode).

    Raises:
        FlowsError: nothing answers, or it refuses the token.
    """
    connection = connect(url)
    path = urlsplit(url).path or "/"
    try:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/openapi+json"}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
    except OSError as error:
        raise FlowsError(f"the API does not answer at {url}: {error}", "run flowsctl up") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise FlowsError(f"the API refuses to describe itself: {answer.status} {body[:200].decode(errors='replace')}")
    return dict(json.loads(body))


def placed(document: dict[str, Any], url: str) -> dict[str, Any]:
    """The document with the place to send requests to, and with the token as its one way of authorisation."""
    where: SplitResult = urlsplit(url)
    return {
        **document,
        "host": where.netloc,
        "basePath": where.path or "/",
        "schemes": [where.scheme],
        "securityDefinitions": {
            SECURITY: {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "description": "Bearer and a token of `flowsctl token --esco CODE`.",
            }
        },
        "security": [{SECURITY: []}],
    }


def page(document: dict[str, Any], token: str = "", about: str = "") -> str:
    """The page. `token` is filled in where it is given; `about` says whose it is."""
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined)
    values = {"spec": document, "token": token, "security": SECURITY}
    return environment.get_template("index.html.j2").render(
        title=document.get("info", {}).get("title", "API"), about=about, data=_inside_script(values)
    )


def _inside_script(values: Any) -> str:
    """JSON that no text in it can end the script element with."""
    return json.dumps(values, ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")
