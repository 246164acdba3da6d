-- name: reject  Rows kept aside with the reason: seen again is counted once.
insert into rejected_record (archive_id, level, uid, reason, data)
select distinct on (r.level, md5(r.data::jsonb::text)) $1, r.level, r.uid, r.reason, r.data::jsonb
from unnest($2::text[], $3::text[], $4::text[], $5::text[]) r (level, uid, reason, data)
order by r.level, md5(r.data::jsonb::text)
on conflict (archive_id, level, fingerprint) do update
    set uid = excluded.uid, reason = excluded.reason, last_seen_at = now()
