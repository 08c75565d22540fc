"""The Flows database platform: reads config, picks the engine, composes components."""

from __future__ import annotations

from pathlib import Path

import pulumi

from components import access, place, run_config
from components.declared import declared
from components.engine import embedded
from components.rest_api import embedded_api
from components.schema import provision
from components.secrets import StackSecrets
from flows import warnings
from pulumi_timescaledb.resources import Provider, Seal

ROOT = Path(__file__).resolve().parent
config = run_config.stack_config()
stack = pulumi.get_stack()
root_secret = run_config.root_secret()
secrets = StackSecrets(root_secret)
for sentence in warnings(config.settings):
    pulumi.log.warn(sentence)

server = embedded.make(place.connection(config, ROOT, stack))

whole = declared(config, secrets)
provider = Provider("database", server.settings)
made = provision(whole, provider, server.resources, allow=config.allow, policies=config.policies)

api_folder = place.data_folder(ROOT, stack) / "api"
api = embedded_api(server, secrets, config.api_port, api_folder, config.settings.jwt_aud, made.ends)
Seal(
    "seal",
    whole,
    str(api_folder),
    opts=pulumi.ResourceOptions(parent=made.component, provider=provider, depends_on=[*made.ends, api]),
)

login = access.login_roles(whole.specs.values())
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
pulumi.export("api", {"url": f"http://127.0.0.1:{config.api_port}"})
pulumi.export("roles", access.roles(whole.specs.values()))
pulumi.export("jwtAudience", config.settings.jwt_aud)
pulumi.export("jwtSecret", pulumi.Output.secret(secrets.jwt()))
pulumi.export("passwords", pulumi.Output.secret({role: secrets.password(role) for role in login}))
