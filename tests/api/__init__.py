"""Tests of api/, most of them over a schema of a few fields."""
