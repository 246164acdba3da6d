"""The documents: complete, and true where a machine can tell."""
