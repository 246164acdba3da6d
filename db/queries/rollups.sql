-- Rollups follow the families of `dirty`: what they added before (study_fact) is subtracted, what they add now
-- (fact_now) is added. `offset 0` as in derive.sql.

-- name: staging  Facts that come (1) and go (-1) with this transaction.
create temp table if not exists fact_change (sign integer, fact study_fact) on commit delete rows

-- name: holdings  Choices of archives that no family had before.
insert into rollup_holding (seen, elsewhere)
select c.seen, c.elsewhere
from (
    select distinct t.seen, holding_of(t.seen, f.holders) as elsewhere
    from (select distinct counted_holders(study_uid) as holders from dirty where shared) f
    cross join lateral subsets(f.holders) t (seen)) c
where not exists (select from rollup_holding h where h.seen = c.seen and h.elsewhere = c.elsewhere)

-- name: touch_reordered  Families whose archives have another rank than when they were counted.
insert into dirty (study_uid, shared)
select distinct f.study_uid, true
from rollup_holding h
join study_fact f using (holding_id)
where cardinality(h.seen) > 1 and f.shared and h.seen <> array(
    select archive_id from archive where archive_id = any (h.seen) order by rank, archive_id)
on conflict do nothing

-- name: reordered  Is there one?
select exists (
    select from rollup_holding h
    where cardinality(h.seen) > 1 and h.seen <> array(
            select archive_id from archive where archive_id = any (h.seen) order by rank, archive_id)
        and exists (select from study_fact f where f.holding_id = h.holding_id and f.shared)) as reordered

-- name: changes  What the dirty families added and what they add now, where it is not the same; how many facts.
with signed as (
    select -1 as sign, f.fact
    from dirty t
    cross join lateral (select s as fact from study_fact s where s.study_uid = t.study_uid offset 0) f
    union all
    select 1, f.fact
    from dirty t
    cross join lateral (
        select row(n.*)::study_fact as fact from fact_now n where n.study_uid = t.study_uid offset 0) f
), written as (
    insert into fact_change (sign, fact)
    select sum(sign), fact from signed group by fact having sum(sign) <> 0
    returning sign
)
select count(*) from written

-- name: forget  Facts that no longer hold.
delete from study_fact
where ctid = any (array(
    select f.ctid
    from fact_change c
    cross join lateral (
        select ctid from study_fact
        where study_uid = (c.fact).study_uid and holding_id = (c.fact).holding_id offset 0) f
    where c.sign < 0))

-- name: remember  Facts that hold now.
insert into study_fact select (fact).* from fact_change where sign > 0

-- name: cells  Adds the changes up; the keys of cells that are empty now.
with summed as (
    select (c.fact).holding_id, g.kind, g.study_date, g.patient_birth_date, g.patient_sex, g.age_band,
        g.study_description, g.series_description, g.modalities, g.body_parts, g.manufacturers, g.sop_classes,
        g.held, g.mixed, sum(c.sign * g.nodes) as nodes, sum(c.sign * g.number_of_series) as series,
        sum(c.sign * g.number_of_instances) as instances, sum(c.sign * g.series_rows) as series_rows,
        sum(c.sign * g.instance_rows) as instance_rows
    from fact_change c cross join lateral cells_of(c.fact) g
    where not (c.fact).apart
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
), added as (
    select holding_id, kind,
        md5(jsonb_build_array(study_date, patient_birth_date, patient_sex, age_band, study_description,
            series_description, modalities, body_parts, manufacturers, sop_classes, held, mixed)::text)::uuid as cell,
        study_date, patient_birth_date, patient_sex, age_band, study_description, series_description,
        modalities, body_parts, manufacturers, sop_classes, held, mixed, nodes, series, instances, series_rows,
        instance_rows
    from summed
    where (nodes, series, instances, series_rows, instance_rows) <> (0, 0, 0, 0, 0)
), upserted as (
    insert into rollup_cell as r
    select * from added order by kind, holding_id, cell
    on conflict (kind, holding_id, cell) do update
        set (nodes, number_of_series, number_of_instances, series_rows, instance_rows)
            = (r.nodes + excluded.nodes, r.number_of_series + excluded.number_of_series,
                r.number_of_instances + excluded.number_of_instances, r.series_rows + excluded.series_rows,
                r.instance_rows + excluded.instance_rows)
    returning kind, holding_id, cell, nodes
)
select kind, holding_id, cell from upserted where nodes = 0

-- name: drop_empty  Cells that nothing is in.
delete from rollup_cell
where ctid = any (array(
    select r.ctid
    from unnest($1::smallint[], $2::integer[], $3::uuid[]) e (kind, holding_id, cell)
    cross join lateral (
        select ctid from rollup_cell
        where kind = e.kind and holding_id = e.holding_id and cell = e.cell and nodes = 0 offset 0) r))

-- name: persons  Persons by holding, and by the set of holdings that they are in.
with delta as (
    select (fact).person as person, (fact).holding_id as holding_id, sum(sign)::integer as n
    from fact_change where not (fact).apart group by 1, 2 having sum(sign) <> 0
), before as materialized (
    select r.*
    from (select distinct person from delta) p
    cross join lateral (select * from rollup_person where person = p.person offset 0) r
), after as materialized (
    select person, holding_id, sum(n)::integer as n, bool_or(changed) as changed
    from (
        select person, holding_id, studies as n, false as changed from before
        union all
        select person, holding_id, n, true from delta) both_of
    group by person, holding_id
), moved as (
    select holdings, sum(n) as n
    from (
        select array_agg(holding_id order by holding_id) as holdings, -1 as n from before group by person
        union all
        select array_agg(holding_id order by holding_id), 1 from after where n > 0 group by person) sets
    group by holdings having sum(n) <> 0
), gone as (
    delete from rollup_person r using after a
    where a.n = 0 and r.person = a.person and r.holding_id = a.holding_id
), kept as (
    insert into rollup_person (person, holding_id, studies)
    select person, holding_id, n from after where n > 0 and changed
    on conflict (person, holding_id) do update set studies = excluded.studies
)
insert into rollup_person_set as s (holdings, persons)
select holdings, n from moved order by holdings
on conflict (holdings) do update set persons = s.persons + excluded.persons

-- name: applied  The changes are in.
delete from fact_change

-- name: differences  Rows of each rollup that a recount has otherwise: none when all is right.
with facts as (
    select row(n.*)::study_fact as fact from fact_now n
), cells as (
    select (f.fact).holding_id, g.kind, g.study_date, g.patient_birth_date, g.patient_sex, g.age_band,
        g.study_description, g.series_description, g.modalities, g.body_parts, g.manufacturers, g.sop_classes,
        g.held, g.mixed, sum(g.nodes)::bigint as nodes, sum(g.number_of_series)::bigint as series,
        sum(g.number_of_instances)::bigint as instances, sum(g.series_rows)::bigint as series_rows,
        sum(g.instance_rows)::bigint as instance_rows
    from facts f cross join lateral cells_of(f.fact) g
    where not (f.fact).apart
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
), stored_cells as (
    select holding_id, kind, study_date, patient_birth_date, patient_sex, age_band, study_description,
        series_description, modalities, body_parts, manufacturers, sop_classes, held, mixed, nodes, number_of_series,
        number_of_instances, series_rows, instance_rows
    from rollup_cell where nodes > 0
), persons as (
    select (fact).person, (fact).holding_id, count(*)::integer as studies
    from facts where not (fact).apart group by 1, 2
), sets as (
    select holdings, count(*) as persons
    from (select array_agg(holding_id order by holding_id) as holdings from persons group by person) p
    group by holdings
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
    (select * from persons except all select person, holding_id, studies from rollup_person)
    union all
    (select person, holding_id, studies from rollup_person except all select * from persons)) p
union all
select 'rollup_person_set', count(*) from (
    (select * from sets except all select holdings, persons from rollup_person_set where persons > 0)
    union all
    (select holdings, persons from rollup_person_set where persons > 0 except all select * from sets)) s
order by 1
