"""What indexing knows of its own work: jobs, runs and their leases, removals that wait; and what is stored, to compare
with what an archive says."""
