-- Rollups: what statistics without a filter, or with one on few attributes, are answered from. Exact: every
-- transaction that writes the index keeps them (db/queries/rollups.sql). Of unshared families only, where a
-- row is the node and counts add up; the others are counted when somebody asks. docs/decisions/0011-rollups.md

-- Completed years on the day of the study, in bands; null before the birth and where nobody lives that long.
-- The bands are those of access/ages.py.
create function age_band(study_date date, patient_birth_date date) returns text
    language sql immutable parallel safe
    return case
        when study_date < patient_birth_date or extract(year from age(study_date::timestamp, patient_birth_date::timestamp)) > 130 then null
        when extract(year from age(study_date::timestamp, patient_birth_date::timestamp)) >= 90 then '90+'
        else (extract(year from age(study_date::timestamp, patient_birth_date::timestamp))::integer / 5 * 5)::text || '-'
            || (extract(year from age(study_date::timestamp, patient_birth_date::timestamp))::integer / 5 * 5 + 4)::text end;

-- Series of a study that say the same, and how many they are; instances by their class.
create type series_group as (
    modality text, body_part_examined text, manufacturer text, series_description text, series integer, instances integer);
create type instance_group as (sop_class_uid text, instances integer);

-- What each unshared study adds: the image that the next change of it is subtracted by.
create table study_fact (
    study_uid text collate "C" primary key,
    archive_id smallint not null references archive on delete cascade,
    -- the patient, or the study where it has no PatientID
    person text collate "C" not null,
    study_date date,
    patient_birth_date date,
    patient_sex text collate "C",
    study_description text,
    modalities text[] not null,
    -- distinct values of its series and instances; empty where none has one
    body_parts text[] not null,
    manufacturers text[] not null,
    series_descriptions text[] not null,
    sop_classes text[] not null,
    -- as the study row tells them
    number_of_series integer not null,
    number_of_instances integer not null,
    series_groups series_group[] not null,
    instance_groups instance_group[] not null,
    -- rows in the index
    series_rows integer not null,
    instance_rows integer not null
);
create index study_fact_archive on study_fact (archive_id);

-- The same from the index itself: what study_fact must say.
create view fact_now as
select s.study_uid, s.archive_id,
    case when s.patient_id is null then '\\' || s.study_uid else s.patient_key end as person,
    s.study_date, s.patient_birth_date, s.patient_sex, s.study_description, s.modalities,
    coalesce(x.body_parts, '{}') as body_parts, coalesce(x.manufacturers, '{}') as manufacturers,
    coalesce(x.series_descriptions, '{}') as series_descriptions, coalesce(i.sop_classes, '{}') as sop_classes,
    coalesce(s.number_of_series, 0) as number_of_series,
    coalesce(s.number_of_instances, 0) as number_of_instances, coalesce(x.groups, '{}') as series_groups,
    coalesce(i.groups, '{}') as instance_groups, coalesce(x.series_rows, 0) as series_rows,
    coalesce(i.instance_rows, 0) as instance_rows
from study s
cross join lateral (
    select array_agg(distinct g.body_part_examined) filter (where g.body_part_examined is not null) as body_parts,
        array_agg(distinct g.manufacturer) filter (where g.manufacturer is not null) as manufacturers,
        array_agg(distinct g.series_description) filter (where g.series_description is not null) as series_descriptions,
        array_agg(
            row(g.modality, g.body_part_examined, g.manufacturer, g.series_description, g.series, g.instances)::series_group
            order by g.modality, g.body_part_examined, g.manufacturer, g.series_description) as groups,
        sum(g.series)::integer as series_rows
    from (
        select modality, body_part_examined, manufacturer, series_description, count(*)::integer as series,
            least(coalesce(sum(number_of_instances), 0), 2147483647)::integer as instances
        from series where study_uid = s.study_uid and archive_id = s.archive_id
        group by modality, body_part_examined, manufacturer, series_description) g) x
cross join lateral (
    select array_agg(g.sop_class_uid order by g.sop_class_uid) filter (where g.sop_class_uid is not null) as sop_classes,
        array_agg(row(g.sop_class_uid, g.instances)::instance_group order by g.sop_class_uid) as groups,
        sum(g.instances)::integer as instance_rows
    from (
        select sop_class_uid, count(*)::integer as instances
        from instance where study_uid = s.study_uid and archive_id = s.archive_id group by sop_class_uid) g) i
where not s.shared;

-- Sums of facts, by archive and some dimensions: `kind` says which (db/rollups.py); the others are null. In
-- kinds by year or month, dates are first days. Its size follows the variety of the values, not the studies.
create table rollup_cell (
    archive_id smallint not null references archive on delete cascade,
    kind smallint not null,
    -- hash of the dimensions, which may be too long for an index
    cell uuid not null,
    study_date date,
    patient_birth_date date,
    patient_sex text collate "C",
    age_band text collate "C",
    study_description text,
    series_description text,
    modalities text[],
    body_parts text[],
    manufacturers text[],
    sop_classes text[],
    -- what is counted: studies, of kinds from 20 on series, from 30 on instances
    nodes bigint not null,
    number_of_series bigint not null,
    number_of_instances bigint not null,
    -- of kind 0 only
    series_rows bigint not null,
    instance_rows bigint not null,
    primary key (kind, archive_id, cell)
);
create index rollup_cell_archive on rollup_cell (archive_id);

-- The cells that a fact is added to, and what it adds.
create function cells_of(f study_fact) returns table (
    kind smallint, study_date date, patient_birth_date date, patient_sex text, age_band text,
    study_description text, series_description text, modalities text[], body_parts text[], manufacturers text[],
    sop_classes text[], nodes integer, number_of_series integer, number_of_instances integer, series_rows integer,
    instance_rows integer)
    language sql immutable parallel safe
begin atomic
    select 0::smallint, null::date, null::date, null::text, null::text, null::text, null::text, null::text[],
        null::text[], null::text[], null::text[], 1, f.number_of_series, f.number_of_instances, f.series_rows,
        f.instance_rows
    union all
    select 1, date_trunc('year', f.study_date::timestamp)::date, null, f.patient_sex, null, null, null,
        f.modalities, f.body_parts, null, null, 1, f.number_of_series, f.number_of_instances, 0, 0
    union all
    select 2, null, null, null, null, null, null, f.modalities, f.body_parts, f.manufacturers, null, 1,
        f.number_of_series, f.number_of_instances, 0, 0
    union all
    select 3, null, null, f.patient_sex, age_band(f.study_date, f.patient_birth_date), null, null, f.modalities,
        null, null, null, 1, f.number_of_series, f.number_of_instances, 0, 0
    union all
    select 4, date_trunc('month', f.study_date::timestamp)::date, null, f.patient_sex, null, null, null,
        f.modalities, null, null, null, 1, f.number_of_series, f.number_of_instances, 0, 0
    union all
    select 5, null, null, null, null, null, null, null, null, null, f.sop_classes, 1, f.number_of_series,
        f.number_of_instances, 0, 0
    union all
    select 6, null, null, null, null, f.study_description, null, null, null, null, null, 1, f.number_of_series,
        f.number_of_instances, 0, 0
    union all
    select 7, f.study_date, null, null, null, null, null, null, null, null, null, 1, f.number_of_series,
        f.number_of_instances, 0, 0
    union all
    select 8, null, f.patient_birth_date, null, null, null, null, null, null, null, null, 1, f.number_of_series,
        f.number_of_instances, 0, 0
    union all
    select 9, null, null, null, null, null, d, null, null, null, null, 1, f.number_of_series, f.number_of_instances,
        0, 0
    from unnest(case when f.series_descriptions = '{}' then array[null]::text[] else f.series_descriptions end) d
    union all
    select 20, null, null, null, null, null, null, array_remove(array[g.modality], null),
        array_remove(array[g.body_part_examined], null), array_remove(array[g.manufacturer], null), null, g.series,
        g.series, g.instances, 0, 0
    from unnest(f.series_groups) g
    union all
    select 21, null, null, null, null, null, g.series_description, array_remove(array[g.modality], null), null,
        null, null, g.series, g.series, g.instances, 0, 0
    from unnest(f.series_groups) g
    union all
    select 22, date_trunc('year', f.study_date::timestamp)::date, null, f.patient_sex, age_band(f.study_date,
        f.patient_birth_date), null, null, array_remove(array[g.modality], null), null, null, null, g.series,
        g.series, g.instances, 0, 0
    from unnest(f.series_groups) g
    union all
    select 30, null, null, null, null, null, null, null, null, null, array_remove(array[g.sop_class_uid], null),
        g.instances, 0, g.instances, 0, 0
    from unnest(f.instance_groups) g;
end;

-- Unshared studies of each person in each archive, and how many persons are in each set of archives: persons of
-- any choice of archives are those of the sets that it meets.
create table rollup_person (
    person text collate "C" not null,
    archive_id smallint not null references archive on delete cascade,
    studies integer not null,
    primary key (person, archive_id)
);
create index rollup_person_archive on rollup_person (archive_id);

create table rollup_person_set (
    archives smallint[] primary key,
    persons bigint not null
);

-- An archive's rows go with it; sets of archives are no references, so they are counted again.
create function count_person_sets() returns trigger language plpgsql as $$
begin
    delete from rollup_person_set;
    insert into rollup_person_set (archives, persons)
    select archives, count(*)
    from (select array_agg(archive_id order by archive_id) as archives from rollup_person group by person) p
    group by archives;
    return null;
end
$$;
create trigger rollup_person_sets after delete on archive
    for each statement execute function count_person_sets();

-- ---- what stands in an index from before -----------------------------------------------------------------

create procedure fill_rollups() language sql
begin atomic
    delete from study_fact;
    delete from rollup_cell;
    delete from rollup_person;
    delete from rollup_person_set;
    insert into study_fact select * from fact_now;
    insert into rollup_cell
    select f.archive_id, c.kind,
        md5(jsonb_build_array(c.study_date, c.patient_birth_date, c.patient_sex, c.age_band, c.study_description,
            c.series_description, c.modalities, c.body_parts, c.manufacturers, c.sop_classes)::text)::uuid,
        c.study_date, c.patient_birth_date, c.patient_sex, c.age_band, c.study_description, c.series_description,
        c.modalities, c.body_parts, c.manufacturers, c.sop_classes, sum(c.nodes), sum(c.number_of_series),
        sum(c.number_of_instances), sum(c.series_rows), sum(c.instance_rows)
    from study_fact f cross join lateral cells_of(f) c
    group by 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13;
    insert into rollup_person select person, archive_id, count(*) from study_fact group by person, archive_id;
    insert into rollup_person_set (archives, persons)
    select archives, count(*)
    from (select array_agg(archive_id order by archive_id) as archives from rollup_person group by person) p
    group by archives;
end;
call fill_rollups();

-- ---- the wall: exact numbers are for those who may read the records --------------------------------------

create view counts.rollup_cell as
    select * from public.rollup_cell where archive_id = any ((select scope_of('full'))::smallint[]);

-- Of a set, the archives that the viewer may read.
create view counts.rollup_person_set as
    select array(select a from unnest(archives) a where a = any ((select scope_of('full'))::smallint[])) as archives,
        persons
    from public.rollup_person_set
    where archives && (select scope_of('full'))::smallint[];

grant select on counts.rollup_cell, counts.rollup_person_set to ernfed_api;
