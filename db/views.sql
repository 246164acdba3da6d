-- What the API's role may read: the views of the session's scope, what shared nodes have by the union of their copies,
-- and the grants. Made anew after migrations, when one was new (`select *` has the columns that its table had) or this
-- file is another than it was (db/migrate.py).

-- The role owns nothing and reads nothing but these views. They show the rows of the archives that the
-- session's scope names: a statement that forgot its own condition on archives finds nothing that its viewer
-- may not see, and without a scope nothing at all. Views, not row-level security: policies keep the planner
-- from using trigram, text and jsonb indexes, whose operators are not leakproof (docs/decisions/0008).

drop schema if exists records, pseudonyms, counts cascade;
create schema records;
create schema pseudonyms;
create schema counts;

-- ---- copies, and unions of them --------------------------------------------------------------------------------
-- `array_position … is not null`, because the planner takes it for true: the statement itself names the archives, and
-- with the same test twice the planner expects a tenth of the rows and none of the first ones soon.
-- `cost`: each call reads a family; the planner must not think of them as of comparisons.

do $$
declare
    projection text;
    source text;
    shown text;
    level text;
begin
    for projection, source, shown in values
        ('records', 'public', $shown$
            array_position((select scope_of('full'))::smallint[], s.archive_id) is not null
        $shown$),
        ('pseudonyms', 'pseudonymised', $shown$
            array_position((select scope_of('pseudonymised'))::smallint[], s.archive_id) is not null
            and (s.archive_id <> all ((select scope_of('consented'))::smallint[]) or s.research)
        $shown$),
        -- of an archive that shows pseudonyms with consent only, what has the consent counts
        ('counts', 'public', $shown$
            array_position(
                (select scope_of('full') || scope_of('pseudonymised') || scope_of('counted'))::smallint[], s.archive_id)
                is not null
            and (s.archive_id <> all ((select scope_of('consented'))::smallint[])
                or exists (
                    select from public.consent c
                    where c.archive_id = s.archive_id and c.study_uid = s.study_uid and c.research))
        $shown$)
    loop
        foreach level in array array['study', 'series', 'instance'] loop
            execute format(
                'create view %1$I.%2$I as select s.* from %3$I.%2$I s where %4$s', projection, level, source, shown);
        end loop;
        execute format($unions$
create function %1$I.study_union_series(uid text, archives smallint[]) returns integer
    language sql stable strict parallel safe cost 10000
begin atomic
    select greatest(
        (select count(distinct series_uid) from %1$I.series
            where study_uid = uid and archive_id = any (archives)),
        (select max(number_of_series) from %1$I.study
            where study_uid = uid and archive_id = any (archives)))::integer;
end;

create function %1$I.series_union_instances(study text, uid text, archives smallint[]) returns integer
    language sql stable strict parallel safe cost 10000
begin atomic
    select max(number_of_instances) from %1$I.series
    where study_uid = study and series_uid = uid and archive_id = any (archives);
end;

create function %1$I.study_union_instances(uid text, archives smallint[]) returns integer
    language sql stable strict parallel safe cost 10000
begin atomic
    select count_value(greatest(
        (select sum(n) from (
            select max(number_of_instances) as n from %1$I.series
            where study_uid = uid and archive_id = any (archives) group by series_uid) largest),
        (select max(number_of_instances) from %1$I.study
            where study_uid = uid and archive_id = any (archives))));
end;

create function %1$I.study_union_modalities(uid text, archives smallint[]) returns text[]
    language sql stable strict parallel safe cost 10000
begin atomic
    select coalesce(array_agg(distinct modality order by modality), '{}')
    from %1$I.study, unnest(modalities) modality
    where study_uid = uid and archive_id = any (archives);
end;
$unions$, projection);
    end loop;
end $$;

-- A lost study has no consent: where only those with one are shown, nothing is said of the others.
create view counts.rejected_study as
    select * from public.rejected_study
    where array_position((select scope_of('full') || scope_of('pseudonymised'))::smallint[], archive_id) is not null
        and archive_id <> all ((select scope_of('consented'))::smallint[]);

-- ---- consents, by the study's UID of each projection -----------------------------------------------------------

create view records.consent as
    select archive_id, study_uid, care, registry, research from public.consent
    where archive_id = any ((select scope_of('full'))::smallint[]);

create view counts.consent as
    select archive_id, study_uid, care, registry, research from public.consent
    where archive_id = any ((select scope_of('full') || scope_of('pseudonymised') || scope_of('counted'))::smallint[])
        and (archive_id <> all ((select scope_of('consented'))::smallint[]) or research);

create view pseudonyms.consent as
    select p.archive_id, p.study_uid, c.care, c.registry, c.research
    from public.consent c
    join public.study s on s.archive_id = c.archive_id and s.study_uid = c.study_uid
    join pseudonymised.study p on p.source_pk = s.study_pk
    where c.archive_id = any ((select scope_of('pseudonymised'))::smallint[])
        and (c.archive_id <> all ((select scope_of('consented'))::smallint[]) or c.research);

-- ---- change events ---------------------------------------------------------------------------------------------

create view records.study_event as
    select sequence, at, archive_id, study_uid, kind from public.study_event
    where archive_id = any ((select scope_of('full'))::smallint[]);

create view pseudonyms.study_event as
    select sequence, at, archive_id, study_uid, kind from pseudonymised.study_event
    where archive_id = any ((select scope_of('pseudonymised'))::smallint[])
        and (archive_id <> all ((select scope_of('consented'))::smallint[]) or research);

-- ---- names -----------------------------------------------------------------------------------------------------

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

-- ---- pages by a value (db/lists/by_value.py) -------------------------------------------------------------------
-- A study with one of its values: all columns of the study, those that both have as the value's index knows them.

do $$
declare
    of_study text;
    projection text;
    source text;
begin
    foreach projection in array array['records', 'pseudonyms'] loop
        source := case projection when 'records' then 'public' else 'pseudonymised' end;
        select string_agg(format('s.%I', attname), ', ' order by attnum) into of_study
        from pg_attribute
        where attrelid = (projection || '.study')::regclass and attnum > 0 and not attisdropped
            and attname not in ('study_uid', 'study_date', 'shared');
        execute format(
            'create view %I.study_by_value as select v.name, v.value, v.study_date, v.study_uid, v.shared, %s'
            ' from %I.study_value v join %I.study s on s.study_pk = v.study_pk'
            ' where array_position((select scope_of(%L))::smallint[], v.archive_id) is not null',
            projection, of_study, source, projection,
            case projection when 'records' then 'full' else 'pseudonymised' end);
    end loop;
end $$;

create view records.study_value_count as
    select archive_id, name, value from public.study_value_count
    where array_position((select scope_of('full'))::smallint[], archive_id) is not null;

-- ---- rollups: exact numbers are for those who may read the records ---------------------------------------------
-- Nothing is shown that is seen through an archive that the viewer may not read, nor which one is elsewhere.

create view counts.rollup_holding as
    select holding_id, seen,
        array(select id from unnest(elsewhere) id where id = any ((select scope_of('full'))::smallint[])) as elsewhere
    from public.rollup_holding
    where seen <@ (select scope_of('full'))::smallint[];

create view counts.rollup_cell as
    select * from public.rollup_cell
    where holding_id in (
        select holding_id from public.rollup_holding where seen <@ (select scope_of('full'))::smallint[]);

create view counts.rollup_family as
    select study_uid, holding_id, apart, mixed from public.study_fact
    where shared and holding_id in (
        select holding_id from public.rollup_holding where seen <@ (select scope_of('full'))::smallint[]);

create view counts.rollup_person as
    select person, holding_id from public.rollup_person
    where holding_id in (
        select holding_id from public.rollup_holding where seen <@ (select scope_of('full'))::smallint[]);

create view counts.rollup_person_set as
    select s.set_id, h.holding_id, s.persons
    from public.rollup_person_set s
    cross join lateral unnest(s.holdings) u (holding_id)
    join public.rollup_holding h on h.holding_id = u.holding_id
    where h.seen <@ (select scope_of('full'))::smallint[];

create view counts.rollup_archive as
    select * from public.rollup_archive where archive_id = any ((select scope_of('full'))::smallint[]);

create view counts.rollup_apart as
    select * from public.rollup_apart where archive_id = any ((select scope_of('full'))::smallint[]);

-- ---- cohorts ---------------------------------------------------------------------------------------------------

-- `state` is what it was when it was frozen; `now` what it is.
create view records.cohort_study as
    select k.version_id, k.archive_id, k.study_uid, k.whole as state
    from public.cohort_study k
    where k.of_records and k.archive_id = any ((select scope_of('full'))::smallint[]);

-- Statistics of a cohort are of records in full: the sets that one can freeze would undo the noise.
create view counts.cohort_study as
    select * from records.cohort_study;

create view pseudonyms.cohort_study as
    select k.version_id, p.archive_id, p.study_uid, k.outline as state
    from public.cohort_study k
    join public.study s on s.archive_id = k.archive_id and s.study_uid = k.study_uid
    join pseudonymised.study p on p.source_pk = s.study_pk
    where k.of_pseudonyms and p.archive_id = any ((select scope_of('pseudonymised'))::smallint[])
        and (p.archive_id <> all ((select scope_of('consented'))::smallint[]) or p.research);

-- Copies as they are, to be compared with what was frozen.
create view records.study_state as
    select archive_id, study_uid, study_whole(data, modalities, number_of_series, number_of_instances) as state
    from records.study;

create view pseudonyms.study_state as
    select p.archive_id, p.study_uid,
        study_outline(s.modalities, s.number_of_series, s.number_of_instances) as state
    from public.study s
    join pseudonymised.study p on p.source_pk = s.study_pk
    where p.archive_id = any ((select scope_of('pseudonymised'))::smallint[])
        and (p.archive_id <> all ((select scope_of('consented'))::smallint[]) or p.research);

-- ---- what the role may do --------------------------------------------------------------------------------------

grant usage on schema records, pseudonyms, counts to ernfed_api;
grant select on all tables in schema records, pseudonyms, counts to ernfed_api;
grant select on archive, index_run, migration, archive_schedule, archive_job, declared_attribute to ernfed_api;
revoke all on audit_event, audit_touch from ernfed_api;
grant select, insert on audit_event, audit_touch to ernfed_api;
grant select, insert, update, delete on rate_bucket to ernfed_api;
