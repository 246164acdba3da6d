-- name: lacking  Series of an archive that lack whole data sets of instances, those first that were never asked for them.
-- $2: what was tried in vain is left alone for so long. asked_at: what changes after it is lacking again.
with chosen as materialized (
    select series_pk as source_pk, study_uid, series_uid from series
    where archive_id = $1 and data_sets_synced_at is null and instances_synced_at is not null
        and (data_sets_tried_at is null or data_sets_tried_at < now() - $2::interval)
    order by data_sets_tried_at nulls first, series_pk limit $3
)
select s.*, now() as asked_at,
    (select count(*) from instance i
     where i.series_uid = s.series_uid and i.archive_id = $1 and i.study_uid = s.study_uid
        and i.metadata_synced_at is null) as instances
from chosen s

-- name: still  Instances of series ($1) that are as they were at $2.
select i.study_uid, i.series_uid, i.sop_uid
from series s
cross join lateral (
    select study_uid, series_uid, sop_uid, synced_at from instance
    where series_uid = s.series_uid and archive_id = s.archive_id and study_uid = s.study_uid offset 0) i
where s.series_pk = any ($1::bigint[]) and i.synced_at <= $2

-- name: tried  These series ($1) were asked for at $2: all is there, or some is lacking still, or changed since then.
update series s
set (data_sets_synced_at, data_sets_tried_at) = (
    select case when count(*) = 0 then now() end,
        case when count(*) filter (where i.synced_at <= $2) > 0 then now() end
    from instance i
    where i.series_uid = s.series_uid and i.archive_id = s.archive_id and i.study_uid = s.study_uid
        and i.metadata_synced_at is null)
where s.series_pk = any ($1::bigint[])

-- name: given  Whether an archive gives whole data sets, as far as its probe has found out.
select coalesce(capabilities ->> 'metadata', '') not like 'no%' as given from archive where archive_id = $1

-- name: searched  Instances of each archive whose whole data sets are not in the index.
select archive_id, count(*) as instances from :schema.instance where metadata_synced_at is null group by archive_id
