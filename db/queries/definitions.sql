-- name: lock  One change of the definitions at a time, until the transaction's end.
select pg_advisory_xact_lock($1)

-- name: left_the_file  Archives whose table is gone from the file: not defined any more, their rows stay.
with gone as (
    delete from archive_definition d
    using archive a
    where a.archive_id = d.archive_id and d.origin = 'file' and a.code <> all ($1::text[])
    returning d.archive_id
)
update archive set enabled = false from gone where archive.archive_id = gone.archive_id
returning code

-- name: undefined  An archive that has no definition at all is not asked.
update archive set enabled = false
where enabled and not exists (select from archive_definition d where d.archive_id = archive.archive_id)

-- name: define  Archives as a file ($8 'file') or a mutation ($8 'api') says; what is the same is left alone. All rows.
with wanted as (
    select *, (ordinality - 1)::smallint as rank
    from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::interval[], $7::interval[], $9::jsonb[])
        with ordinality w (code, ern, title, kind, index_level, sync_every, reconcile_every, definition, ordinality)
), placed as (
    select w.*, a.archive_id,
        case $8 when 'file' then w.rank else greatest(10000, a.rank) end::smallint as place
    from wanted w left join archive a using (code)
), changed as (
    update archive a
    set (ern, title, kind, index_level, rank) = (p.ern, p.title, p.kind, p.index_level, p.place)
    from placed p
    where p.archive_id = a.archive_id
        and (a.ern, a.title, a.kind, a.index_level, a.rank)
            is distinct from (p.ern, p.title, p.kind, p.index_level, p.place)
), added as (
    -- only what is missing: `on conflict` would take a number of the identity, a smallint, at every start
    insert into archive (code, ern, title, kind, index_level, rank)
    select code, ern, title, kind, index_level, place from placed where archive_id is null order by rank
    returning archive_id, code, rank
), known as (
    select archive_id, code, place as rank from placed where archive_id is not null
    union all select archive_id, code, rank from added
), defined as (
    insert into archive_definition (archive_id, origin, definition, changed_by)
    select k.archive_id, $8, w.definition, $10
    from known k join wanted w using (code)
    on conflict (archive_id) do update
        set (origin, definition, changed_by, changed_at)
            = (excluded.origin, excluded.definition, excluded.changed_by, now())
        where (archive_definition.origin, archive_definition.definition)
            is distinct from (excluded.origin, excluded.definition)
    returning archive_id
), scheduled as (
    insert into archive_schedule (archive_id, sync_every, reconcile_every)
    select k.archive_id, w.sync_every, w.reconcile_every
    from known k join wanted w using (code)
    on conflict (archive_id) do update
        set (sync_every, reconcile_every, next_sync_at, next_reconcile_at)
            = (excluded.sync_every, excluded.reconcile_every,
                least(archive_schedule.next_sync_at, now() + excluded.sync_every),
                least(archive_schedule.next_reconcile_at, now() + excluded.reconcile_every))
        where (archive_schedule.sync_every, archive_schedule.reconcile_every)
            is distinct from (excluded.sync_every, excluded.reconcile_every)
)
select k.code, k.archive_id, exists (select from defined d where d.archive_id = k.archive_id) as changed
from known k order by k.rank, k.archive_id

-- name: enable  Defined archives are asked unless somebody switched them off.
update archive a set enabled = not d.disabled
from archive_definition d
where d.archive_id = a.archive_id and a.code = any ($1::text[]) and a.enabled = d.disabled

-- name: start_over  Another server, or another depth: what the index knows of its feed does not hold any more.
with stale as (
    update archive set (change_cursor, capabilities) = (null, '{}')
    where code = $1
    returning archive_id
)
update archive_schedule s
set (next_sync_at, next_reconcile_at, failures, feed_marks, current_as_of) = (now(), now(), 0, '{}', null)
from stale where s.archive_id = stale.archive_id

-- name: one  One definition.
select a.archive_id, a.code, d.origin, d.definition, d.disabled, d.changed_at, d.changed_by
from archive a join archive_definition d using (archive_id)
where a.code = $1

-- name: all  Every definition, in rank order.
select a.archive_id, a.code, d.origin, d.definition, d.disabled, d.changed_at, d.changed_by
from archive a join archive_definition d using (archive_id)
order by a.rank, a.archive_id

-- name: known  Is there such an archive, defined or removed?
select archive_id, ern, enabled from archive where code = $1

-- name: switch  Off or on.
update archive_definition d set disabled = $2, changed_at = now(), changed_by = $3
from archive a
where a.archive_id = d.archive_id and a.code = $1

-- name: remove  The definition goes, the archive is not asked any more; its rows stay.
with gone as (
    delete from archive_definition d
    using archive a
    where a.archive_id = d.archive_id and a.code = $1
    returning d.archive_id
)
update archive set enabled = false from gone where archive.archive_id = gone.archive_id

-- name: announce  Every process looks at the definitions again.
select pg_notify('ernfed_archives', '')
