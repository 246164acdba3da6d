-- name: list  All archives, the enabled ones first, in rank order.
select archive_id, code, ern, title, kind, index_level, rank, enabled,
    health_state, health_checked_at, health_latency_ms, health_error_code, health_error_message,
    capabilities, change_cursor, last_completed_at, last_reconciled_at, last_change_at,
    exists (select from :schema.study s where s.archive_id = archive.archive_id) as has_studies,
    coalesce((select studies from :schema.rejected_study r where r.archive_id = archive.archive_id), 0) as rejected_studies
from archive
order by not enabled, rank, archive_id

-- name: save_health  The last look at an archive; whoever waits for changes of its health is told of one.
with before as (
    select health_state, health_error_code from archive where archive_id = $1
), saved as (
    update archive
    set (health_state, health_checked_at, health_latency_ms, health_error_code, health_error_message)
        = ($2, now(), $3, $4, $5)
    where archive_id = $1
)
select pg_notify('ernfed_events', 'health ' || $1::smallint)
from before where (health_state, health_error_code) is distinct from ($2, $4)

-- name: save_capabilities  What a probe found.
update archive set capabilities = $2::jsonb where archive_id = $1

-- name: index_states  How far each archive's index has come, with its newest run.
-- A study is in one row of an archive, and a rollup has counted these, but for families of which that is not sure.
with counted as (
    select * from :schema.rollup_archive
), apart as materialized (
    select * from :schema.rollup_apart
), studies as (
    select archive_id, count(*) as copies, count(distinct r.study_uid) as nodes
    from apart p
    cross join lateral (
        select study_uid from :schema.study
        where study_uid = p.study_uid and archive_id = p.archive_id offset 0) r
    group by archive_id
), serieses as (
    select archive_id, count(*) as copies
    from apart p
    cross join lateral (
        select from :schema.series
        where study_uid = p.study_uid and archive_id = p.archive_id offset 0) r
    group by archive_id
), instances as (
    select archive_id, count(*) as copies
    from apart p
    cross join lateral (
        select from :schema.instance
        where study_uid = p.study_uid and archive_id = p.archive_id offset 0) r
    group by archive_id
)
select a.archive_id,
    coalesce(u.studies, 0) + coalesce(st.nodes, 0) as studies,
    coalesce(u.series_rows, 0) + coalesce(se.copies, 0) as series,
    coalesce(u.instance_rows, 0) + coalesce(i.copies, 0) as instances,
    coalesce(u.studies, 0) + coalesce(st.copies, 0) as study_rows,
    coalesce(u.series_rows, 0) + coalesce(se.copies, 0) as series_rows,
    coalesce(u.instance_rows, 0) + coalesce(i.copies, 0) as instance_rows,
    coalesce(r.state = 'running', false) as running, r.kind, r.state, r.started_at, r.finished_at,
    coalesce(r.done, 0) as done, r.total, coalesce(r.rejected, 0) as rejected,
    coalesce(r.removed, 0) as removed, r.error_code, r.error_message
from archive a
left join counted u using (archive_id)
left join studies st using (archive_id)
left join serieses se using (archive_id)
left join instances i using (archive_id)
left join lateral (
    select * from index_run where archive_id = a.archive_id order by run_id desc limit 1) r on true

-- name: codes  Every archive that there is or was: its code and network.
select code, ern from archive order by archive_id
