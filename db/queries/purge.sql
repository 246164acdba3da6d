-- name: some  Studies of an archive.
select distinct study_uid from study where archive_id = $1 limit $2

-- name: rest  What else is kept of an archive: runs, rejected rows, how it was.
with runs as (
    delete from index_run where archive_id = $1
), rejected as (
    delete from rejected_record where archive_id = $1
), removals as (
    delete from suspicious_removal where archive_id = $1
), schedule as (
    delete from archive_schedule where archive_id = $1
)
update archive
set (health_state, health_checked_at, health_latency_ms, health_error_code, health_error_message, capabilities,
    change_cursor, last_completed_at, last_reconciled_at, last_change_at)
    = ('UNKNOWN', null, null, null, null, '{}', null, null, null, null)
where archive_id = $1 and not enabled
