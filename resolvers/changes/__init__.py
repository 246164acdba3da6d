"""Subscriptions: changes of studies and of archives' health."""
