"""Cohorts: those that people saved, freezing a version of one, and what of a version is gone."""
