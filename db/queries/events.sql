-- name: families  The families that a writing transaction has changed.
select array(select study_uid from dirty)

-- name: in_order  One writer of pseudonymised events at a time, until its commit.
select pg_advisory_xact_lock($1)

-- name: note  Events of the copies of these families ($1) that are not as their last event left them.
with found as materialized (
    select c.archive_id, uid as study_uid, study_version_of(c.archive_id, uid) as version
    from unnest($1::text[]) uid
    cross join lateral (select distinct archive_id from study where study_uid = uid offset 0) c
), known as materialized (
    select v.archive_id, v.study_uid, v.version
    from unnest($1::text[]) uid
    cross join lateral (select * from study_version where study_uid = uid offset 0) v
), changed as materialized (
    select archive_id, study_uid, f.version,
        case when k.version is null then 'added' when f.version is null then 'removed' else 'updated' end as kind
    from found f full join known k using (archive_id, study_uid)
    where f.version is distinct from k.version
), kept as (
    insert into study_version (study_uid, archive_id, version)
    select study_uid, archive_id, version from changed where version is not null
    on conflict (study_uid, archive_id) do update set version = excluded.version
), dropped as (
    delete from study_version v using changed c
    where c.version is null and v.study_uid = c.study_uid and v.archive_id = c.archive_id
), written as (
    insert into study_event (archive_id, study_uid, kind)
    select archive_id, study_uid, kind from changed order by study_uid, archive_id
    returning archive_id
)
select pg_notify('ernfed_events', 'records ' || archive_id)
from (select distinct archive_id from written) archives

-- name: note_pseudonyms  The same of the pseudonymised copies of these families ($1, as stored).
with found as materialized (
    select p.archive_id, p.study_uid, uid as source_uid, bool_or(p.research) as research,
        pseudonymised.study_version_of(p.archive_id, p.study_uid, uid) as version
    from unnest($1::text[]) uid
    cross join lateral (select study_pk from study where study_uid = uid offset 0) s
    cross join lateral (
        select archive_id, study_uid, research from pseudonymised.study where source_pk = s.study_pk offset 0) p
    group by p.archive_id, p.study_uid, uid
), known as materialized (
    select v.*
    from unnest($1::text[]) uid
    cross join lateral (select * from pseudonymised.study_version where source_uid = uid offset 0) v
), changed as materialized (
    select archive_id, study_uid, coalesce(f.source_uid, k.source_uid) as source_uid, f.version, f.research,
        coalesce(f.research, false) or coalesce(k.research, false) as told,
        case when k.version is null then 'added' when f.version is null then 'removed' else 'updated' end as kind
    from found f full join known k using (archive_id, study_uid)
    where (f.version, f.research) is distinct from (k.version, k.research)
), kept as (
    insert into pseudonymised.study_version (study_uid, archive_id, source_uid, version, research)
    select study_uid, archive_id, source_uid, version, research from changed where version is not null
    on conflict (study_uid, archive_id) do update
        set (source_uid, version, research) = (excluded.source_uid, excluded.version, excluded.research)
), dropped as (
    delete from pseudonymised.study_version v using changed c
    where c.version is null and v.study_uid = c.study_uid and v.archive_id = c.archive_id
), written as (
    insert into pseudonymised.study_event (archive_id, study_uid, kind, research)
    select archive_id, study_uid, kind, told from changed order by study_uid, archive_id
    returning archive_id
)
select pg_notify('ernfed_events', 'pseudonyms ' || archive_id)
from (select distinct archive_id from written) archives

-- name: prune  Events older than $1 hours.
with records as (
    delete from study_event where at < now() - make_interval(hours => $1)
)
delete from pseudonymised.study_event where at < now() - make_interval(hours => $1)
