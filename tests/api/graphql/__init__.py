"""Tests of api/graphql/."""
