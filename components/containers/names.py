"""What the containers, volumes and the network of a stack are called, so that anybody finds them without its state."""

from __future__ import annotations

from dataclasses import dataclass

PROJECT_LABEL = "flows.project"
STACK_LABEL = "flows.stack"
PART_LABEL = "flows.part"
"""database, api, scheduler, replica, data, backup, run, network."""
ORIGIN_LABEL = "flows.restored-from"
"""On everything of a restored copy: the stack it was made from."""


@dataclass(frozen=True)
class Names:
    """Names on one Docker host: project and stack in front, so that stacks never meet."""

    project: str
    stack: str

    @property
    def prefix(self) -> str:
        """project-stack."""
        return f"{self.project}-{self.stack}"

    @property
    def network(self) -> str:
        """The network that the stack's containers share."""
        return self.prefix

    def container(self, part: str) -> str:
        """A container: part is database, api, scheduler, replica-1."""
        return f"{self.prefix}-{part}"

    def volume(self, part: str) -> str:
        """A volume: part is data, backup (the repository), run (sockets), replica-1."""
        return f"{self.prefix}-{part}"

    def labels(self, part: str) -> dict[str, str]:
        """Labels that say whose a thing is."""
        return {PROJECT_LABEL: self.project, STACK_LABEL: self.stack, PART_LABEL: part}
