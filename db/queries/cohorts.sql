-- Every statement that reads a cohort takes the person: $1 the subject, $2 the ERNs that let them see anything.

-- name: lock  One change of a person's cohorts at a time, so that quotas hold.
select pg_advisory_xact_lock(hashtextextended('cohorts of ' || $1, 0))

-- name: kept  How many cohorts a person keeps, and entries in them.
select (select count(*) from cohort where owner = $1) as cohorts,
    (select coalesce(sum(v.entries), 0) from cohort_version v join cohort c using (cohort_id)
        where c.owner = $1)::bigint as entries

-- name: save  A new cohort; its id.
insert into cohort (owner, owner_name, name, description, filter, archives, identifying)
values ($1, $2, $3, $4, $5::text::jsonb, $6::text[], $7)
returning cohort_id

-- name: readable  Cohorts of this person and those shared with them, newest first or ($8) oldest; $3: these ids, null all.
select c.cohort_id, c.owner = $1 as mine, c.owner, c.owner_name, c.name, c.description,
    c.filter::text as filter, c.archives, c.identifying, c.created_at
from cohort c
where (c.owner = $1 or exists (
        select from cohort_share s
        where s.cohort_id = c.cohort_id
            and (s.kind = 'everyone' or s.kind = 'person' and s.name = $1
                or s.kind = 'ern' and s.name = any ($2::text[]))))
    and ($3::uuid[] is null or c.cohort_id = any ($3::uuid[]))
    and ($4::boolean is null or (c.owner = $1) = $4)
    and ($5::timestamptz is null or case when $8::boolean
        then (c.created_at, c.cohort_id) > ($5, $6::uuid) else (c.created_at, c.cohort_id) < ($5, $6::uuid) end)
order by case when $8 then c.created_at end, case when $8 then c.cohort_id end, c.created_at desc, c.cohort_id desc
limit $7

-- name: versions  Versions of cohorts ($1), newest first, with the archives that they asked.
select v.cohort_id, v.version_id, v.number, v.frozen_at,
    array(select a.archive_id from cohort_archive a where a.version_id = v.version_id order by a.archive_id)
        as archive_ids,
    array(select a.projection from cohort_archive a where a.version_id = v.version_id order by a.archive_id) as projections,
    array(select a.as_of from cohort_archive a where a.version_id = v.version_id order by a.archive_id) as as_of
from cohort_version v
where v.cohort_id = any ($1::uuid[])
order by v.cohort_id, v.number desc

-- name: cohorts_of  The cohort of each of these ids, which are of cohorts or of versions.
select cohort_id from cohort where cohort_id = any ($1::uuid[])
union
select cohort_id from cohort_version where version_id = any ($1::uuid[])

-- name: shares  With whom a person's own cohorts ($2) are shared.
select s.cohort_id, s.kind, s.name from cohort_share s join cohort c using (cohort_id)
where c.owner = $1 and s.cohort_id = any ($2::uuid[]) order by s.kind, s.name

-- name: rename  Another name and description; the id where it is the person's own.
update cohort set (name, description) = ($3, $4) where cohort_id = $2 and owner = $1 returning cohort_id

-- name: delete  Removes a cohort with all its versions; the id where it is the person's own.
delete from cohort where cohort_id = $2 and owner = $1 returning cohort_id

-- name: unshare  Nobody else may open it; for the owner.
delete from cohort_share s using cohort c
where c.cohort_id = s.cohort_id and c.cohort_id = $2 and c.owner = $1

-- name: share  These may open it ($3 kinds, $4 names); for the owner.
insert into cohort_share (cohort_id, kind, name)
select c.cohort_id, w.kind, w.name from cohort c, unnest($3::text[], $4::text[]) w (kind, name)
where c.cohort_id = $2 and c.owner = $1
on conflict do nothing

-- name: new_version  The next version of a person's own cohort, still without entries; null beyond $3 of them.
insert into cohort_version (cohort_id, number, entries)
select c.cohort_id, coalesce(max(v.number), 0) + 1, 0
from cohort c left join cohort_version v using (cohort_id)
where c.cohort_id = $2 and c.owner = $1
group by c.cohort_id having count(v.version_id) < $3
returning version_id

-- name: asked  The archives of a version ($2), through which projection ($3), and as of when their index is.
insert into cohort_archive (version_id, archive_id, projection, as_of)
select $1, a.archive_id, w.projection, a.last_completed_at
from unnest($2::smallint[], $3::text[]) w (archive_id, projection) join archive a on a.archive_id = w.archive_id

-- name: counted  How many entries a version has, to be held against quotas.
update cohort_version set entries = $2 where version_id = $1

-- name: delete_version  Removes one version; the id where the cohort is the person's own.
delete from cohort_version v using cohort c
where c.cohort_id = v.cohort_id and v.version_id = $2 and c.owner = $1
returning v.version_id
