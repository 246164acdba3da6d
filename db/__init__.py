"""All SQL. On top what every statement needs (pool, session scope, parameters, locks, migrations, views.sql) and the
archives with their definitions; named statements in queries/; and by noun: lists, statistics, cohorts, writing,
indexing, audit, backup, embedded."""
