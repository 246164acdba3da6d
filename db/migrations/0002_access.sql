-- Who may see what: pseudonymised copies beside the originals, and the views that are all the API can read.

-- ---- pseudonymised copies: the same tables, with nothing identifying in them --------------------------

create schema pseudonymised;

-- Which key made the row; another key id means that it waits for rotation.
create table pseudonymised.study (like public.study including all);
-- What was unique as stored need not be so behind pseudonyms: rows follow their source.
alter table pseudonymised.study
    drop constraint study_archive_id_study_uid_patient_key_key,
    add column source_pk bigint not null unique references public.study on delete cascade,
    add column key_id text not null default '',
    add column research boolean not null default false,
    add foreign key (archive_id) references public.archive on delete cascade;

create table pseudonymised.series (like public.series including all);
alter table pseudonymised.series
    drop constraint series_archive_id_series_uid_study_uid_key,
    add column source_pk bigint not null unique references public.series on delete cascade,
    add column key_id text not null default '',
    add column research boolean not null default false;

create table pseudonymised.instance (like public.instance including all);
alter table pseudonymised.instance
    drop constraint instance_archive_id_sop_uid_series_uid_study_uid_key,
    add column source_pk bigint not null unique references public.instance on delete cascade,
    add column key_id text not null default '',
    add column research boolean not null default false;

-- Families whose pseudonymised rows have to be made again: written with the change, emptied by
-- db/writing/projections.py.
-- study_uid is as stored; the API's role cannot read it.
create table pseudonymised.waiting (
    study_uid text collate "C" primary key,
    since timestamptz not null default now()
);

-- ---- consent: what a patient agreed to, by study and archive ------------------------------------------

-- The three consents of the networks' case discussions: care, registry, research. No row: none was given.
create table consent (
    archive_id smallint not null references archive on delete cascade,
    study_uid text collate "C" not null,
    care boolean not null default false,
    registry boolean not null default false,
    research boolean not null default false,
    changed_at timestamptz not null default now(),
    changed_by text not null,
    primary key (archive_id, study_uid)
);

-- ---- the session scope -------------------------------------------------------------------------------------------
-- The API's role owns nothing and reads nothing but these views. They show the rows of the archives that the
-- session's scope names: a statement that forgot its own condition on archives finds nothing that its viewer
-- may not see, and without a scope nothing at all. Views, not row-level security: policies keep the planner
-- from using trigram, text and jsonb indexes, whose operators are not leakproof (docs/decisions/0008).
-- `array_position … is not null`, because the planner takes it for true: the statement itself names the archives, and
-- with the same test twice the planner expects a tenth of the rows and none of the first ones soon.

create schema records;
create schema pseudonyms;
create schema counts;

create function scope_of(name text) returns smallint[]
    language sql stable parallel safe
    return coalesce(nullif(current_setting('ernfed.' || name, true), ''), '{}')::smallint[];

create view records.study as
    select * from public.study where array_position((select scope_of('full'))::smallint[], archive_id) is not null;

create view records.series as
    select * from public.series where array_position((select scope_of('full'))::smallint[], archive_id) is not null;

create view records.instance as
    select * from public.instance where array_position((select scope_of('full'))::smallint[], archive_id) is not null;

create view pseudonyms.study as
    select p.* from pseudonymised.study p
    where array_position((select scope_of('pseudonymised'))::smallint[], archive_id) is not null
        and (archive_id <> all ((select scope_of('consented'))::smallint[]) or research);

create view pseudonyms.series as
    select p.* from pseudonymised.series p
    where array_position((select scope_of('pseudonymised'))::smallint[], archive_id) is not null
        and (archive_id <> all ((select scope_of('consented'))::smallint[]) or research);

create view pseudonyms.instance as
    select p.* from pseudonymised.instance p
    where array_position((select scope_of('pseudonymised'))::smallint[], archive_id) is not null
        and (archive_id <> all ((select scope_of('consented'))::smallint[]) or research);

create view counts.study as
    select * from public.study
    where array_position((select scope_of('full') || scope_of('pseudonymised') || scope_of('counted'))::smallint[], archive_id)
        is not null;

create view counts.series as
    select * from public.series
    where array_position((select scope_of('full') || scope_of('pseudonymised') || scope_of('counted'))::smallint[], archive_id)
        is not null;

create view counts.instance as
    select * from public.instance
    where array_position((select scope_of('full') || scope_of('pseudonymised') || scope_of('counted'))::smallint[], archive_id)
        is not null;

-- A lost study has no consent: where only those with one are shown, nothing is said of the others.
create view counts.rejected_study as
    select * from public.rejected_study
    where array_position((select scope_of('full') || scope_of('pseudonymised'))::smallint[], archive_id) is not null
        and archive_id <> all ((select scope_of('consented'))::smallint[]);

-- Consents by the study's UID of each projection.
create view records.consent as
    select archive_id, study_uid, care, registry, research from public.consent
    where archive_id = any ((select scope_of('full'))::smallint[]);

create view counts.consent as
    select archive_id, study_uid, care, registry, research from public.consent
    where archive_id = any ((select scope_of('full') || scope_of('pseudonymised') || scope_of('counted'))::smallint[]);

create view pseudonyms.consent as
    select p.archive_id, p.study_uid, c.care, c.registry, c.research
    from public.consent c
    join public.study s on s.archive_id = c.archive_id and s.study_uid = c.study_uid
    join pseudonymised.study p on p.source_pk = s.study_pk
    where c.archive_id = any ((select scope_of('pseudonymised'))::smallint[]);

-- ---- counts of shared nodes: over the union of their copies ------------------------------------------
-- `cost`: each call reads a family; the planner must not think of them as of comparisons.

create function records.study_union_series(uid text, archives smallint[]) returns integer
    language sql stable strict parallel safe cost 10000
begin atomic
    select greatest(
        (select count(distinct series_uid) from records.series
            where study_uid = uid and archive_id = any (archives)),
        (select max(number_of_series) from records.study
            where study_uid = uid and archive_id = any (archives)))::integer;
end;

create function records.series_union_instances(study text, uid text, archives smallint[]) returns integer
    language sql stable strict parallel safe cost 10000
begin atomic
    select max(number_of_instances) from records.series
    where study_uid = study and series_uid = uid and archive_id = any (archives);
end;

create function records.study_union_instances(uid text, archives smallint[]) returns integer
    language sql stable strict parallel safe cost 10000
begin atomic
    select count_value(greatest(
        (select sum(n) from (
            select max(number_of_instances) as n from records.series
            where study_uid = uid and archive_id = any (archives) group by series_uid) largest),
        (select max(number_of_instances) from records.study
            where study_uid = uid and archive_id = any (archives))));
end;

create function records.study_union_modalities(uid text, archives smallint[]) returns text[]
    language sql stable strict parallel safe cost 10000
begin atomic
    select coalesce(array_agg(distinct modality order by modality), '{}')
    from records.study, unnest(modalities) modality
    where study_uid = uid and archive_id = any (archives);
end;

create function pseudonyms.study_union_series(uid text, archives smallint[]) returns integer
    language sql stable strict parallel safe cost 10000
begin atomic
    select greatest(
        (select count(distinct series_uid) from pseudonyms.series
            where study_uid = uid and archive_id = any (archives)),
        (select max(number_of_series) from pseudonyms.study
            where study_uid = uid and archive_id = any (archives)))::integer;
end;

create function pseudonyms.series_union_instances(study text, uid text, archives smallint[]) returns integer
    language sql stable strict parallel safe cost 10000
begin atomic
    select max(number_of_instances) from pseudonyms.series
    where study_uid = study and series_uid = uid and archive_id = any (archives);
end;

create function pseudonyms.study_union_instances(uid text, archives smallint[]) returns integer
    language sql stable strict parallel safe cost 10000
begin atomic
    select count_value(greatest(
        (select sum(n) from (
            select max(number_of_instances) as n from pseudonyms.series
            where study_uid = uid and archive_id = any (archives) group by series_uid) largest),
        (select max(number_of_instances) from pseudonyms.study
            where study_uid = uid and archive_id = any (archives))));
end;

create function pseudonyms.study_union_modalities(uid text, archives smallint[]) returns text[]
    language sql stable strict parallel safe cost 10000
begin atomic
    select coalesce(array_agg(distinct modality order by modality), '{}')
    from pseudonyms.study, unnest(modalities) modality
    where study_uid = uid and archive_id = any (archives);
end;

create function counts.study_union_series(uid text, archives smallint[]) returns integer
    language sql stable strict parallel safe cost 10000
begin atomic
    select greatest(
        (select count(distinct series_uid) from counts.series
            where study_uid = uid and archive_id = any (archives)),
        (select max(number_of_series) from counts.study
            where study_uid = uid and archive_id = any (archives)))::integer;
end;

create function counts.series_union_instances(study text, uid text, archives smallint[]) returns integer
    language sql stable strict parallel safe cost 10000
begin atomic
    select max(number_of_instances) from counts.series
    where study_uid = study and series_uid = uid and archive_id = any (archives);
end;

create function counts.study_union_instances(uid text, archives smallint[]) returns integer
    language sql stable strict parallel safe cost 10000
begin atomic
    select count_value(greatest(
        (select sum(n) from (
            select max(number_of_instances) as n from counts.series
            where study_uid = uid and archive_id = any (archives) group by series_uid) largest),
        (select max(number_of_instances) from counts.study
            where study_uid = uid and archive_id = any (archives))));
end;

create function counts.study_union_modalities(uid text, archives smallint[]) returns text[]
    language sql stable strict parallel safe cost 10000
begin atomic
    select coalesce(array_agg(distinct modality order by modality), '{}')
    from counts.study, unnest(modalities) modality
    where study_uid = uid and archive_id = any (archives);
end;

-- ---- what the API's role may do ------------------------------------------------------------------------

do $$
begin
    if not exists (select from pg_roles where rolname = 'ernfed_api') then
        create role ernfed_api nologin;
    end if;
    if not pg_has_role(current_user, 'ernfed_api', 'set') then
        execute format('grant ernfed_api to %I', current_user);
    end if;
exception
    when insufficient_privilege then
        raise exception 'the role ernfed_api is needed, and % may not create it or become it', current_user
            using hint = format(
                'as an administrator of the server: %sgrant ernfed_api to %I;',
                case when not exists (select from pg_roles where rolname = 'ernfed_api')
                    then 'create role ernfed_api; ' end,
                current_user);
    when duplicate_object or unique_violation then
        null; -- another database of this server made it at the same moment
end
$$;

grant usage on schema records, pseudonyms, counts to ernfed_api;
grant select on all tables in schema records, pseudonyms, counts to ernfed_api;
grant select on archive, index_run, migration to ernfed_api;
