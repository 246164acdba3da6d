"""Asking archives now: live answers, what the index lacks, and work that several askers share. No GraphQL, no HTTP
serving; runs of the indexer are next door."""
