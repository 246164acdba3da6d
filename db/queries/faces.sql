-- name: enqueue  Families that changed: their pseudonymised rows are made again.
insert into pseudonymised.waiting (study_uid)
select study_uid from touched
on conflict do nothing

-- name: enqueue_all  Every family of these archives: after a change of keys.
insert into pseudonymised.waiting (study_uid)
select distinct study_uid from study where archive_id = any ($1::smallint[])
on conflict do nothing

-- name: take  Some families that wait; other workers take others.
delete from pseudonymised.waiting
where study_uid in (
    select study_uid from pseudonymised.waiting order by since limit $1 for update skip locked)
returning study_uid

-- name: waiting  How many families wait.
select count(*) from pseudonymised.waiting

-- name: stale_study  Stored studies whose pseudonymised row is missing, older, or of another key.
select s.study_pk as source_pk, s.archive_id, s.study_uid, s.data::text as data, s.synced_at
from study s
left join pseudonymised.study p on p.source_pk = s.study_pk
where s.study_uid = any ($1::text[])
    and (p.synced_at, p.key_id) is distinct from (s.synced_at, ($2::jsonb ->> s.archive_id::text))

-- name: stale_series  Stored series whose pseudonymised row is missing, older, or of another key.
select s.series_pk as source_pk, s.archive_id, s.study_uid, s.data::text as data, s.synced_at
from series s
left join pseudonymised.series p on p.source_pk = s.series_pk
where s.study_uid = any ($1::text[])
    and (p.synced_at, p.key_id) is distinct from (s.synced_at, ($2::jsonb ->> s.archive_id::text))

-- name: stale_instance  Stored instances whose pseudonymised row is missing, older, or of another key.
select s.instance_pk as source_pk, s.archive_id, s.study_uid, s.data::text as data, s.synced_at
from instance s
left join pseudonymised.instance p on p.source_pk = s.instance_pk
where s.study_uid = any ($1::text[])
    and (p.synced_at, p.key_id) is distinct from (s.synced_at, ($2::jsonb ->> s.archive_id::text))

-- name: patients  Whose the stored studies are: the first row of each study of an archive tells.
select distinct on (archive_id, study_uid) archive_id, study_uid, patient_id, issuer_of_patient_id
from study where study_uid = any ($1::text[])
order by archive_id, study_uid, study_pk

-- name: follow_study  What pseudonymised studies have from their source, and the consent to research.
update pseudonymised.study p
set (modalities, number_of_series, number_of_instances, series_synced_at, research)
    = (s.modalities, s.number_of_series, s.number_of_instances, s.series_synced_at, coalesce(c.research, false))
from study s
left join consent c on c.archive_id = s.archive_id and c.study_uid = s.study_uid
where p.source_pk = s.study_pk and s.study_uid = any ($1::text[])
    and (p.modalities, p.number_of_series, p.number_of_instances, p.series_synced_at, p.research)
        is distinct from (s.modalities, s.number_of_series, s.number_of_instances, s.series_synced_at,
            coalesce(c.research, false))

-- name: follow_series  The same of series.
update pseudonymised.series p
set (number_of_instances, instances_synced_at, research)
    = (s.number_of_instances, s.instances_synced_at, coalesce(c.research, false))
from series s
left join consent c on c.archive_id = s.archive_id and c.study_uid = s.study_uid
where p.source_pk = s.series_pk and s.study_uid = any ($1::text[])
    and (p.number_of_instances, p.instances_synced_at, p.research)
        is distinct from (s.number_of_instances, s.instances_synced_at, coalesce(c.research, false))

-- name: follow_instance  The same of instances.
update pseudonymised.instance p
set (metadata_synced_at, research) = (s.metadata_synced_at, coalesce(c.research, false))
from instance s
left join consent c on c.archive_id = s.archive_id and c.study_uid = s.study_uid
where p.source_pk = s.instance_pk and s.study_uid = any ($1::text[])
    and (p.metadata_synced_at, p.research)
        is distinct from (s.metadata_synced_at, coalesce(c.research, false))

-- name: share_study  A pseudonym in more than one row is shared: within one network, by the key.
update pseudonymised.study p
set shared = true
where p.study_uid in (
        select q.study_uid from pseudonymised.study q
        join study s on s.study_pk = q.source_pk
        where s.study_uid = any ($1::text[]))
    and not p.shared
    and (select count(*) from pseudonymised.study o where o.study_uid = p.study_uid) > 1

-- name: share_series  Series of shared pseudonymised studies.
update pseudonymised.series p
set shared = true
from pseudonymised.study y
join study s on s.study_pk = y.source_pk
where s.study_uid = any ($1::text[]) and y.shared and p.study_uid = y.study_uid and not p.shared

-- name: share_instance  Instances of shared pseudonymised studies.
update pseudonymised.instance p
set shared = true
from pseudonymised.study y
join study s on s.study_pk = y.source_pk
where s.study_uid = any ($1::text[]) and y.shared and p.study_uid = y.study_uid and not p.shared
