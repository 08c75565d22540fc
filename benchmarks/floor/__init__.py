"""A provider that does nothing: what the engine itself costs for as many resources."""
