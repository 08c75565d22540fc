"""A stack's containers without Pulumi: started from the same descriptions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from components.containers.database import ADMIN, PORT, database
from components.containers.names import Names
from components.containers.spec import Container
from components.secrets import StackSecrets
from components.server_config import ServerSettings
from flowsctl.containers.host import Host
from flowsctl.containers.running import Done

PROJECT = "flows-test"
PATIENCE = 180.0
"""Seconds until a container must be healthy: the machine may be busy."""


@dataclass
class Plain:
    """One stack on a Docker host."""

    host: Host
    names: Names
    image: str
    secrets: StackSecrets = field(default_factory=lambda: StackSecrets("0123456789abcdef0123456789abcdef"))
    server: ServerSettings = field(default_factory=ServerSettings)

    @property
    def name(self) -> str:
        """The database's container."""
        return self.names.container("database")

    def describe(self, part: str = "database", **options: Any) -> Container:
        """The description of the database or a standby."""
        return database(self.names, self.image, self.server, self.secrets, part=part, **options)

    def up(self, container: Container | None = None, *, extension: bool = True) -> float:
        """Starts a container, the database by default, and waits until it is healthy: seconds."""
        described = container or self.describe()
        self.host.provide(self.names, described)
        self.host.start(described)
        took = self.host.healthy(described.name, PATIENCE)
        if extension and described.name == self.name:
            self.sql("CREATE EXTENSION IF NOT EXISTS timescaledb")
        return took

    def replace(self, container: Container) -> None:
        """Puts another container in the place of the one of that name, as a changed description does."""
        self.host.client.containers.get(container.name).remove(force=True)
        self.host.start(container)
        self.host.healthy(container.name, PATIENCE)

    def connect(self, user: str = ADMIN, password: str | None = None, **options: Any) -> psycopg.Connection[TupleRow]:
        """A connection from outside, over TCP."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.host.port(self.name, PORT),
            user=user,
            password=self.secrets.password(user) if password is None else password,
            dbname=options.pop("dbname", self.server.database_name),
            connect_timeout=10,
            autocommit=True,
            **options,
        )

    def sql(self, *statements: str) -> list[TupleRow]:
        """Runs statements over TCP as the administrator; the rows of the last one."""
        with self.connect() as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def inside(self, *command: str, part: str = "database", **options: Any) -> Done:
        """Runs a command in a container."""
        return self.host.execute(self.names.container(part), command, **options)

    def local(self, statement: str, *, database: str = "", part: str = "database") -> str:
        """What psql answers over the socket, as the superuser."""
        socket = ("-h", "/var/lib/flows/run", "-d", database or self.server.database_name)
        return self.inside("psql", "-XAtq", *socket, "-c", statement, part=part).checked("psql").text

    def check(self, part: str = "database", **environment: str) -> Done:
        """Runs the health check of a container as Docker does."""
        health = self.describe(part).health
        assert health is not None
        return self.inside(*health.command, part=part, user="0", environment=environment)


def of_image(container: Container, image: str) -> Container:
    """The same container from another image."""
    return replace(container, image=image)
