"""The embedded PostgreSQL: its life cycle, where it lives, who uses it, and the programs that keep it."""
