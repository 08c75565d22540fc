"""Restores: always into something new, compared with what was recorded at backup time, then promoted or discarded."""
