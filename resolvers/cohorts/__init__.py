"""Saved filters and frozen lists of studies: their types, what people do with them, comparisons."""
