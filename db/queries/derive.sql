-- `dirty` drives every statement, row by row: `offset 0` keeps the planner, which knows nothing of the
-- new rows, from walking a whole table instead.

-- name: touch  More families to derive.
insert into dirty (study_uid) select distinct uid from unnest($1::text[]) uid on conflict do nothing

-- name: drop_parentless  Series that were stored without a study of theirs in the archive, and what is in them.
with orphaned as materialized (
    select s.series_pk, s.archive_id, s.study_uid, s.series_uid
    from parentless p
    cross join lateral (
        select * from series where archive_id = p.archive_id and study_uid = p.study_uid offset 0) s
    where not exists (
        select from (
            select from study where archive_id = p.archive_id and study_uid = p.study_uid offset 0) y)
), lost as (
    delete from instance
    where instance_pk = any (array(
        select i.instance_pk
        from orphaned o
        cross join lateral (
            select instance_pk from instance
            where series_uid = o.series_uid and archive_id = o.archive_id and study_uid = o.study_uid
            offset 0) i))
)
delete from series where series_pk = any (array(select series_pk from orphaned))

-- name: decide_shared  A family is shared when its study is in more than one row.
update dirty t set shared = true where (select count(*) from study s where s.study_uid = t.study_uid) > 1

-- name: derive_instances  The flag of the families' instances.
with changed as materialized (
    select i.instance_pk, t.shared
    from dirty t
    cross join lateral (
        select instance_pk from instance
        where study_uid = t.study_uid and shared <> t.shared offset 0) i
)
update instance i set shared = c.shared from changed c where i.instance_pk = c.instance_pk

-- name: derive_series  The flag of the families' series, and their counts where instances are indexed.
with changed as materialized (
    select s.series_pk, t.shared, n.number_of_instances
    from dirty t
    cross join lateral (select * from series where study_uid = t.study_uid offset 0) s
    cross join lateral (
        select case
            when s.instances_synced_at is null then s.number_of_instances
            else (
                select count(*)::integer from instance i
                where i.study_uid = s.study_uid and i.series_uid = s.series_uid and i.archive_id = s.archive_id)
            end as number_of_instances
        offset 0) n
    where (s.shared, s.number_of_instances) is distinct from (t.shared, n.number_of_instances)
)
update series s set (shared, number_of_instances) = (c.shared, c.number_of_instances)
from changed c where s.series_pk = c.series_pk

-- name: derive_studies  What a study row knows from its series, and the flag.
with changed as materialized (
    select s.study_pk, t.shared, f.*
    from dirty t
    cross join lateral (select * from study where study_uid = t.study_uid offset 0) s
    cross join lateral study_facts(
        s.archive_id, s.study_uid, s.data, s.study_description, s.series_synced_at is not null) f
    where (s.shared, s.modalities, s.number_of_series, s.number_of_instances, s.search)
        is distinct from (t.shared, f.modalities, f.number_of_series, f.number_of_instances, f.search)
)
update study s
set (shared, modalities, number_of_series, number_of_instances, search)
    = (c.shared, c.modalities, c.number_of_series, c.number_of_instances, c.search)
from changed c where s.study_pk = c.study_pk

-- name: link_values  What the series of each copy say, in page order; rows that say it no longer go.
with wanted as materialized (
    select s.study_pk, v.archive_id, v.name, v.value, s.study_date, s.study_uid, s.shared
    from dirty t
    cross join lateral (
        select study_pk, archive_id, study_date, study_uid, shared from study
        where study_uid = t.study_uid offset 0) s
    cross join lateral study_values(s.study_uid, s.archive_id, s.shared) v
), there as materialized (
    select v.*
    from dirty t
    cross join lateral (select study_pk from study where study_uid = t.study_uid offset 0) s
    cross join lateral (select * from study_value where study_pk = s.study_pk offset 0) v
), gone as (
    delete from study_value
    where ctid = any (array(
        select v.ctid
        from (select * from there except select * from wanted) w
        cross join lateral (
            select ctid from study_value
            where study_pk = w.study_pk and name = w.name and value = w.value and archive_id = w.archive_id
                and study_date is not distinct from w.study_date and shared = w.shared offset 0) v))
)
insert into study_value select * from wanted except select * from there

-- name: settled  Nothing is left to derive.
delete from dirty
