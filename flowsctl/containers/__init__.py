"""Containers without Pulumi: restored copies, drills and tests start the same descriptions as the docker engine."""
