"""Tests of api/export/."""
