-- name: try_lease  True when this session now holds the lease of an archive; it goes with the session.
select pg_try_advisory_lock($1::integer, $2::integer)

-- name: end_lease  Gives the lease back.
select pg_advisory_unlock($1::integer, $2::integer)

-- name: interrupt  Runs left by a process that is gone: we hold the lease, so nobody is on them.
update index_run
set state = 'interrupted', finished_at = now(), error_code = 'INTERRUPTED',
    error_message = 'The indexer ended in the middle of this run; the next one goes on from there.'
where archive_id = $1 and state = 'running'

-- name: resumable  Where the newest full run stopped, if it did not complete and is younger than a day.
select checkpoint, change_cursor, started_at
from (
    select * from index_run where archive_id = $1 and kind = 'full' order by run_id desc limit 1
) newest
where state in ('interrupted', 'failed') and checkpoint <> '' and touched_at > now() - interval '24 hours'

-- name: start  A new run.
insert into index_run (archive_id, kind, change_cursor, checkpoint)
values ($1, $2, $3, $4)
returning run_id, started_at

-- name: plan  What the run will do.
update index_run set kind = $2, change_cursor = $3, checkpoint = $4, touched_at = now() where run_id = $1

-- name: forget_old  All but an archive's newest hundred runs.
delete from index_run
where archive_id = $1
    and run_id <= (select run_id from index_run where archive_id = $1 order by run_id desc offset 100 limit 1)

-- name: position  The archive's cursor and last completion, read under the lease.
select change_cursor, last_completed_at from archive where archive_id = $1

-- name: total  How many studies the run is about to see.
update index_run set total = $2, touched_at = now() where run_id = $1

-- name: advance  A chunk is written: the run's checkpoint ('' keeps it), counts, when the index last changed.
with run as (
    update index_run
    set checkpoint = coalesce(nullif($3, ''), checkpoint), done = done + $4, rejected = rejected + $5, removed = removed + $6, touched_at = now()
    where run_id = $1
)
update archive set last_change_at = now() where archive_id = $2 and $7::boolean

-- name: removed  Studies that a complete pass did not see are gone.
with run as (
    update index_run set removed = removed + $3, touched_at = now() where run_id = $1
)
update archive set last_change_at = now() where archive_id = $2

-- name: move_cursor  The change feed is followed up to here.
update archive set change_cursor = $2 where archive_id = $1

-- name: complete  The run did all it was to do.
with run as (
    update index_run set state = 'completed', finished_at = now(), touched_at = now(),
        error_code = $4, error_message = $5
    where run_id = $1
)
update archive
set last_completed_at = now(),
    last_reconciled_at = case when $3::boolean then now() else last_reconciled_at end
where archive_id = $2

-- name: fail  The run ended early; what it wrote stays. $5: the next one starts over.
update index_run
set state = $2, finished_at = now(), touched_at = now(), error_code = $3, error_message = $4,
    checkpoint = case when $5::boolean then '' else checkpoint end
where run_id = $1 and state = 'running'

-- name: unseen  Studies of the archive that a complete pass did not see; newer ones are not judged.
select distinct study_uid
from study s
where archive_id = $1 and synced_at < $2
    and not exists (select from unnest($3::text[]) seen (uid) where seen.uid = s.study_uid)

-- name: count_studies  Distinct StudyInstanceUIDs of an archive in the index.
select count(distinct study_uid) from study where archive_id = $1

-- name: differing  Listed studies that the index lacks, or holds under another number of patients; rejected ones are left out.
select l.uid
from unnest($2::text[], $3::integer[]) l (uid, copies)
left join (select study_uid, count(*) as copies from study where archive_id = $1 group by 1) s on s.study_uid = l.uid
where coalesce(s.copies, 0) <> l.copies
    and not exists (
        select from rejected_record r where r.archive_id = $1 and r.level = 'study' and r.lost and r.uid = l.uid)
order by l.uid

-- name: marks  Entries of the feed as they were at the cursor: {"upto": sequence, "marks": {sequence: digest}}.
select feed_marks from archive_schedule where archive_id = $1

-- name: forget_feed  The feed is another one: no cursor, nothing noted.
with archive as (
    update archive set change_cursor = null where archive_id = $1
)
update archive_schedule set feed_marks = '{}' where archive_id = $1

-- name: save_marks  The same, as they are now.
update archive_schedule set feed_marks = $2::jsonb where archive_id = $1

-- name: totals  What the index counts of an archive, and its drift when everything was last compared.
select s.drift, coalesce(t.series, 0) as series, coalesce(t.instances, 0) as instances
from archive_schedule s
cross join (
    select sum(number_of_series) as series, sum(number_of_instances) as instances from study where archive_id = $1) t
where s.archive_id = $1

-- name: save_drift  Everything was compared; null: it changed meanwhile, the next look says.
update archive_schedule set drift = $2 where archive_id = $1

-- name: reconcile_soon  With the next run, unless the last one was just now.
update archive_schedule s set next_reconcile_at = least(next_reconcile_at, now())
from archive a
where a.archive_id = s.archive_id and s.archive_id = $1
    and (a.last_reconciled_at is null or a.last_reconciled_at < now() - 10 * s.sync_every)
