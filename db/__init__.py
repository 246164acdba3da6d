"""All SQL: migrations, named queries, the WHERE compiler, the pool and the embedded Postgres."""
