-- name: set  Consents of studies in an archive, as arrays; who set them.
insert into consent (archive_id, study_uid, care, registry, research, changed_by, given_at)
select $1, study_uid, care, registry, research, $6, case when care or registry or research then now() end
from unnest($2::text[], $3::boolean[], $4::boolean[], $5::boolean[]) given (study_uid, care, registry, research)
order by study_uid
on conflict (archive_id, study_uid) do update
    set (care, registry, research, changed_at, changed_by, given_at)
        = (excluded.care, excluded.registry, excluded.research, now(), excluded.changed_by,
            case when excluded.given_at is not null then coalesce(consent.given_at, excluded.given_at) end)

-- name: known  Which of these studies the index knows in the archive.
select distinct study_uid from study where archive_id = $1 and study_uid = any ($2::text[])

-- name: of_archive  Every consent that an archive has told.
select study_uid, care, registry, research, changed_at, changed_by, given_at
from consent where archive_id = $1 order by study_uid

-- name: of_study  The consent of one study in one archive.
select study_uid, care, registry, research, changed_at, changed_by, given_at
from consent where archive_id = $1 and study_uid = $2

-- name: of_nodes  The consents of logical studies, over the archives with a visible copy that told one.
select k.study_uid as uid, bool_and(k.care) as care, bool_and(k.registry) as registry,
    bool_and(k.research) as research
from :schema.consent k
where k.study_uid = any ($2::text[]) and k.archive_id = any ($1::smallint[])
    and exists (
        select from :schema.study s where s.archive_id = k.archive_id and s.study_uid = k.study_uid)
group by k.study_uid

-- name: untold  The studies of an archive of which no consent was told yet.
select distinct study_uid from study s
where s.archive_id = $1
    and not exists (select from consent c where c.archive_id = s.archive_id and c.study_uid = s.study_uid)
