"""Statistics for a viewer: what is counted by what, from the rows that match or from rollups. Rollups are kept in
db/writing."""
