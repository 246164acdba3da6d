-- name: set  Consents of studies in an archive, as arrays; who set them.
insert into consent (archive_id, study_uid, care, registry, research, changed_by)
select $1, study_uid, care, registry, research, $6
from unnest($2::text[], $3::boolean[], $4::boolean[], $5::boolean[]) given (study_uid, care, registry, research)
on conflict (archive_id, study_uid) do update
    set (care, registry, research, changed_at, changed_by)
        = (excluded.care, excluded.registry, excluded.research, now(), excluded.changed_by)

-- name: known  Which of these studies the index knows in the archive.
select distinct study_uid from study where archive_id = $1 and study_uid = any ($2::text[])
