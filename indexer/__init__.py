"""Fills the index: runs, windows, change feeds, reconciles, leases."""
