-- Rows are looked up one by one and by index, `offset 0` as in derive.sql: what the planner believes of tables that
-- grow while we write is out of date, and a join the other way round reads a whole archive for each batch.

-- name: begin  Planner settings of a writing transaction, and the one lock that every writer holds.
select
    -- staging tables have no statistics and the index grows while we write: row by row, by index
    set_config('enable_seqscan', 'off', true),
    set_config('enable_mergejoin', 'off', true),
    set_config('enable_hashjoin', 'off', true),
    -- custom plans would also be made for each call of the functions of generated columns
    set_config('plan_cache_mode', 'auto', true),
    pg_advisory_xact_lock($1)

-- name: staging  Room for a batch: one table a level, and the families to derive; emptied at commit.
set local client_min_messages = warning;
create temp table if not exists staged_study on commit delete rows as
    select 0 as position, :study_staged, data from study with no data;
create temp table if not exists staged_series on commit delete rows as
    select 0 as position, study_uid, :series_staged, data from series with no data;
create temp table if not exists staged_instance on commit delete rows as
    select 0 as position, study_uid, series_uid, :instance_staged, data from instance with no data;
create temp table if not exists dirty (
    study_uid text collate "C" primary key, shared boolean not null default false) on commit delete rows;
create temp table if not exists stamped (
    archive_id smallint, study_uid text collate "C", primary key (archive_id, study_uid)) on commit delete rows;
create temp table if not exists parentless (
    archive_id smallint, study_uid text collate "C", primary key (archive_id, study_uid)) on commit delete rows;

-- name: clear_study  Empties the staging table of studies.
delete from staged_study

-- name: clear_series  Empties the staging table of series.
delete from staged_series

-- name: clear_instance  Empties the staging table of instances.
delete from staged_instance

-- name: upsert_study  Staged studies that differ from the index, and their families to derive; the count of them.
with cut as (
    select position, data, :study_cut from staged_study
), keyed as (
    select *, coalesce(patient_id, '') || '\' || coalesce(issuer_of_patient_id, '') as patient_key from cut
), latest as (
    select distinct on (study_uid, patient_key) * from keyed order by study_uid, patient_key, position desc
), written as (
    insert into study (
        archive_id, :study_columns, data, modalities, number_of_series, number_of_instances, search, series_synced_at)
    select $1, :study_l, l.data, f.modalities, f.number_of_series, f.number_of_instances, f.search,
        case when p.study_uid is not null then now() end
    from latest l
    left join lateral (
        select study_uid from stamped where archive_id = $1 and study_uid = l.study_uid offset 0) p on true
    cross join lateral study_facts($1, l.study_uid, l.data, l.study_description, p.study_uid is not null) f
    where not exists (
        select from (
            select * from study
            where archive_id = $1 and study_uid = l.study_uid and patient_key = l.patient_key offset 0) t
        where (t.data, :study_t) is not distinct from (l.data, :study_l))
    order by l.study_uid, l.patient_key
    on conflict (archive_id, study_uid, patient_key) do update
        set (:study_columns, data, modalities, number_of_series, number_of_instances, search, synced_at,
                series_synced_at)
            = (:study_excluded, excluded.data, excluded.modalities, excluded.number_of_series,
                excluded.number_of_instances, excluded.search, now(),
                coalesce(excluded.series_synced_at, study.series_synced_at))
    returning study_uid
), marked as (
    insert into dirty (study_uid) select distinct study_uid from written on conflict do nothing
)
select count(*) from written

-- name: upsert_series  Staged series that differ from the index; the count of them.
with cut as (
    select position, data, study_uid, :series_cut from staged_series
), latest as (
    select distinct on (series_uid, study_uid) * from cut order by series_uid, study_uid, position desc
), written as (
    insert into series (archive_id, study_uid, :series_columns, data, number_of_instances)
    select $1, study_uid, :series_columns, data, number_of_instances from latest l
    where not exists (
        select from (
            select * from series
            where archive_id = $1 and series_uid = l.series_uid and study_uid = l.study_uid offset 0) t
        where (t.data, :series_t) is not distinct from (l.data, :series_l))
    order by series_uid, study_uid
    on conflict (archive_id, series_uid, study_uid) do update
        set (:series_columns, data, number_of_instances, synced_at)
            = (:series_excluded, excluded.data, excluded.number_of_instances, now())
    returning study_uid
), families as (
    select distinct study_uid from written
), marked as (
    insert into dirty (study_uid) select study_uid from families on conflict do nothing
), unparented as (
    insert into parentless (archive_id, study_uid)
    select $1, f.study_uid from families f
    where not exists (
        select from (select from study where archive_id = $1 and study_uid = f.study_uid offset 0) s)
    on conflict do nothing
)
select count(*) from written

-- name: upsert_instance  Staged instances of known series that differ from the index; the count of them.
-- A search answer that says nothing new leaves a full data set as it is.
with cut as (
    select position, data, study_uid, series_uid, :instance_cut from staged_instance
), latest as (
    select distinct on (sop_uid, series_uid, study_uid) * from cut
    order by sop_uid, series_uid, study_uid, position desc
), written as (
    insert into instance (archive_id, study_uid, series_uid, :instance_columns, data)
    select $1, study_uid, series_uid, :instance_columns, data from latest l
    where exists (
            select from (
                select from series
                where archive_id = $1 and series_uid = l.series_uid and study_uid = l.study_uid offset 0) s)
        and not exists (
            select from (
                select * from instance
                where archive_id = $1 and sop_uid = l.sop_uid and series_uid = l.series_uid
                    and study_uid = l.study_uid offset 0) t
            where (t.data, :instance_t) is not distinct from (l.data, :instance_l)
                or t.metadata_synced_at is not null and t.data @> l.data)
    order by sop_uid, series_uid, study_uid
    on conflict (archive_id, sop_uid, series_uid, study_uid) do update
        set (:instance_columns, data, synced_at, metadata_synced_at)
            = (:instance_excluded, excluded.data, now(), null)
    returning study_uid, series_uid
), without_data_sets as (
    update series set (data_sets_synced_at, data_sets_tried_at) = (null, null)
    where series_pk = any (array(
        select t.series_pk
        from (select distinct study_uid, series_uid from written) w
        cross join lateral (
            select series_pk from series
            where archive_id = $1 and series_uid = w.series_uid and study_uid = w.study_uid
                and (data_sets_synced_at is not null or data_sets_tried_at is not null) offset 0) t))
), marked as (
    insert into dirty (study_uid) select distinct study_uid from written on conflict do nothing
)
select count(*) from written

-- name: upsert_full_instance  Staged full data sets (WADO-RS metadata) of known series; the count of them.
-- What only a search answers (availability, transfer syntaxes) is kept; one that says nothing new changes nothing.
with cut as (
    select position, data, study_uid, series_uid, :instance_cut from staged_instance
), latest as (
    select distinct on (sop_uid, series_uid, study_uid) * from cut
    order by sop_uid, series_uid, study_uid, position desc
), written as (
    insert into instance as t (archive_id, study_uid, series_uid, :instance_columns, data, metadata_synced_at)
    select $1, study_uid, series_uid, :instance_columns, data, now() from latest l
    where exists (
        select from series s
        where s.archive_id = $1 and s.series_uid = l.series_uid and s.study_uid = l.study_uid)
    order by sop_uid, series_uid, study_uid
    on conflict (archive_id, sop_uid, series_uid, study_uid) do update
        set (:instance_columns, data, synced_at, metadata_synced_at)
            = (:instance_merged, t.data || excluded.data,
                case when t.data || excluded.data = t.data then t.synced_at else now() end, now())
    returning study_uid
), marked as (
    insert into dirty (study_uid) select distinct study_uid from written on conflict do nothing
)
select count(*) from written

-- name: drop_unanswered_studies  Rows of completely answered studies ($2) that the batch does not hold.
with cut as (
    select :study_cut from staged_study
), gone as (
    delete from study
    where study_pk = any (array(
        select t.study_pk
        from unnest($2::text[]) uid
        cross join lateral (
            select study_pk, study_uid, patient_key from study
            where archive_id = $1 and study_uid = uid offset 0) t
        where (t.study_uid, t.patient_key) not in (
            select study_uid, coalesce(patient_id, '') || '\' || coalesce(issuer_of_patient_id, '') from cut)))
    returning study_uid
), marked as (
    insert into dirty (study_uid) select distinct study_uid from gone on conflict do nothing
)
select distinct study_uid from gone

-- name: drop_unanswered_series  Series of completely answered studies ($2) that the batch does not hold.
with gone as (
    delete from series
    where series_pk = any (array(
        select t.series_pk
        from unnest($2::text[]) uid
        cross join lateral (
            select series_pk, study_uid, series_uid from series
            where study_uid = uid and archive_id = $1 offset 0) t
        where (t.study_uid, t.series_uid) not in (select study_uid, series_uid from staged_series)))
    returning study_uid, series_uid
), lost as (
    delete from instance
    where instance_pk = any (array(
        select i.instance_pk
        from gone g
        cross join lateral (
            select instance_pk from instance
            where study_uid = g.study_uid and series_uid = g.series_uid and archive_id = $1 offset 0) i))
), marked as (
    insert into dirty (study_uid) select distinct study_uid from gone on conflict do nothing
)
select count(*) from gone

-- name: drop_unanswered_instances  Instances of completely answered series ($3 of studies $2) that the batch lacks.
with gone as (
    delete from instance
    where instance_pk = any (array(
        select t.instance_pk
        from unnest($2::text[], $3::text[]) w (study_uid, series_uid)
        cross join lateral (
            select instance_pk, study_uid, series_uid, sop_uid from instance
            where study_uid = w.study_uid and series_uid = w.series_uid and archive_id = $1 offset 0) t
        where (t.study_uid, t.series_uid, t.sop_uid) not in (
            select study_uid, series_uid, sop_uid from staged_instance)))
    returning study_uid
), marked as (
    insert into dirty (study_uid) select distinct study_uid from gone on conflict do nothing
)
select count(*) from gone

-- name: stamp_series  These studies' series are indexed as of now; a younger stamp than $3 stays.
-- Studies that are stored after their series find it in `stamped`.
with dated as (
    update study set series_synced_at = now()
    where archive_id = $1 and study_uid = any ($2::text[])
        and (series_synced_at is null or series_synced_at <= now() - $3::interval)
    returning study_uid
), kept as (
    insert into stamped (archive_id, study_uid) select distinct $1, uid from unnest($2::text[]) uid
    on conflict do nothing
)
insert into dirty (study_uid) select distinct study_uid from dated on conflict do nothing

-- name: stamp_instances  Instances of these series ($3 of studies $2) are indexed as of now; younger stamps than $4 stay.
with dated as (
    update series set instances_synced_at = now()
    where series_pk = any (array(
        select s.series_pk
        from unnest($2::text[], $3::text[]) w (study_uid, series_uid)
        cross join lateral (
            select series_pk from series
            where archive_id = $1 and series_uid = w.series_uid and study_uid = w.study_uid
                and (instances_synced_at is null or instances_synced_at <= now() - $4::interval) offset 0) s))
    returning study_uid
)
insert into dirty (study_uid) select distinct study_uid from dated on conflict do nothing

-- name: delete_studies  All copies of these studies ($2) in one archive; the UIDs that were there.
with gone as (
    delete from study where archive_id = $1 and study_uid = any ($2::text[]) returning study_uid
), marked as (
    insert into dirty (study_uid) select distinct study_uid from gone on conflict do nothing
)
select distinct study_uid from gone

-- name: delete_children  Series and instances of those studies ($2) that have no row left in the archive.
with orphaned as (
    select uid from unnest($2::text[]) uid
    where not exists (select from (select from study where archive_id = $1 and study_uid = uid offset 0) s)
), gone as (
    delete from series
    where series_pk = any (array(
        select t.series_pk
        from orphaned o
        cross join lateral (
            select series_pk from series where study_uid = o.uid and archive_id = $1 offset 0) t))
), lost as (
    delete from instance
    where instance_pk = any (array(
        select t.instance_pk
        from orphaned o
        cross join lateral (
            select instance_pk from instance where study_uid = o.uid and archive_id = $1 offset 0) t))
), marked as (
    insert into dirty (study_uid) select distinct uid from orphaned on conflict do nothing
)
select uid from orphaned
