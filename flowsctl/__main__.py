"""`python -m flowsctl`."""

from flowsctl.main import run

run()
