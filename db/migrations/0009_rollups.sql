-- Rollups: what statistics without a filter, or with one on few attributes, are answered from. Exact: every
-- transaction that writes the index keeps them (db/queries/rollups.sql). What a study is that several archives
-- hold depends on those that are asked, so it is counted once for each choice of them: a *holding*.
-- docs/decisions/0011-rollups.md

-- Completed years on the day of the study, in bands; null before the birth and where nobody lives that long.
-- The bands are those of access/ages.py.
create function age_band(study_date date, patient_birth_date date) returns text
    language sql immutable parallel safe
    return case
        when study_date < patient_birth_date or extract(year from age(study_date::timestamp, patient_birth_date::timestamp)) > 130 then null
        when extract(year from age(study_date::timestamp, patient_birth_date::timestamp)) >= 90 then '90+'
        else (extract(year from age(study_date::timestamp, patient_birth_date::timestamp))::integer / 5 * 5)::text || '-'
            || (extract(year from age(study_date::timestamp, patient_birth_date::timestamp))::integer / 5 * 5 + 4)::text end;

-- ---- holdings ------------------------------------------------------------------------------------------

-- A family as it is seen by who asks `seen` and not `elsewhere` of the archives that hold it. `seen` is in rank
-- order: its first archive gives the attributes.
create table rollup_holding (
    holding_id integer generated always as identity primary key,
    seen smallint[] not null,
    elsewhere smallint[] not null,
    unique (seen, elsewhere)
);

-- Every choice of some of these, in their order.
create function subsets(ids smallint[]) returns setof smallint[]
    language sql immutable strict parallel safe
begin atomic
    select array_agg(ids[n + 1] order by n)
    from generate_series(1, (1 << cardinality(ids)) - 1) chosen (bits)
    cross join generate_series(0, cardinality(ids) - 1) n
    where chosen.bits >> n & 1 = 1
    group by chosen.bits;
end;

create function holding_of(chosen smallint[], holders smallint[]) returns smallint[]
    language sql immutable strict parallel safe
    return (select coalesce(array_agg(id order by id), '{}') from unnest(holders) id where id <> all (chosen));

-- The archives of a shared family in rank order. Null where it is looked at one by one: more than three archives,
-- since the choices are 2 to their power; two rows in one.
create function counted_holders(family text) returns smallint[]
    language sql stable strict parallel safe
begin atomic
    select case
        when count(*) <> count(distinct s.archive_id) or count(*) not between 1 and 3 then null
        else array_agg(s.archive_id order by a.rank, s.archive_id) end
    from study s join archive a using (archive_id)
    where s.study_uid = family;
end;

-- Unshared families have the holding of their archive.
create function hold_archives() returns trigger language plpgsql as $$
begin
    insert into rollup_holding (seen, elsewhere) select array[archive_id], '{}' from come
    on conflict do nothing;
    return null;
end
$$;
create trigger rollup_holding_of after insert on archive referencing new table as come
    for each statement execute function hold_archives();

-- ---- facts ---------------------------------------------------------------------------------------------

-- Series of a study that say the same, and how many they are; instances by their class. held: their archives in
-- rank order where not all that are seen have them; then the study's attributes are those of the first of these.
create type series_group as (
    modality text, body_part_examined text, manufacturer text, series_description text, series integer,
    instances integer, held smallint[], study_date date, patient_birth_date date, patient_sex text);
create type instance_group as (sop_class_uid text, instances integer, held smallint[]);

-- What each family adds, by holding: the image that the next change of it is subtracted by.
create table study_fact (
    study_uid text collate "C" not null,
    holding_id integer not null,
    shared boolean not null,
    -- a shared family that is in no cell: it is looked at when somebody asks
    apart boolean not null,
    -- copies that are seen say different things: of some it may be that a filter holds, of others not
    mixed boolean not null,
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
    -- as the study row tells them; of a shared family those of the union
    number_of_series integer not null,
    number_of_instances integer not null,
    series_groups series_group[] not null,
    instance_groups instance_group[] not null,
    -- rows in the index
    series_rows integer not null,
    instance_rows integer not null,
    primary key (study_uid, holding_id)
);
-- Families of the asked holdings (counts.rollup_family): all shared ones, and those that are in no cell, which are
-- looked at one by one (db/statistics/rolled_up.py).
create index study_fact_shared on study_fact (holding_id, study_uid) where shared;
create index study_fact_looked_at on study_fact (holding_id, study_uid) where apart or mixed;

create function shared_facts(family text) returns setof study_fact
    language sql stable strict parallel safe rows 3
begin atomic
    with known as materialized (
        select counted_holders(family) as holders
    ), held as materialized (
        select * from study where study_uid = family
    ), chosen as materialized (
        select h.holding_id, h.seen
        from known k
        cross join lateral subsets(k.holders) t (seen)
        join rollup_holding h on h.seen = t.seen and h.elsewhere = holding_of(t.seen, k.holders)
    )
    select family, t.holding_id, true, false, u.differ or x.differ or o.differ,
        case when b.patient_id is null then '\\' || family else b.patient_key end,
        b.study_date, b.patient_birth_date, b.patient_sex, b.study_description, m.modalities,
        coalesce(x.body_parts, '{}'), coalesce(x.manufacturers, '{}'), coalesce(x.series_descriptions, '{}'),
        coalesce(o.sop_classes, '{}'), greatest(u.series, n.series, 0),
        coalesce(count_value(greatest(u.instances, n.instances)), 0), coalesce(n.groups, '{}'),
        coalesce(i.groups, '{}'), coalesce(n.series, 0), coalesce(i.instance_rows, 0)
    from chosen t
    cross join lateral (select * from held where archive_id = t.seen[1]) b
    cross join lateral (
        select max(number_of_series) as series, max(number_of_instances) as instances,
            count(distinct row(study_date, patient_birth_date, patient_sex, study_description)) > 1 as differ
        from held where archive_id = any (t.seen)) u
    cross join lateral (
        select coalesce(array_agg(distinct v.modality order by v.modality), '{}') as modalities
        from held h cross join unnest(h.modalities) v (modality) where h.archive_id = any (t.seen)) m
    cross join lateral (
        select array_agg(distinct body_part_examined) filter (where body_part_examined is not null) as body_parts,
            array_agg(distinct manufacturer) filter (where manufacturer is not null) as manufacturers,
            array_agg(distinct series_description) filter (where series_description is not null) as series_descriptions,
            count(distinct row(series_uid, modality, body_part_examined, manufacturer, series_description))
                > count(distinct series_uid) as differ
        from series where study_uid = family and archive_id = any (t.seen)) x
    cross join lateral (
        select sum(g.series)::integer as series, sum(g.instances) as instances,
            array_agg(
                row(g.modality, g.body_part_examined, g.manufacturer, g.series_description, g.series,
                    least(coalesce(g.instances, 0), 2147483647), g.held, a.study_date, a.patient_birth_date,
                    a.patient_sex)::series_group
                order by g.modality, g.body_part_examined, g.manufacturer, g.series_description, g.held) as groups
        from (
            select modality, body_part_examined, manufacturer, series_description,
                nullif(array(select id from unnest(t.seen) id where id = any (holders)), t.seen) as held,
                count(*)::integer as series, sum(instances) as instances
            from (
                select distinct on (series_uid) modality, body_part_examined, manufacturer, series_description,
                    array_agg(archive_id) over same as holders, max(number_of_instances) over same as instances
                from series
                where study_uid = family and archive_id = any (t.seen)
                window same as (partition by series_uid)
                order by series_uid, array_position(t.seen, archive_id)) node
            group by 1, 2, 3, 4, 5) g
        left join held a on a.archive_id = g.held[1]) n
    cross join lateral (
        select array_agg(distinct sop_class_uid) filter (where sop_class_uid is not null) as sop_classes,
            count(distinct row(series_uid, sop_uid, sop_class_uid)) > count(distinct row(series_uid, sop_uid)) as differ
        from instance where study_uid = family and archive_id = any (t.seen)) o
    cross join lateral (
        select sum(g.instances)::integer as instance_rows,
            array_agg(row(g.sop_class_uid, g.instances, g.held)::instance_group
                order by g.sop_class_uid, g.held) as groups
        from (
            select sop_class_uid, nullif(array(select id from unnest(t.seen) id where id = any (holders)), t.seen) as held,
                count(*)::integer as instances
            from (
                select distinct on (series_uid, sop_uid) sop_class_uid, array_agg(archive_id) over same as holders
                from instance
                where study_uid = family and archive_id = any (t.seen)
                window same as (partition by series_uid, sop_uid)
                order by series_uid, sop_uid, array_position(t.seen, archive_id)) node
            group by 1, 2) g) i
    union all
    select family, h.holding_id, true, true, false, '', null, null, null, null, '{}', '{}', '{}', '{}', '{}', 0, 0,
        '{}', '{}', 0, 0
    from known k
    cross join (select distinct archive_id from held) s
    join rollup_holding h on h.seen = array[s.archive_id] and h.elsewhere = '{}'
    where k.holders is null;
end;

-- The same from the index itself: what study_fact must say.
create view fact_now as
select s.study_uid, w.holding_id, false as shared, false as apart, false as mixed,
    case when s.patient_id is null then '\\' || s.study_uid else s.patient_key end as person,
    s.study_date, s.patient_birth_date, s.patient_sex, s.study_description, s.modalities,
    coalesce(x.body_parts, '{}') as body_parts, coalesce(x.manufacturers, '{}') as manufacturers,
    coalesce(x.series_descriptions, '{}') as series_descriptions, coalesce(i.sop_classes, '{}') as sop_classes,
    coalesce(s.number_of_series, 0) as number_of_series,
    coalesce(s.number_of_instances, 0) as number_of_instances, coalesce(x.groups, '{}') as series_groups,
    coalesce(i.groups, '{}') as instance_groups, coalesce(x.series_rows, 0) as series_rows,
    coalesce(i.instance_rows, 0) as instance_rows
from study s
join rollup_holding w on w.seen = array[s.archive_id] and w.elsewhere = '{}'
cross join lateral (
    select array_agg(distinct g.body_part_examined) filter (where g.body_part_examined is not null) as body_parts,
        array_agg(distinct g.manufacturer) filter (where g.manufacturer is not null) as manufacturers,
        array_agg(distinct g.series_description) filter (where g.series_description is not null) as series_descriptions,
        array_agg(
            row(g.modality, g.body_part_examined, g.manufacturer, g.series_description, g.series, g.instances, null,
                null, null, null)::series_group
            order by g.modality, g.body_part_examined, g.manufacturer, g.series_description) as groups,
        sum(g.series)::integer as series_rows
    from (
        select modality, body_part_examined, manufacturer, series_description, count(*)::integer as series,
            least(coalesce(sum(number_of_instances), 0), 2147483647)::integer as instances
        from series where study_uid = s.study_uid and archive_id = s.archive_id
        group by modality, body_part_examined, manufacturer, series_description) g) x
cross join lateral (
    select array_agg(g.sop_class_uid order by g.sop_class_uid) filter (where g.sop_class_uid is not null) as sop_classes,
        array_agg(row(g.sop_class_uid, g.instances, null)::instance_group order by g.sop_class_uid) as groups,
        sum(g.instances)::integer as instance_rows
    from (
        select sop_class_uid, count(*)::integer as instances
        from instance where study_uid = s.study_uid and archive_id = s.archive_id group by sop_class_uid) g) i
where not s.shared
union all
select u.study_uid, f.holding_id, f.shared, f.apart, f.mixed, f.person, f.study_date, f.patient_birth_date,
    f.patient_sex, f.study_description, f.modalities, f.body_parts, f.manufacturers, f.series_descriptions,
    f.sop_classes, f.number_of_series, f.number_of_instances, f.series_groups, f.instance_groups, f.series_rows,
    f.instance_rows
from (select distinct study_uid from study where shared) u cross join lateral shared_facts(u.study_uid) f;

-- Sums of facts, by holding and some dimensions: `kind` says which (db/statistics/rollups.py); the others are null. In
-- kinds by year or month, dates are first days. Its size follows the variety of the values, not the studies.
create table rollup_cell (
    holding_id integer not null,
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
    -- where nodes below studies are, if not in all that are seen, in rank order
    held smallint[],
    mixed boolean not null,
    -- what is counted: studies, of kinds from 20 on series, from 30 on instances
    nodes bigint not null,
    number_of_series bigint not null,
    number_of_instances bigint not null,
    -- of kind 0 only
    series_rows bigint not null,
    instance_rows bigint not null,
    primary key (kind, holding_id, cell)
);

-- The cells that a fact is added to, and what it adds.
create function cells_of(f study_fact) returns table (
    kind smallint, study_date date, patient_birth_date date, patient_sex text, age_band text,
    study_description text, series_description text, modalities text[], body_parts text[], manufacturers text[],
    sop_classes text[], held smallint[], mixed boolean, nodes integer, number_of_series integer,
    number_of_instances integer, series_rows integer, instance_rows integer)
    language sql immutable parallel safe
begin atomic
    select c.kind, c.study_date, c.patient_birth_date, c.patient_sex, c.age_band, c.study_description, null::text,
        c.modalities, c.body_parts, c.manufacturers, c.sop_classes, null::smallint[], f.mixed, 1, f.number_of_series,
        f.number_of_instances, case c.kind when 0 then f.series_rows else 0 end,
        case c.kind when 0 then f.instance_rows else 0 end
    from (values
        (0::smallint, null::date, null::date, null::text, null::text, null::text, null::text[], null::text[],
            null::text[], null::text[]),
        (1::smallint, date_trunc('year', f.study_date::timestamp)::date, null, f.patient_sex, null, null, f.modalities,
            f.body_parts, null, null),
        (2::smallint, null, null, null, null, null, f.modalities, f.body_parts, f.manufacturers, null),
        (3::smallint, null, null, f.patient_sex, age_band(f.study_date, f.patient_birth_date), null, f.modalities, null,
            null, null),
        (4::smallint, date_trunc('month', f.study_date::timestamp)::date, null, f.patient_sex, null, null, f.modalities,
            null, null, null),
        (5::smallint, null, null, null, null, null, null, null, null, f.sop_classes),
        (6::smallint, null, null, null, null, f.study_description, null, null, null, null),
        (7::smallint, f.study_date, null, null, null, null, null, null, null, null),
        (8::smallint, null, f.patient_birth_date, null, null, null, null, null, null, null)
    ) c (kind, study_date, patient_birth_date, patient_sex, age_band, study_description, modalities, body_parts,
        manufacturers, sop_classes)
    union all
    select 9, null, null, null, null, null, d, null, null, null, null, null, f.mixed, 1, f.number_of_series,
        f.number_of_instances, 0, 0
    from unnest(case when f.series_descriptions = '{}' then array[null]::text[] else f.series_descriptions end) d
    union all
    select 20, null, null, null, null, null, null, array_remove(array[g.modality], null),
        array_remove(array[g.body_part_examined], null), array_remove(array[g.manufacturer], null), null, g.held,
        f.mixed, g.series, g.series, g.instances, 0, 0
    from unnest(f.series_groups) g
    union all
    select 21, null, null, null, null, null, g.series_description, array_remove(array[g.modality], null), null,
        null, null, g.held, f.mixed, g.series, g.series, g.instances, 0, 0
    from unnest(f.series_groups) g
    union all
    select 22, date_trunc('year', a.study_date::timestamp)::date, null, a.patient_sex,
        age_band(a.study_date, a.patient_birth_date), null, null, array_remove(array[g.modality], null), null, null,
        null, g.held, f.mixed, g.series, g.series, g.instances, 0, 0
    from unnest(f.series_groups) g
    cross join lateral (
        select case when g.held is null then f.study_date else g.study_date end as study_date,
            case when g.held is null then f.patient_birth_date else g.patient_birth_date end as patient_birth_date,
            case when g.held is null then f.patient_sex else g.patient_sex end as patient_sex) a
    union all
    select 30, null, null, null, null, null, null, null, null, null, array_remove(array[g.sop_class_uid], null),
        g.held, f.mixed, g.instances, 0, g.instances, 0, 0
    from unnest(f.instance_groups) g;
end;

-- Studies of each person in each holding, and how many persons are in each set of holdings: persons of any choice
-- of archives are those of the sets of which a holding is chosen.
create table rollup_person (
    person text collate "C" not null,
    holding_id integer not null,
    studies integer not null,
    primary key (person, holding_id)
);

create table rollup_person_set (
    set_id bigint generated always as identity primary key,
    holdings integer[] not null unique,
    persons bigint not null
);

-- ---- everything counted anew ------------------------------------------------------------------------------

create procedure fill_rollups() language sql
begin atomic
    delete from study_fact;
    delete from rollup_cell;
    delete from rollup_person;
    delete from rollup_person_set;
    delete from rollup_holding;
    insert into rollup_holding (seen, elsewhere) select array[archive_id], '{}' from archive;
    insert into rollup_holding (seen, elsewhere)
    select distinct t.seen, holding_of(t.seen, f.holders)
    from (
        select distinct counted_holders(study_uid) as holders
        from (select distinct study_uid from study where shared) u) f
    cross join lateral subsets(f.holders) t (seen)
    on conflict do nothing;
    insert into study_fact select * from fact_now;
    insert into rollup_cell
    select f.holding_id, c.kind,
        md5(jsonb_build_array(c.study_date, c.patient_birth_date, c.patient_sex, c.age_band, c.study_description,
            c.series_description, c.modalities, c.body_parts, c.manufacturers, c.sop_classes, c.held, c.mixed)::text)::uuid,
        c.study_date, c.patient_birth_date, c.patient_sex, c.age_band, c.study_description, c.series_description,
        c.modalities, c.body_parts, c.manufacturers, c.sop_classes, c.held, c.mixed, sum(c.nodes),
        sum(c.number_of_series), sum(c.number_of_instances), sum(c.series_rows), sum(c.instance_rows)
    from study_fact f cross join lateral cells_of(f) c
    where not f.apart
    group by 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15;
    insert into rollup_person
    select person, holding_id, count(*) from study_fact where not apart group by person, holding_id;
    insert into rollup_person_set (holdings, persons)
    select holdings, count(*)
    from (select array_agg(holding_id order by holding_id) as holdings from rollup_person group by person) p
    group by holdings;
end;
-- An archive's rows go with it; what they added is counted again.
create function count_without() returns trigger language plpgsql as $$
begin
    call fill_rollups();
    return null;
end
$$;
create trigger rollup_without after delete on archive for each statement execute function count_without();

-- By archive: what its own copies add, and the families that are looked at.
create view rollup_archive as
    select h.seen[1] as archive_id, sum(c.nodes)::bigint as studies, sum(c.series_rows)::bigint as series_rows,
        sum(c.instance_rows)::bigint as instance_rows
    from rollup_cell c join rollup_holding h using (holding_id)
    where c.kind = 0 and cardinality(h.seen) = 1
    group by h.seen[1];
create view rollup_apart as
    select f.study_uid, h.seen[1] as archive_id
    from study_fact f join rollup_holding h using (holding_id)
    where f.shared and f.apart;
