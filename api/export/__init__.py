"""Lists as files: CSV, lines of JSON, Parquet."""
