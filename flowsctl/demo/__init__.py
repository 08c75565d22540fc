"""Demo data: an estate of escos with meters, and plausible time series, the same for the same seed."""
