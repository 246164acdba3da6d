"""Writing the index: records, what follows from them (pseudonymised rows, rollups, events), consents; and removing an
archive."""
