"""Runtimes that answer from an index: those of the resolvers' tests."""

from tests.resolvers.conftest import beginning, federation, loaded, runtime, shallow  # noqa: F401
