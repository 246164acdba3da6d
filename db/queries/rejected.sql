-- name: reject  Rows kept aside with the reason: seen again is counted once.
insert into rejected_record (archive_id, level, uid, reason, data, lost)
select distinct on (r.level, md5(r.data::jsonb::text)) $1, r.level, r.uid, r.reason, r.data::jsonb, r.lost
from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[]) r (level, uid, reason, data, lost)
order by r.level, md5(r.data::jsonb::text)
on conflict (archive_id, level, fingerprint) do update
    set uid = excluded.uid, reason = excluded.reason, lost = excluded.lost, last_seen_at = now()

-- name: found  Studies ($2) that are in the index after all.
delete from rejected_record where archive_id = $1 and level = 'study' and lost and uid = any ($2::text[])

-- name: unlisted  Studies that the archive no longer has: it lists these ($2).
delete from rejected_record
where archive_id = $1 and level = 'study' and lost and uid is not null and uid <> all ($2::text[])

-- name: unseen  What a whole pass over these levels ($2) that began at $3 did not come upon.
delete from rejected_record where archive_id = $1 and level = any ($2::text[]) and last_seen_at < $3
