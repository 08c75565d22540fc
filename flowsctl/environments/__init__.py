"""Throw-away environments: a stack of the same program for a branch, with its own ports, secrets, data and lifetime.

An environment is its record, `.flows/stacks/<stack>/environment.json`, written before anything else is made and
deleted last: whatever a crash leaves behind is found from it, or from a name that only environments have.
"""
