"""Runtimes whose archives are asked: those of the resolvers' tests."""

from tests.resolvers.conftest import federation, live, loaded, runtime, shallow  # noqa: F401
