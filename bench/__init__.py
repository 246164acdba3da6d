"""Benchmarks: each module has a `main` that prints a table. No timed assertion stands in the tests."""
