-- name: begin  Rows are looked up by index. Shared with other makers: a change of consents waits for all of them.
select
    set_config('enable_seqscan', 'off', true),
    set_config('enable_mergejoin', 'off', true),
    set_config('enable_hashjoin', 'off', true),
    -- custom plans would also be made for each call of the functions of generated columns
    set_config('plan_cache_mode', 'auto', true),
    pg_advisory_xact_lock_shared($1)

-- name: alone  No maker of pseudonymised rows is at work until the commit.
select pg_advisory_xact_lock($1)

-- name: enqueue  Families that changed: their pseudonymised rows are made again.
-- `do update` waits for a maker that has just taken the family, and keeps the next one from it until the commit.
insert into pseudonymised.waiting (study_uid)
select study_uid from dirty order by study_uid
on conflict (study_uid) do update set rotating = false

-- name: enqueue_stale  Families of archives ($1) with rows that no maker with these keys ($2) has made.
insert into pseudonymised.waiting (study_uid, rotating)
select study_uid, true from (
    select s.study_uid from study s left join pseudonymised.study p on p.source_pk = s.study_pk
    where s.archive_id = any ($1::smallint[]) and p.key_id is distinct from ($2::jsonb ->> s.archive_id::text)
    union
    select s.study_uid from series s left join pseudonymised.series p on p.source_pk = s.series_pk
    where s.archive_id = any ($1::smallint[]) and p.key_id is distinct from ($2::jsonb ->> s.archive_id::text)
    union
    select s.study_uid from instance s left join pseudonymised.instance p on p.source_pk = s.instance_pk
    where s.archive_id = any ($1::smallint[]) and p.key_id is distinct from ($2::jsonb ->> s.archive_id::text)
    ) stale
order by study_uid
on conflict do nothing

-- name: take  Some families that wait; other workers take others. $3: also those that wait for new keys only.
-- Families in archives that this process does not know ($2: those it knows) are left to one that does.
delete from pseudonymised.waiting
where study_uid in (
    select w.study_uid from pseudonymised.waiting w
    where (not w.rotating or $3)
        and not exists (
            select from study s join archive a on a.archive_id = s.archive_id
            where s.study_uid = w.study_uid and a.enabled and s.archive_id <> all ($2::smallint[]))
    order by w.rotating, w.since, w.study_uid limit $1 for update of w skip locked)
returning study_uid

-- name: waiting  How many families wait because they changed, and how many for new keys only.
select count(*) filter (where not rotating) as changed, count(*) filter (where rotating) as rotating
from pseudonymised.waiting

-- name: keys  Rows by archive and key; no key: stored rows that have no pseudonymised one.
select a.code, a.ern, n.key_id,
    sum(n.studies)::bigint as studies, sum(n.series)::bigint as series, sum(n.instances)::bigint as instances
from (
    select s.archive_id, p.key_id, count(*) as studies, 0 as series, 0 as instances
    from study s left join pseudonymised.study p on p.source_pk = s.study_pk group by 1, 2
    union all
    select s.archive_id, p.key_id, 0, count(*), 0
    from series s left join pseudonymised.series p on p.source_pk = s.series_pk group by 1, 2
    union all
    select s.archive_id, p.key_id, 0, 0, count(*)
    from instance s left join pseudonymised.instance p on p.source_pk = s.instance_pk group by 1, 2
    ) n
join archive a on a.archive_id = n.archive_id
where a.enabled
group by a.rank, a.code, a.ern, n.key_id
order by a.rank, n.key_id nulls last

-- name: patients  Whose the stored studies are; of several rows of a study in an archive the first one comes first.
select archive_id, study_uid, patient_id, issuer_of_patient_id
from study where study_uid = any ($1::text[])
order by archive_id, study_uid, study_pk

-- name: stale_study  Stored studies after $5 whose row is missing, older, of another key or another patient.
with stale as materialized (
    select s.study_pk
    from unnest($1::smallint[], $2::text[], $3::text[], $4::text[]) t (archive_id, study_uid, key_id, made_for)
    cross join lateral (
        select study_pk, synced_at from study
        where study_uid = t.study_uid and archive_id = t.archive_id and study_pk > $5 offset 0) s
    left join lateral (
        select synced_at, key_id, made_for from pseudonymised.study
        where source_pk = s.study_pk offset 0) p on true
    where (p.synced_at, p.key_id, p.made_for) is distinct from (s.synced_at, t.key_id, t.made_for)
    order by s.study_pk limit $6
)
select s.study_pk as source_pk, s.archive_id, s.study_uid, s.data::text as data, s.synced_at
from stale join study s using (study_pk) order by s.study_pk

-- name: stale_series  The same of series.
with stale as materialized (
    select s.series_pk
    from unnest($1::smallint[], $2::text[], $3::text[], $4::text[]) t (archive_id, study_uid, key_id, made_for)
    cross join lateral (
        select series_pk, synced_at from series
        where study_uid = t.study_uid and archive_id = t.archive_id and series_pk > $5 offset 0) s
    left join lateral (
        select synced_at, key_id, made_for from pseudonymised.series
        where source_pk = s.series_pk offset 0) p on true
    where (p.synced_at, p.key_id, p.made_for) is distinct from (s.synced_at, t.key_id, t.made_for)
    order by s.series_pk limit $6
)
select s.series_pk as source_pk, s.archive_id, s.study_uid, s.data::text as data, s.synced_at,
    s.representative::text as representative, s.representative_synced_at
from stale join series s using (series_pk) order by s.series_pk

-- name: stale_instance  The same of instances.
with stale as materialized (
    select s.instance_pk
    from unnest($1::smallint[], $2::text[], $3::text[], $4::text[]) t (archive_id, study_uid, key_id, made_for)
    cross join lateral (
        select instance_pk, synced_at from instance
        where study_uid = t.study_uid and archive_id = t.archive_id and instance_pk > $5 offset 0) s
    left join lateral (
        select synced_at, key_id, made_for from pseudonymised.instance
        where source_pk = s.instance_pk offset 0) p on true
    where (p.synced_at, p.key_id, p.made_for) is distinct from (s.synced_at, t.key_id, t.made_for)
    order by s.instance_pk limit $6
)
select s.instance_pk as source_pk, s.archive_id, s.study_uid, s.data::text as data, s.synced_at
from stale join instance s using (instance_pk) order by s.instance_pk

-- name: drop_study  Rows of stored studies ($1) that cannot be made again: what was there is not true any more.
delete from pseudonymised.study where source_pk = any ($1::bigint[])

-- name: drop_series  The same of series.
delete from pseudonymised.series where source_pk = any ($1::bigint[])

-- name: drop_instance  The same of instances.
delete from pseudonymised.instance where source_pk = any ($1::bigint[])

-- name: drop_parentless  Series without a pseudonymised study in their archive, and instances without a series.
with lost as (
    delete from pseudonymised.series p using series s
    where p.source_pk = s.series_pk and s.study_uid = any ($1::text[])
        and not exists (
            select from study y join pseudonymised.study q on q.source_pk = y.study_pk
            where y.archive_id = s.archive_id and y.study_uid = s.study_uid)
    returning p.source_pk
)
delete from pseudonymised.instance p using instance s
where p.source_pk = s.instance_pk and s.study_uid = any ($1::text[])
    and not exists (
        select from series y join pseudonymised.series q on q.source_pk = y.series_pk
        where y.archive_id = s.archive_id and y.series_uid = s.series_uid and y.study_uid = s.study_uid
            and y.series_pk not in (select source_pk from lost))

-- name: follow_study  What pseudonymised studies have from their source, and the consent to research.
-- Of modalities only what is a code: the same rule as access/kept_values.py, code_strings.
update pseudonymised.study p
set (modalities, number_of_series, number_of_instances, series_synced_at, research)
    = (m.codes, s.number_of_series, s.number_of_instances, s.series_synced_at, coalesce(c.research, false))
from study s
left join consent c on c.archive_id = s.archive_id and c.study_uid = s.study_uid
cross join lateral (
    select array(
        select code from unnest(s.modalities) code
        where length(code) <= 16 and code !~ '[0-9]{5}' and code ~ '^[A-Za-z0-9 _]+([-/+][A-Za-z _]+)*$'
        order by code) as codes) m
where p.source_pk = s.study_pk and s.study_uid = any ($1::text[])
    and (p.modalities, p.number_of_series, p.number_of_instances, p.series_synced_at, p.research)
        is distinct from (m.codes, s.number_of_series, s.number_of_instances, s.series_synced_at,
            coalesce(c.research, false))

-- name: follow_series  The same of series.
update pseudonymised.series p
set (number_of_instances, instances_synced_at, research, body_part_code, modality_code, laterality_code)
    = (s.number_of_instances, s.instances_synced_at, coalesce(c.research, false),
        s.body_part_code, s.modality_code, s.laterality_code)
from series s
left join consent c on c.archive_id = s.archive_id and c.study_uid = s.study_uid
where p.source_pk = s.series_pk and s.study_uid = any ($1::text[])
    and (p.number_of_instances, p.instances_synced_at, p.research,
            p.body_part_code, p.modality_code, p.laterality_code)
        is distinct from (s.number_of_instances, s.instances_synced_at, coalesce(c.research, false),
            s.body_part_code, s.modality_code, s.laterality_code)

-- name: follow_instance  The same of instances.
update pseudonymised.instance p
set (metadata_synced_at, research) = (s.metadata_synced_at, coalesce(c.research, false))
from instance s
left join consent c on c.archive_id = s.archive_id and c.study_uid = s.study_uid
where p.source_pk = s.instance_pk and s.study_uid = any ($1::text[])
    and (p.metadata_synced_at, p.research)
        is distinct from (s.metadata_synced_at, coalesce(c.research, false))

-- name: share  A pseudonymised study is shared when its pseudonym stands in more than one row.
-- Pseudonyms are of one network and key, so nothing links two networks here. `offset 0`: row by row, as in derive.sql.
with mine as materialized (
    select distinct p.study_uid
    from unnest($1::text[]) uid
    cross join lateral (select study_pk from study where study_uid = uid offset 0) s
    cross join lateral (select study_uid from pseudonymised.study where source_pk = s.study_pk offset 0) p
), decided as materialized (
    select m.study_uid, (select count(*) from pseudonymised.study y where y.study_uid = m.study_uid) > 1 as shared
    from mine m
), studies as (
    update pseudonymised.study p set shared = d.shared
    from decided d where p.study_uid = d.study_uid and p.shared <> d.shared
), serieses as (
    update pseudonymised.series p set shared = d.shared
    from decided d where p.study_uid = d.study_uid and p.shared <> d.shared
)
update pseudonymised.instance p set shared = d.shared
from decided d where p.study_uid = d.study_uid and p.shared <> d.shared

-- name: link_values  The values of these families, as link_values of derive.sql.
with copies as materialized (
    select p.*
    from (
        select distinct p.study_uid
        from unnest($1::text[]) uid
        cross join lateral (select study_pk from study where study_uid = uid offset 0) s
        cross join lateral (select study_uid from pseudonymised.study where source_pk = s.study_pk offset 0) p) f
    cross join lateral (
        select study_pk, archive_id, study_uid, study_date, shared from pseudonymised.study
        where study_uid = f.study_uid offset 0) p
), wanted as materialized (
    select c.study_pk, v.archive_id, v.name, v.value, c.study_date, c.study_uid, c.shared
    from copies c cross join lateral pseudonymised.study_values(c.study_uid, c.archive_id, c.shared) v
), there as materialized (
    select v.*
    from copies c
    cross join lateral (select * from pseudonymised.study_value where study_pk = c.study_pk offset 0) v
), gone as (
    delete from pseudonymised.study_value
    where ctid = any (array(
        select v.ctid
        from (select * from there except select * from wanted) w
        cross join lateral (
            select ctid from pseudonymised.study_value
            where study_pk = w.study_pk and name = w.name and value = w.value and archive_id = w.archive_id
                and study_date is not distinct from w.study_date and study_uid = w.study_uid
                and shared = w.shared offset 0) v))
)
insert into pseudonymised.study_value select * from wanted except select * from there

-- name: real_study  The stored UID behind a pseudonym of a study.
select distinct s.study_uid from pseudonymised.study p join study s on s.study_pk = p.source_pk
where p.study_uid = $1

-- name: at_work  Whether other workers hold families that changed: they are on the list until these commit.
select exists (
    select from pseudonymised.waiting w
    where not w.rotating
        and not exists (
            select from study s join archive a on a.archive_id = s.archive_id
            where s.study_uid = w.study_uid and a.enabled and s.archive_id <> all ($1::smallint[])))
