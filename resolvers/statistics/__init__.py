"""Counts, facets and histograms of what matches; what the index has of each attribute."""
