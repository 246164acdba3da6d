-- name: anything  What a database holds that is not of an extension: the name of one such relation, or null.
select n.nspname || '.' || c.relname
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relkind in ('r', 'p', 'v', 'm', 'S')
    and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
order by c.relname = 'migration' desc, 1 limit 1

-- name: encrypted  Whether this connection is.
select coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false);

-- name: role  The role that the views are granted to (db/views.sql): a backup has grants and no roles.
do $$
begin
    if not exists (select from pg_roles where rolname = 'ernfed_api') then
        create role ernfed_api nologin;
    end if;
    if not pg_has_role(current_user, 'ernfed_api', 'set') then
        execute format('grant ernfed_api to %I', current_user);
    end if;
exception
    when insufficient_privilege then
        raise exception 'the role ernfed_api is needed, and % may not create it or become it', current_user
            using hint = format(
                'as an administrator of the server: %sgrant ernfed_api to %I;',
                case when not exists (select from pg_roles where rolname = 'ernfed_api')
                    then 'create role ernfed_api; ' end,
                current_user);
end
$$

-- name: forget_cursors
delete from secret where name = 'cursors'

-- name: held  What people count after a restore.
select (select count(*) from archive) as archives, (select count(*) from study) as studies,
    (select count(*) from consent) as consents, (select count(*) from cohort) as cohorts,
    (select count(*) from audit_event) as lines,
    exists (select from secret where name = 'pseudonyms') as derives_keys
