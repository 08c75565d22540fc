"""Continuous aggregates that the server cannot alter: the new ones are built and filled beside the old ones, take their
place in one transaction together with everything that stands on them, and then the old ones are dropped.

`closure` says what belongs together and `plan` which statements it takes; `coverage` and `judge` ask the server what
would be lost and what it can change in place; `run` walks the steps, each of which commits with its mark in the ledger.
"""
