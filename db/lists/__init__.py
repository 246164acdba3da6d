"""Lists of nodes for a viewer: conditions, orders and pages as SQL, and the reads that are made of them. Nothing here
writes."""
