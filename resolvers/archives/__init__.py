"""Archives as people see them, what administrators do with them, and what each is worth in an answer."""
