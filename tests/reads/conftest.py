"""Runtimes that answer from an index: those of the resolvers' tests."""

from tests.resolvers.conftest import federation, loaded, runtime, shallow  # noqa: F401
