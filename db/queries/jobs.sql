-- name: due  Archives whose run or probe is due and not asked for yet. A reconcile looks at everything, so it is a sync too.
select a.code,
    case when s.next_reconcile_at <= now() then 'reconcile' else 'sync' end as kind
from archive a
join archive_schedule s using (archive_id)
where a.enabled and s.next_sync_at <= now()
    and not exists (
        select from jobs.pgqueuer j
        where j.dedupe_key = 'index:' || a.code and j.status in ('queued', 'picked'))
union all
select a.code, 'probe'
from archive a
join archive_schedule s using (archive_id)
where a.enabled and s.next_probe_at <= now()
    and not exists (
        select from jobs.pgqueuer j
        where j.dedupe_key = 'probe:' || a.code and j.status in ('queued', 'picked'))

union all
select a.code, 'data_sets'
from archive a
join archive_schedule s using (archive_id)
join archive_definition d using (archive_id)
where a.enabled and a.index_level = 'instance' and s.next_data_sets_at <= now()
    and coalesce((d.definition ->> 'data_sets')::boolean, true)
    and coalesce(a.capabilities ->> 'metadata', '') not like 'no%'
    and exists (
        select from series
        where archive_id = a.archive_id and data_sets_synced_at is null and instances_synced_at is not null
            and (data_sets_tried_at is null or data_sets_tried_at < now() - $1::interval))
    and not exists (
        select from jobs.pgqueuer j
        where j.dedupe_key = 'data_sets:' || a.code and j.status in ('queued', 'picked'))

-- name: data_sets_after  Whole data sets of an archive are asked for again after $2 seconds.
update archive_schedule set next_data_sets_at = now() + make_interval(secs => $2) where archive_id = $1

-- name: run_ended  When the archive is next due. $2: failed; $3: seconds until the next run; $4: it reconciled, $5: the index knows what was there at this time.
update archive_schedule
set failures = case when $2::boolean then failures + 1 else 0 end,
    next_sync_at = now() + make_interval(secs => $3),
    next_reconcile_at = case when $4::boolean then now() + reconcile_every else next_reconcile_at end,
    current_as_of = coalesce($5, current_as_of)
where archive_id = $1

-- name: rhythm  What the next run's time is made of.
select failures, extract(epoch from sync_every)::double precision as sync_every
from archive_schedule where archive_id = $1

-- name: probed  The next probe is a day away.
update archive_schedule set next_probe_at = now() + interval '1 day' where archive_id = $1

-- name: forget_log  What pgqueuer noted of jobs more than a week ago.
delete from jobs.pgqueuer_log where created < now() - interval '7 days'

-- name: states  When each archive is due, and its jobs.
select a.archive_id, s.next_sync_at, s.failures,
    case when s.current_as_of is not null
        then greatest(0, extract(epoch from now() - s.current_as_of)::double precision) end as lag_seconds,
    case when a.enabled then extract(epoch from now() - s.next_sync_at)::double precision end as overdue_seconds,
    j.kind, coalesce(j.running, false) as running, j.queued_at
from archive a
left join archive_schedule s using (archive_id)
left join lateral (
    select * from archive_job where code = a.code and kind <> 'data_sets' order by running desc, due_at limit 1) j on true
