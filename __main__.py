"""The Flows database platform: reads config, picks the engine, composes components."""

from __future__ import annotations

from pathlib import Path

import pulumi

from components import access
from components import config as stack_config
from components.engine import embedded
from components.rest_api import embedded_api
from components.schema import provision
from components.secrets import StackSecrets
from flows import declarations
from pulumi_timescaledb.resources import Provider, Seal
from pulumi_timescaledb.whole import Whole

ROOT = Path(__file__).resolve().parent
config = pulumi.Config("flows")
stack = pulumi.get_stack()
disposable = config.get_bool("disposable") or False
root_secret = stack_config.root_secret()
secrets = StackSecrets(root_secret)
settings = stack_config.settings()

engine = config.get("engine") or embedded.NAME
if engine != embedded.NAME:
    raise pulumi.RunError(f'flows:engine "{engine}" is not there yet: this version has "{embedded.NAME}".')
folder = ROOT / ".flows" / "data" / stack
server = embedded.make(folder, disposable, ROOT / ".flows" / "history" / f"{stack}.jsonl")

specs = access.with_passwords(declarations(settings), secrets)
provider = Provider("database", server.settings)
whole = Whole(specs)
made = provision(whole, provider, server.resources, allow=config.get_object("allow") or ())

api_port = config.require_int("apiPort")
api = embedded_api(server, secrets, api_port, folder / "api", settings.jwt_aud, made.ends)
Seal(
    "seal",
    whole,
    str(folder / "api"),
    opts=pulumi.ResourceOptions(parent=made.component, provider=provider, depends_on=[*made.ends, api]),
)

login = access.login_roles(specs)
pulumi.export("rootSecret", pulumi.Output.secret(root_secret))
pulumi.export("engine", server.engine)
pulumi.export(
    "database",
    {
        "host": server.settings.host,
        "port": server.settings.port,
        "name": server.settings.database,
        "user": server.settings.user,
        "dsn": server.dsn(server.settings.user),
    },
)
pulumi.export("api", {"url": f"http://127.0.0.1:{api_port}"})
pulumi.export("roles", access.roles(specs))
pulumi.export("jwtAudience", settings.jwt_aud)
pulumi.export("jwtSecret", pulumi.Output.secret(secrets.jwt()))
pulumi.export("passwords", pulumi.Output.secret({role: secrets.password(role) for role in login}))
