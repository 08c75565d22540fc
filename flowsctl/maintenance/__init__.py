"""The seed's maintenance: vacuum, analyze, reindex, piece by piece."""
