-- Who may see what: pseudonymised copies beside the originals, consents, and the role that the API reads as.

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

-- Ids of archives that the session's scope names: what the views of the API's role show (db/views.sql).
create function scope_of(name text) returns smallint[]
    language sql stable parallel safe
    return coalesce(nullif(current_setting('ernfed.' || name, true), ''), '{}')::smallint[];

-- ---- the API's role; what it may do is in db/views.sql -------------------------------------------------------

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
