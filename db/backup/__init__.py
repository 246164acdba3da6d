"""Backups: a database into a file and back, by PostgreSQL's own programs."""
