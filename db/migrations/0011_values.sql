-- Pages of studies by what their series say: the values of each copy's series, in the order of the default list. A
-- page by a value starts at its place in the index, however rare the value is and however old its studies are.

-- series_month: of SeriesDate, as 2024-05; instances_bits: bits of NumberOfSeriesRelatedInstances, 7 of 64 to 127.
-- A range is followed by the few of these that it touches.
create type series_value as enum (
    'modality', 'series_description', 'body_part_examined', 'laterality', 'protocol_name', 'manufacturer',
    'manufacturer_model_name', 'series_month', 'instances_bits', 'study_description');

-- A copy in a shared family has the values of all copies of its series, wherever they are: `archive_id` is where the
-- value comes from, and whoever may not see that archive does not see the row.
create table study_value (
    study_pk bigint not null references study on delete cascade,
    archive_id smallint not null,
    name series_value not null,
    value text collate "C" not null,
    study_date date,
    study_uid text collate "C" not null,
    shared boolean not null
);
-- A page by a value, and after a position in it (db/lists/by_value.py): of unshared copies, and of shared families.
create unique index study_value_page on study_value
    (name, value, study_date desc nulls last, study_uid, study_pk) nulls not distinct where not shared;
create unique index study_value_shared on study_value
    (name, value, study_date desc nulls last, study_uid, study_pk, archive_id) nulls not distinct where shared;
-- The values of a copy: compared when it is written, and gone with it.
create index study_value_of on study_value (study_pk);

-- How often a value stands together with its name is known for the frequent ones only.
alter table study_value alter column value set statistics 1000;
create statistics study_value_frequent (mcv) on name, value from study_value;

create table pseudonymised.study_value (like public.study_value including all);
alter table pseudonymised.study_value add foreign key (study_pk) references pseudonymised.study on delete cascade;

-- The values that a copy has; the modalities that archives told of the study are among them, and its description.
do $$
declare
    source text;
begin
    foreach source in array array['public', 'pseudonymised'] loop
        execute format($function$
create function %1$I.study_values(uid text, archive smallint, shared boolean)
    returns table (archive_id smallint, name series_value, value text)
    language sql stable parallel safe
begin atomic
    select s.archive_id, v.name, v.value
    from (
        select s.* from %1$I.series s
        where s.study_uid = uid and (study_values.shared or s.archive_id = archive) offset 0) s
    cross join lateral (values
        ('modality'::series_value, s.modality), ('series_description', s.series_description),
        ('body_part_examined', s.body_part_examined), ('protocol_name', s.protocol_name),
        ('manufacturer', s.manufacturer), ('manufacturer_model_name', s.manufacturer_model_name),
        ('laterality', s.laterality), ('series_month', to_char(s.series_date, 'YYYY-MM')),
        ('instances_bits', length(ltrim(s.number_of_instances::bit(32)::text, '0'))::text)) v (name, value)
    where v.value is not null
    union
    select s.archive_id, v.name, v.value
    from (
        select s.archive_id, s.modalities, s.study_description from %1$I.study s
        where s.study_uid = uid and (study_values.shared or s.archive_id = archive) offset 0) s
    cross join lateral (
        select 'modality'::series_value, modality from unnest(s.modalities) modality
        union all
        select 'study_description', s.study_description where s.study_description is not null) v (name, value);
end;
$function$, source);
    end loop;
end $$;

-- ---- which values there are: what patterns are looked up in ---------------------------------------------------

create table study_value_count (
    archive_id smallint not null references archive on delete cascade,
    name series_value not null,
    value text collate "C" not null,
    studies integer not null,
    primary key (name, value, archive_id)
);
-- Which values pass a pattern; those of an exact one are found by the key.
create index study_value_count_like on study_value_count using gin (fold(value) gin_trgm_ops);

-- Triggers, because studies and their values also go with their archive.
create function add_values() returns trigger language plpgsql as $$
begin
    insert into study_value_count as c (archive_id, name, value, studies)
    select archive_id, name, value, count(*) from changed group by 1, 2, 3
    on conflict (name, value, archive_id) do update set studies = c.studies + excluded.studies;
    return null;
end $$;

create function take_values() returns trigger language plpgsql as $$
begin
    update study_value_count c set studies = c.studies - gone.studies
    from (select archive_id, name, value, count(*) as studies from changed group by 1, 2, 3) gone
    where (c.name, c.value, c.archive_id) = (gone.name, gone.value, gone.archive_id);
    delete from study_value_count c using changed gone
    where (c.name, c.value, c.archive_id) = (gone.name, gone.value, gone.archive_id) and c.studies <= 0;
    return null;
end $$;

create trigger add_values after insert on study_value
    referencing new table as changed for each statement execute function add_values();
create trigger take_values after delete on study_value
    referencing old table as changed for each statement execute function take_values();
