-- Names by their keys (model/name_keys.py), and text in which the study's own description counts most.

-- ---- names ------------------------------------------------------------------------------------------------

-- Written with the name itself; of pseudonymised rows always empty: pseudonyms are not sought by sound.
-- `keys`: what `fuzzy` looks up. `forms`: the name plain, by sound, its other groups; what ranks.
alter table study
    add column patient_name_keys tsvector not null default '',
    add column patient_name_forms text collate "C" not null default '',
    add column referring_physician_name_keys tsvector not null default '',
    add column referring_physician_name_forms text collate "C" not null default '';
alter table pseudonymised.study
    add column patient_name_keys tsvector not null default '',
    add column patient_name_forms text collate "C" not null default '',
    add column referring_physician_name_keys tsvector not null default '',
    add column referring_physician_name_forms text collate "C" not null default '';

drop index study_patient_name_key;
drop index pseudonymised.study_name_key_idx;
drop function name_key;

-- Without a list of pending entries: a search reads it from end to end, hundreds of keys against each entry.
create index study_patient_name_keys on study using gin (patient_name_keys) with (fastupdate = off);
create index study_referring_name_keys on study using gin (referring_physician_name_keys) with (fastupdate = off);

-- How alike the forms of a stored name and a sought one are: 0 to 2. Trigrams of words know no order.
create function name_likeness(forms text, plain text, sound text) returns double precision
    language sql immutable parallel safe
    return greatest(
        similarity(plain, split_part(forms, '=', 1)) + similarity(sound, split_part(forms, '=', 2)),
        2 * similarity(plain, split_part(forms, '=', 3)),
        2 * similarity(plain, split_part(forms, '=', 4)))::double precision;

-- True. The planner takes one look-up of hundreds of keys in a row for as cheap as a comparison and reads small
-- tables from end to end; this tells it what that costs.
create function name_is_read(keys tsvector) returns boolean
    language plpgsql immutable parallel safe cost 200
    as 'begin return true; end';

-- Studies of the open archives whose name has the keys: all words by sound, or one of them with a slip, or the whole
-- name is among the words sought; null: not asked. At most so many, all for null. A function, so that each is one
-- look-up in its index, planned with its keys and the viewer's archives known: with the view's condition the planner
-- reads the index of all archives beside it.
create function records.studies_named(column_name text, sounds tsquery, slips tsquery, wholes tsquery, most integer)
    returns setof bigint
    language plpgsql stable parallel safe security definer rows 500 cost 20000
    set search_path = pg_catalog, public, pg_temp
    set plan_cache_mode = force_custom_plan
    set max_parallel_workers_per_gather = 0
    as $$
declare
    mine smallint[] := scope_of('full');
begin
    if column_name = 'patient_name' then
        return query select s.study_pk from study s
            where (s.patient_name_keys @@ sounds or s.patient_name_keys @@ slips or s.patient_name_keys @@ wholes)
                and s.archive_id = any (mine) and name_is_read(s.patient_name_keys)
            limit most;
    else
        return query select s.study_pk from study s
            where (s.referring_physician_name_keys @@ sounds or s.referring_physician_name_keys @@ slips
                    or s.referring_physician_name_keys @@ wholes)
                and s.archive_id = any (mine) and name_is_read(s.referring_physician_name_keys)
            limit most;
    end if;
end
$$;
revoke all on function records.studies_named from public;
grant execute on function records.studies_named to ernfed_api;

-- What stands in an index from before gets its keys by the next complete run of its archive.
update archive set change_cursor = null;

-- ---- text ---------------------------------------------------------------------------------------------------

-- Searchable words of free text; punctuation parts them: t1_mprage, knie/links.
create or replace function words(variadic texts text[]) returns tsvector
    language sql immutable parallel safe
    return to_tsvector('pg_catalog.simple', translate(
        fold(array_to_string(texts, ' ')), E'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~', repeat(' ', 32)));

-- The same of many texts; no phrase goes into one from another, or from what stands before: a word stood between.
create function words_of_each(texts text[]) returns tsvector
    language sql immutable parallel safe
    -- a tsvector holds at most 1 MB
    return ts_delete(words('ǀ ' || left(array_to_string(texts, ' ǀ '), 100000)), 'ǀ');

-- Words of a series; the studies' are a column. Pseudonymised series are not searched by text.
create index series_search on series using gin (words(series_description, body_part_examined, protocol_name));

-- As in 0001; a word of the study's description has weight A, one of its series B.
create or replace function study_facts(archive smallint, uid text, data jsonb, description text, series_known boolean)
    returns table (modalities text[], number_of_series integer, number_of_instances integer, search tsvector)
    language sql stable parallel safe
begin atomic
    select
        coalesce((
            select array_agg(distinct m collate "C" order by m collate "C")
            from (
                select btrim(v.value #>> '{}', E' \t\n\r\f\v') from element_values(data, '00080061') v (value)
                where jsonb_typeof(v.value) = 'string'
                union select unnest(g.modalities)) both_say (m)
            where m <> ''), '{}'),
        case when series_known then g.series else coalesce(told.series, nullif(g.series, 0)) end,
        case when not series_known then coalesce(told.instances, g.instances)
            when g.series = 0 then 0
            else coalesce(g.instances, told.instances) end,
        setweight(words(description), 'A') || setweight(words_of_each(g.texts), 'B')
    from (
        select count(*)::integer as series,
            case when bool_and(s.number_of_instances is not null) then count_value(sum(s.number_of_instances)) end
                as instances,
            array_agg(distinct s.modality) filter (where s.modality is not null) as modalities,
            array_agg(distinct s.series_description) || array_agg(distinct s.body_part_examined)
                || array_agg(distinct s.protocol_name) as texts
        from series s
        where s.study_uid = uid and s.archive_id = archive
    ) g
    cross join (
        select count_value(integer_value(data #>> '{00201206,Value,0}')) as series,
            count_value(integer_value(data #>> '{00201208,Value,0}')) as instances
    ) told;
end;

-- ---- the session scope: the views again, with the new columns ------------------------------------------------------------

create or replace view records.study as
    select * from public.study where array_position((select scope_of('full'))::smallint[], archive_id) is not null;

create or replace view pseudonyms.study as
    select p.* from pseudonymised.study p
    where array_position((select scope_of('pseudonymised'))::smallint[], archive_id) is not null
        and (archive_id <> all ((select scope_of('consented'))::smallint[]) or research);

create or replace view counts.study as
    select s.* from public.study s
    where array_position((select scope_of('full') || scope_of('pseudonymised') || scope_of('counted'))::smallint[], archive_id)
        is not null
        and (archive_id <> all ((select scope_of('consented'))::smallint[])
            or exists (
                select from public.consent c
                where c.archive_id = s.archive_id and c.study_uid = s.study_uid and c.research));
