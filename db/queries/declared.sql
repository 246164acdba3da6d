-- name: declare  Attributes ($1 levels, $2 paths as JSON, $3 names) that are declared from now on; no others are.
with told as (
    select level, array(select jsonb_array_elements_text(path)) as path, name
    from unnest($1::text[], $2::jsonb[], $3::text[]) t (level, path, name)
), gone as (
    delete from declared_attribute d
    where not exists (select from told t where t.level = d.level and t.path = d.path)
)
insert into declared_attribute (level, path, name)
select level, path, name from told
on conflict (level, path) do update set name = excluded.name where declared_attribute.name <> excluded.name

-- name: states  All declared attributes.
select level, path, name, declared_at, ready_at, error from declared_attribute order by level, name

-- name: indexes  Indexes of declared attributes: schema, name, whether they can be used.
select n.nspname as schema, c.relname as name, i.indisvalid as valid
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'pseudonymised') and c.relname like 'declared\_%' and i.indrelid in (
    select oid from pg_class where relname in ('study', 'series', 'instance'))

-- name: ready  An attribute ($1 level, $2 path) has all its indexes, or failed with $3.
update declared_attribute
set ready_at = case when $3::text is null then coalesce(ready_at, now()) end, error = $3
where level = $1 and path = $2::text[]
