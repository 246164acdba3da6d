-- Change events: which studies of which archive came, changed or went, in the order of commits.

-- What a copy looked like when its last event was written: a hash of what can be asked of it. Flags and stamps
-- are left out: another archive's copy, or a run that finds nothing new, is no change of this one.
create table study_version (
    study_uid text collate "C" not null,
    archive_id smallint not null references archive on delete cascade,
    version bigint not null,
    primary key (study_uid, archive_id)
);

-- Append-only; pruned by time. Writers hold one lock from before `sequence` is drawn to their commit
-- (db/writing/ingest.py), so the order of sequences is the order in which they can be read.
create table study_event (
    sequence bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    archive_id smallint not null references archive on delete cascade,
    study_uid text collate "C" not null,
    kind text not null check (kind in ('added', 'updated', 'removed'))
);
-- The next events for a viewer, and the newest (db/lists/changes.py).
create index study_event_of_archive on study_event (archive_id, sequence);
-- Pruning: times come in the order of rows, so a range of blocks says enough.
create index study_event_at on study_event using brin (at);

-- ---- the same of pseudonymised copies: written when their rows are made (db/writing/projections.py) -------------------

-- source_uid is as stored: the API's role can read neither table.
create table pseudonymised.study_version (
    study_uid text collate "C" not null,
    archive_id smallint not null references public.archive on delete cascade,
    source_uid text collate "C" not null,
    version bigint not null,
    research boolean not null,
    primary key (study_uid, archive_id)
);
-- What was told of a stored study, under whichever pseudonym (events.sql).
create index study_version_source on pseudonymised.study_version (source_uid);

-- research: the consent to research held before or after, so that who needs it may know of the event.
create table pseudonymised.study_event (
    sequence bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    archive_id smallint not null references public.archive on delete cascade,
    study_uid text collate "C" not null,
    kind text not null check (kind in ('added', 'updated', 'removed')),
    research boolean not null
);
-- As of stored copies.
create index study_event_of_archive on pseudonymised.study_event (archive_id, sequence);
create index study_event_at on pseudonymised.study_event using brin (at);

-- ---- what a copy looks like ------------------------------------------------------------------------------

create function consent_version(archive smallint, uid text) returns bigint
    language sql stable
begin atomic
    select coalesce(bit_xor(hash_record_extended(row(care, registry, research), 0)), 0)
    from consent where archive_id = archive and study_uid = uid and (care or registry or research);
end;

create function study_version_of(archive smallint, uid text) returns bigint
    language sql stable
begin atomic
    select consent_version(archive, uid)
        # coalesce((
            select bit_xor(hash_record_extended(row(
                patient_key, synced_at, modalities, number_of_series, number_of_instances), 1))
            from study where study_uid = uid and archive_id = archive), 0)
        # coalesce((
            select bit_xor(hash_record_extended(row(series_uid, synced_at, number_of_instances), 2))
            from series where study_uid = uid and archive_id = archive), 0)
        # coalesce((
            select bit_xor(hash_record_extended(row(sop_uid, series_uid, synced_at), 3))
            from instance where study_uid = uid and archive_id = archive), 0);
end;

-- uid is a pseudonym, source the stored UID.
create function pseudonymised.study_version_of(archive smallint, uid text, source text) returns bigint
    language sql stable
begin atomic
    select consent_version(archive, source)
        # coalesce((
            select bit_xor(hash_record_extended(row(
                source_pk, synced_at, key_id, made_for, modalities, number_of_series, number_of_instances), 1))
            from pseudonymised.study where study_uid = uid and archive_id = archive), 0)
        # coalesce((
            select bit_xor(hash_record_extended(row(series_uid, synced_at, key_id, made_for, number_of_instances), 2))
            from pseudonymised.series where study_uid = uid and archive_id = archive), 0)
        # coalesce((
            select bit_xor(hash_record_extended(row(sop_uid, series_uid, synced_at, key_id, made_for), 3))
            from pseudonymised.instance where study_uid = uid and archive_id = archive), 0);
end;
