"""The containers of the docker engine as plain data: what runs, with which files, volumes and limits.

No Pulumi and no Docker client here. `components/engine/docker.py` makes tracked resources of these,
`flowsctl/containers` starts the very same ones for restored copies and drills, and so do the tests.
"""
