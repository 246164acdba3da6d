"""Tests of api/identity/."""
