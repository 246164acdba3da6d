"""Who may see what, without I/O: the scope that every read of the index requires."""
