-- name: moment  The database's time: rows written after it are younger than what was asked for.
select clock_timestamp() as now

-- name: unanswered  Studies of an archive in the index, within bounds, that an answer ($3) lacks; older than $2.
select distinct study_uid
from study
where archive_id = $1 and synced_at < $2 and study_uid <> all ($3::text[])
    and ($4::text[] is null or patient_id = any ($4))
    and ($5::date is null or study_date >= $5) and ($6::date is null or study_date <= $6)
    and (not $7::boolean or study_date is null)
    and ($8::text is null or modalities @> array[$8])
limit $9

-- name: elsewhere  Answered studies ($3, with their patients $4) that the index also has under another patient.
select distinct study_uid
from study s
where archive_id = $1 and synced_at < $2 and study_uid = any ($3::text[])
    and not exists (
        select from unnest($3::text[], $4::text[]) a (study_uid, patient_key)
        where a.study_uid = s.study_uid and a.patient_key = s.patient_key)

-- name: present  Which of these studies ($3) an archive has in the index since before $2.
select distinct study_uid from study where archive_id = $1 and synced_at < $2 and study_uid = any ($3::text[])

-- name: unchanged  Which of these studies ($2) are in the index exactly as answered ($3), with their counts, so
-- that nothing below them has come or gone. $4: also those of which the index has nothing below.
select a.study_uid
from unnest($2::text[], $3::jsonb[]) a (study_uid, data)
where a.data ? '00201206' and a.data ? '00201208'
    and exists (
        select from study s where s.archive_id = $1 and s.study_uid = a.study_uid and s.data = a.data)
    or $4::boolean and not exists (
        select from study s
        where s.archive_id = $1 and s.study_uid = a.study_uid and s.series_synced_at is not null)

-- name: parents_of_series  Where the index has these series ($2) of an archive.
select study_uid, series_uid, series_uid as uid from series where archive_id = $1 and series_uid = any ($2::text[])

-- name: parents_of_instances  Where the index has these instances ($2) of an archive.
select study_uid, series_uid, sop_uid as uid from instance where archive_id = $1 and sop_uid = any ($2::text[])

-- name: changed  Something of this archive is not what it was: notes when.
update archive set last_change_at = now() where archive_id = $1
