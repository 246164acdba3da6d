"""Runtimes whose archives are asked: those of the resolvers' tests."""

from tests.resolvers.conftest import beginning, federation, live, loaded, runtime, shallow  # noqa: F401
