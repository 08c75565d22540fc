"""Reports of a plan for the people who review it: Markdown for a comment, one HTML page, JSON for programs.

The same plan gives the same bytes: no time, no path, no secret.
"""
