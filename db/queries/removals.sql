-- name: waiting  What waits, by archive.
select archive_id, gone, total, since, confirmed_gone is not null as confirmed from suspicious_removal

-- name: note  What a run found. More than before is another matter: nobody has seen it, and nobody confirmed it.
insert into suspicious_removal as s (archive_id, gone, total) values ($1, $2, $3)
on conflict (archive_id) do update set
    since = case when excluded.gone > s.gone then now() else s.since end,
    confirmed_gone = case when excluded.gone <= s.confirmed_gone then s.confirmed_gone end,
    gone = excluded.gone,
    total = excluded.total

-- name: confirm  $2: since when it waits, as it was shown to whoever confirms ($3).
update suspicious_removal set confirmed_gone = gone, confirmed_by = $3, confirmed_at = now()
where archive_id = $1 and since = $2 returning archive_id

-- name: is_confirmed
select archive_id from suspicious_removal where archive_id = $1 and confirmed_gone >= $2

-- name: settled
delete from suspicious_removal where archive_id = $1
