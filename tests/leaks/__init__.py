"""What must not be seen is not seen: canaries in the index, and every field of the schema asked by everybody."""
