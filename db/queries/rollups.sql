-- Rollups follow the families of `touched`: what they added before (study_fact) is subtracted, what they add now
-- (fact_now) is added. `offset 0` as in settle.sql.

-- name: staging  Facts that come (1) and go (-1) with this transaction.
create temp table if not exists fact_change (sign integer, fact study_fact) on commit delete rows

-- name: changes  What the touched families added and what they add now, where it is not the same; how many facts.
with signed as (
    select -1 as sign, f.fact
    from touched t
    cross join lateral (select s as fact from study_fact s where s.study_uid = t.study_uid offset 0) f
    union all
    select 1, f.fact
    from touched t
    cross join lateral (
        select row(n.*)::study_fact as fact from fact_now n where n.study_uid = t.study_uid offset 0) f
), written as (
    insert into fact_change (sign, fact)
    select sum(sign), fact from signed group by fact having sum(sign) <> 0
    returning sign
)
select count(*) from written

-- name: forget  Facts that no longer hold.
delete from study_fact where study_uid = any (array(select (fact).study_uid from fact_change where sign < 0))

-- name: remember  Facts that hold now.
insert into study_fact select (fact).* from fact_change where sign > 0

-- name: cells  Adds the changes up; the keys of cells that are empty now.
with summed as (
    select (c.fact).archive_id, g.kind, g.study_date, g.patient_birth_date, g.patient_sex, g.age_band,
        g.study_description, g.series_description, g.modalities, g.body_parts, g.manufacturers, g.sop_classes,
        sum(c.sign * g.nodes) as nodes, sum(c.sign * g.number_of_series) as series,
        sum(c.sign * g.number_of_instances) as instances, sum(c.sign * g.series_rows) as series_rows,
        sum(c.sign * g.instance_rows) as instance_rows
    from fact_change c cross join lateral cells_of(c.fact) g
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
), added as (
    select archive_id, kind,
        md5(jsonb_build_array(study_date, patient_birth_date, patient_sex, age_band, study_description,
            series_description, modalities, body_parts, manufacturers, sop_classes)::text)::uuid as cell,
        study_date, patient_birth_date, patient_sex, age_band, study_description, series_description,
        modalities, body_parts, manufacturers, sop_classes, nodes, series, instances, series_rows, instance_rows
    from summed
    where (nodes, series, instances, series_rows, instance_rows) <> (0, 0, 0, 0, 0)
), upserted as (
    insert into rollup_cell as r
    select * from added order by kind, archive_id, cell
    on conflict (kind, archive_id, cell) do update
        set (nodes, number_of_series, number_of_instances, series_rows, instance_rows)
            = (r.nodes + excluded.nodes, r.number_of_series + excluded.number_of_series,
                r.number_of_instances + excluded.number_of_instances, r.series_rows + excluded.series_rows,
                r.instance_rows + excluded.instance_rows)
    returning kind, archive_id, cell, nodes
)
select kind, archive_id, cell from upserted where nodes = 0

-- name: drop_empty  Cells that nothing is in.
delete from rollup_cell
where ctid = any (array(
    select r.ctid
    from unnest($1::smallint[], $2::smallint[], $3::uuid[]) e (kind, archive_id, cell)
    cross join lateral (
        select ctid from rollup_cell
        where kind = e.kind and archive_id = e.archive_id and cell = e.cell and nodes = 0 offset 0) r))

-- name: persons  Persons by archive, and by the set of archives that they are in.
with delta as (
    select (fact).person as person, (fact).archive_id as archive_id, sum(sign)::integer as n
    from fact_change group by 1, 2 having sum(sign) <> 0
), before as materialized (
    select r.*
    from (select distinct person from delta) p
    cross join lateral (select * from rollup_person where person = p.person offset 0) r
), after as materialized (
    select person, archive_id, sum(n)::integer as n, bool_or(changed) as changed
    from (
        select person, archive_id, studies as n, false as changed from before
        union all
        select person, archive_id, n, true from delta) both_of
    group by person, archive_id
), moved as (
    select archives, sum(n) as n
    from (
        select array_agg(archive_id order by archive_id) as archives, -1 as n from before group by person
        union all
        select array_agg(archive_id order by archive_id), 1 from after where n > 0 group by person) sets
    group by archives having sum(n) <> 0
), gone as (
    delete from rollup_person r using after a
    where a.n = 0 and r.person = a.person and r.archive_id = a.archive_id
), kept as (
    insert into rollup_person (person, archive_id, studies)
    select person, archive_id, n from after where n > 0 and changed
    on conflict (person, archive_id) do update set studies = excluded.studies
)
insert into rollup_person_set as s (archives, persons)
select archives, n from moved order by archives
on conflict (archives) do update set persons = s.persons + excluded.persons

-- name: applied  The changes are in.
delete from fact_change

-- name: differences  Rows of each rollup that a recount has otherwise: none when all is right.
with facts as (
    select row(n.*)::study_fact as fact from fact_now n
), cells as (
    select (f.fact).archive_id, g.kind, g.study_date, g.patient_birth_date, g.patient_sex, g.age_band,
        g.study_description, g.series_description, g.modalities, g.body_parts, g.manufacturers, g.sop_classes,
        sum(g.nodes)::bigint as nodes, sum(g.number_of_series)::bigint as series,
        sum(g.number_of_instances)::bigint as instances, sum(g.series_rows)::bigint as series_rows,
        sum(g.instance_rows)::bigint as instance_rows
    from facts f cross join lateral cells_of(f.fact) g
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
), stored_cells as (
    select archive_id, kind, study_date, patient_birth_date, patient_sex, age_band, study_description,
        series_description, modalities, body_parts, manufacturers, sop_classes, nodes, number_of_series,
        number_of_instances, series_rows, instance_rows
    from rollup_cell where nodes > 0
), persons as (
    select (fact).person, (fact).archive_id, count(*)::integer as studies from facts group by 1, 2
), sets as (
    select archives, count(*) as persons
    from (select array_agg(archive_id order by archive_id) as archives from persons group by person) p
    group by archives
)
select 'study_fact' as rollup, count(*) as differences from (
    (select fact from facts except all select s from study_fact s)
    union all
    (select s from study_fact s except all select fact from facts)) f
union all
select 'rollup_cell', count(*) from (
    (select * from cells except all select * from stored_cells)
    union all
    (select * from stored_cells except all select * from cells)) c
union all
select 'rollup_person', count(*) from (
    (select * from persons except all select person, archive_id, studies from rollup_person)
    union all
    (select person, archive_id, studies from rollup_person except all select * from persons)) p
union all
select 'rollup_person_set', count(*) from (
    (select * from sets except all select archives, persons from rollup_person_set where persons > 0)
    union all
    (select archives, persons from rollup_person_set where persons > 0 except all select * from sets)) s
order by 1
