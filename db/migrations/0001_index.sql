-- The index: one row a copy of a study, series or instance; logical nodes are found at query time.

create extension if not exists pg_trgm;
create extension if not exists unaccent;

-- ---- text -----------------------------------------------------------------------------------------

-- Case and accents folded (and the final sigma): what startsWith, contains and wildcard compare.
create function fold(value text) returns text
    language sql immutable strict parallel safe
    return translate(
        lower(public.unaccent('public.unaccent'::regdictionary, normalize(value, NFKC)) collate "pg_c_utf8"), 'ς', 'σ');

-- Folded text as a LIKE pattern that matches it literally.
create function like_literal(value text) returns text
    language sql immutable strict parallel safe
    return replace(replace(replace(fold(value), '\', '\\'), '%', '\%'), '_', '\_');

-- DICOM wildcards (PS3.4 C.2.2.2.4) as a LIKE pattern: * any text, ? one character.
create function like_wildcard(value text) returns text
    language sql immutable strict parallel safe
    return replace(replace(like_literal(value), '*', '%'), '?', '_');

-- The groups of a PN and the whole of it, as stored: what eq compares.
create function name_groups(value text) returns text[]
    language sql immutable strict parallel safe
    return string_to_array(value, '=') || value;

-- Searchable words of free text; punctuation parts them: t1_mprage, knie/links.
create function words(variadic texts text[]) returns tsvector
    language sql immutable parallel safe
    return to_tsvector('pg_catalog.simple', translate(
        fold(array_to_string(texts, ' ')), E'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~', repeat(' ', 32)));

-- The same of many texts; no phrase goes into one from another, or from what stands before: a word stood between.
create function words_of_each(texts text[]) returns tsvector
    language sql immutable parallel safe
    -- a tsvector holds at most 1 MB
    return ts_delete(words('ǀ ' || left(array_to_string(texts, ' ǀ '), 100000)), 'ǀ');

-- ---- data sets (DICOM JSON, PS3.18 Annex F) -----------------------------------------------------

-- The values of an attribute of a data set or of a sequence item.
create function element_values(item jsonb, tag text) returns setof jsonb
    language sql immutable strict parallel safe
    return jsonb_array_elements(
        case jsonb_typeof(item -> tag -> 'Value') when 'array' then item -> tag -> 'Value' else '[]' end);

-- The values of a private attribute, wherever its creator reserved a block (PS3.5 7.8.1).
create function private_values(item jsonb, creator text, group_number text, element text) returns setof jsonb
    language sql immutable strict parallel safe
begin atomic
    select v.value
    from jsonb_each(case jsonb_typeof(item) when 'object' then item else '{}' end) block,
        element_values(item, group_number || substr(block.key, 7, 2) || element) v (value)
    where block.key like group_number || '00__' and block.key >= group_number || '0010'
        and jsonb_typeof(block.value) = 'object'
        and btrim(block.value -> 'Value' ->> 0) = creator;
end;

-- A value as text: each group of a PN, which is an object; any other value itself.
create function value_texts(value jsonb) returns setof text
    language sql immutable strict parallel safe
begin atomic
    select value #>> '{}' where jsonb_typeof(value) <> 'object'
    union all
    select g.value from jsonb_each_text(case jsonb_typeof(value) when 'object' then value else '{}' end) g;
end;

-- A value as a number, null when it is none: DS and IS come as numbers and as strings.
create function numeric_value(value text) returns numeric
    language sql immutable strict parallel safe
    return case when value ~ '^\s*[+-]?(\d{1,60}\.?\d{0,60}|\.\d{1,60})([eE][+-]?\d{1,3})?\s*$' then value::numeric end;

-- A value as an integer, null when it is none or does not fit.
create function integer_value(value text) returns integer
    language sql immutable strict parallel safe
    return case when numeric_value(value) = trunc(numeric_value(value)) and abs(numeric_value(value)) < 2147483648
        then numeric_value(value)::integer end;

-- A number of series or instances as GraphQL can tell it; null where it is none that there can be.
create function count_value(number numeric) returns integer
    language sql immutable strict parallel safe
    return case when number between 0 and 2147483647 then number::integer end;

-- A DA, TM or DT without its punctuation, so that text order is time order.
create function moment_value(value text) returns text
    language sql immutable strict parallel safe
    return translate(value, '.:- T', '');

-- ---- archives -------------------------------------------------------------------------------------

create table archive (
    archive_id smallint generated always as identity primary key,
    code text not null unique,
    ern text not null,
    title text not null,
    kind text not null,
    index_level text not null check (index_level in ('study', 'series', 'instance')),
    rank smallint not null,
    enabled boolean not null default true,
    -- the last look at it
    health_state text not null default 'UNKNOWN' check (health_state in ('UP', 'DEGRADED', 'DOWN', 'UNKNOWN')),
    health_checked_at timestamptz,
    health_latency_ms double precision,
    health_error_code text,
    health_error_message text,
    capabilities jsonb not null default '{}',
    -- how far the index has come
    change_cursor bigint,
    last_completed_at timestamptz,
    -- the last complete pass that also found deletions
    last_reconciled_at timestamptz,
    last_change_at timestamptz
);

-- One run of the indexer over one archive; `checkpoint` is the last StudyInstanceUID written, or
-- 'date: YYYY-MM-DD' when it goes by date windows; `change_cursor` is where the feed stood when it began.
create table index_run (
    run_id bigint generated always as identity primary key,
    archive_id smallint not null references archive on delete cascade,
    kind text not null check (kind in ('full', 'incremental')),
    state text not null default 'running' check (state in ('running', 'completed', 'failed', 'interrupted')),
    started_at timestamptz not null default now(),
    touched_at timestamptz not null default now(),
    finished_at timestamptz,
    checkpoint text collate "C" not null default '',
    change_cursor bigint,
    done integer not null default 0,
    total integer,
    rejected integer not null default 0,
    removed integer not null default 0,
    error_code text,
    error_message text
);
-- The newest run of an archive: its index state (index_states), and where the next one goes on.
create index index_run_newest on index_run (archive_id, run_id desc);

-- Rows of an archive that could not become records, with the reason: counted, never lost, never fatal. lost: it is
-- not in the index, or not as the archive has it now; else what of it is not right there.
create table rejected_record (
    rejected_id bigint generated always as identity primary key,
    archive_id smallint not null references archive on delete cascade,
    level text not null,
    uid text,
    reason text not null,
    data jsonb not null,
    lost boolean not null default true,
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    fingerprint text generated always as (md5(data::text)) stored,
    unique (archive_id, level, fingerprint)
);
-- Lost studies: how many each archive has (rejected_study), and that a listing need not ask for them again (runs.sql).
create index rejected_record_lost on rejected_record (archive_id, uid) where lost and level = 'study';

-- How many studies of each archive are lost in this way.
create view rejected_study as
    select archive_id, count(*)::integer as studies from rejected_record
    where lost and level = 'study' group by archive_id;

-- Keys that every API process of this federation shares.
create table secret (
    name text primary key,
    value bytea not null
);

-- ---- copies ---------------------------------------------------------------------------------------
-- Below a study UIDs name something only together with those above: two patients may have series of one UID
-- (docs/decisions/0015-identity-below-a-study.md). A family is all rows of one StudyInstanceUID.

-- Two PatientIDs under one StudyInstanceUID in one archive happen: patient_key keeps both.
create table study (
    study_pk bigint generated always as identity primary key,
    archive_id smallint not null references archive on delete cascade,
    study_uid text collate "C" not null,
    study_date date,
    study_time time,
    accession_number text collate "C",
    study_id text collate "C",
    study_description text,
    referring_physician_name text,
    patient_id text collate "C",
    issuer_of_patient_id text collate "C",
    patient_name text,
    patient_birth_date date,
    patient_sex text collate "C",
    modalities text[] not null default '{}',
    number_of_series integer,
    number_of_instances integer,
    -- this UID is in more than one row
    shared boolean not null default false,
    -- words of its own description and of its series
    search tsvector not null default '',
    -- the whole data set, and the modalities as the archive told them
    data jsonb not null,
    synced_at timestamptz not null default now(),
    -- when its series were indexed; null: only on demand
    series_synced_at timestamptz,
    patient_key text collate "C" not null
        generated always as (coalesce(patient_id, '') || '\' || coalesce(issuer_of_patient_id, '')) stored,
    unique (archive_id, study_uid, patient_key)
);

create table series (
    series_pk bigint generated always as identity primary key,
    archive_id smallint not null references archive on delete cascade,
    study_uid text collate "C" not null,
    series_uid text collate "C" not null,
    modality text collate "C",
    series_number integer,
    series_date date,
    series_time time,
    series_description text,
    body_part_examined text collate "C",
    laterality text collate "C",
    protocol_name text,
    manufacturer text collate "C",
    manufacturer_model_name text collate "C",
    number_of_instances integer,
    shared boolean not null default false,
    data jsonb not null,
    synced_at timestamptz not null default now(),
    -- when its instances were indexed; null: only on demand
    instances_synced_at timestamptz,
    unique (archive_id, series_uid, study_uid)
);

create table instance (
    instance_pk bigint generated always as identity primary key,
    archive_id smallint not null references archive on delete cascade,
    study_uid text collate "C" not null,
    series_uid text collate "C" not null,
    sop_uid text collate "C" not null,
    sop_class_uid text collate "C",
    instance_number integer,
    rows integer,
    columns integer,
    number_of_frames integer,
    transfer_syntax_uid text collate "C",
    shared boolean not null default false,
    data jsonb not null,
    synced_at timestamptz not null default now(),
    -- when the full data set was fetched; null: `data` is what the search answered
    metadata_synced_at timestamptz,
    unique (archive_id, sop_uid, series_uid, study_uid)
);

-- ---- what a study row knows from its data set and its series -----------------------------------------

-- series_known: the archive's series are indexed, so what they say wins over the data set's figures. A word of the
-- study's description has weight A, one of its series B.
create function study_facts(archive smallint, uid text, data jsonb, description text, series_known boolean)
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

-- ---- pages: (sort value, uid ascending), nulls last in both directions ---------------------------
-- Each serves the pages of one orderBy in one direction (db/lists/pages.py), from either end and from a cursor's position.
-- Shared families page apart, so each order also has an index of their rows alone; orders by what is united have none, as
-- no index knows a union.

-- studies(orderBy: STUDY_DATE), newest first where nothing is asked for; and filters by date
create index study_page_date on study (study_date, study_uid);
create index study_page_date_desc on study (study_date desc nulls last, study_uid);
create index study_shared_date on study (study_date, study_uid) where shared;
create index study_shared_date_desc on study (study_date desc nulls last, study_uid) where shared;
-- PATIENT_NAME
create index study_page_patient_name on study (fold(patient_name), study_uid);
create index study_page_patient_name_desc on study (fold(patient_name) desc nulls last, study_uid);
create index study_shared_patient_name on study (fold(patient_name), study_uid) where shared;
create index study_shared_patient_name_desc on study (fold(patient_name) desc nulls last, study_uid) where shared;
-- PATIENT_ID, and filters by the exact id
create index study_page_patient_id on study (patient_id, study_uid);
create index study_page_patient_id_desc on study (patient_id desc nulls last, study_uid);
create index study_shared_patient_id on study (patient_id, study_uid) where shared;
create index study_shared_patient_id_desc on study (patient_id desc nulls last, study_uid) where shared;
-- ACCESSION_NUMBER, and filters by exact numbers
create index study_page_accession_number on study (accession_number, study_uid);
create index study_page_accession_number_desc on study (accession_number desc nulls last, study_uid);
create index study_shared_accession_number on study (accession_number, study_uid) where shared;
create index study_shared_accession_number_desc on study (accession_number desc nulls last, study_uid) where shared;
-- STUDY_DESCRIPTION, and filters by exact texts
create index study_page_description on study (fold(study_description), study_uid);
create index study_page_description_desc on study (fold(study_description) desc nulls last, study_uid);
create index study_shared_description on study (fold(study_description), study_uid) where shared;
create index study_shared_description_desc on study (fold(study_description) desc nulls last, study_uid) where shared;
-- PATIENT_BIRTH_DATE
create index study_page_birth_date on study (patient_birth_date, study_uid);
create index study_page_birth_date_desc on study (patient_birth_date desc nulls last, study_uid);
create index study_shared_birth_date on study (patient_birth_date, study_uid) where shared;
create index study_shared_birth_date_desc on study (patient_birth_date desc nulls last, study_uid) where shared;
-- MODALITY, of a study the first one
create index study_page_modality on study ((modalities[1]), study_uid);
create index study_page_modality_desc on study ((modalities[1]) desc nulls last, study_uid);
-- NUMBER_OF_SERIES, NUMBER_OF_INSTANCES
create index study_page_series on study (number_of_series, study_uid);
create index study_page_series_desc on study (number_of_series desc nulls last, study_uid);
create index study_page_instances on study (number_of_instances, study_uid);
create index study_page_instances_desc on study (number_of_instances desc nulls last, study_uid);
-- SYNCED_AT
create index study_page_synced on study (synced_at, study_uid);
create index study_page_synced_desc on study (synced_at desc, study_uid);
create index study_shared_synced on study (synced_at, study_uid) where shared;
create index study_shared_synced_desc on study (synced_at desc, study_uid) where shared;
-- series(orderBy: SERIES_NUMBER), which is where nothing is asked for
create index series_page_number on series (series_number, series_uid);
create index series_page_number_desc on series (series_number desc nulls last, series_uid);
create index series_shared_number on series (series_number, series_uid) where shared;
create index series_shared_number_desc on series (series_number desc nulls last, series_uid) where shared;
-- SERIES_DATE, and filters by date
create index series_page_date on series (series_date, series_uid);
create index series_page_date_desc on series (series_date desc nulls last, series_uid);
create index series_shared_date on series (series_date, series_uid) where shared;
create index series_shared_date_desc on series (series_date desc nulls last, series_uid) where shared;
-- MODALITY, and filters by it
create index series_page_modality on series (modality, series_uid);
create index series_page_modality_desc on series (modality desc nulls last, series_uid);
create index series_shared_modality on series (modality, series_uid) where shared;
create index series_shared_modality_desc on series (modality desc nulls last, series_uid) where shared;
-- SERIES_DESCRIPTION, and filters by exact texts
create index series_page_description on series (fold(series_description), series_uid);
create index series_page_description_desc on series (fold(series_description) desc nulls last, series_uid);
create index series_shared_description on series (fold(series_description), series_uid) where shared;
create index series_shared_description_desc on series (fold(series_description) desc nulls last, series_uid) where shared;
-- NUMBER_OF_INSTANCES
create index series_page_instances on series (number_of_instances, series_uid);
create index series_page_instances_desc on series (number_of_instances desc nulls last, series_uid);
-- instances(orderBy: INSTANCE_NUMBER), which is where nothing is asked for
create index instance_page_number on instance (instance_number, sop_uid);
create index instance_page_number_desc on instance (instance_number desc nulls last, sop_uid);
create index instance_shared_number on instance (instance_number, sop_uid) where shared;
create index instance_shared_number_desc on instance (instance_number desc nulls last, sop_uid) where shared;
-- counts (db/lists/counts.py) and pages of unions: the shared families, whichever order; of instances also the order
-- SOP_INSTANCE_UID
create index study_shared on study (study_uid) where shared;
create index series_shared on series (series_uid) where shared;
create index instance_shared on instance (sop_uid) where shared;

-- ---- families: from a UID to its copies, from a parent to its children -----------------------------

-- nodes by their key, copies of a node, the best of them (is_best in db/lists/part.py)
create index study_by_uid on study (study_uid);
create index series_by_uid on series (series_uid);
-- children of a study (page_by_parent), unions of its copies, and what a writer derives of a family (derive.sql)
create index series_by_study on series (study_uid, series_uid, archive_id);
-- what a list lacks below its copies, to be fetched or reported (db/lists/gaps.py)
create index study_unindexed on study (archive_id, study_uid) where series_synced_at is null;
create index series_unindexed on series (archive_id, series_uid) where instances_synced_at is null;
-- instances by key; children of a series
create index instance_by_uid on instance (sop_uid);
create index instance_by_series on instance (study_uid, series_uid, archive_id);

-- ---- filters ----------------------------------------------------------------------------------------

-- startsWith, contains and wildcard of each text: trigrams of what is compared (db/lists/where.py); `_eq`: eq of a name
-- by any of its groups
create index study_patient_name_like on study using gin (fold(patient_name) gin_trgm_ops);
create index study_patient_name_eq on study using gin (name_groups(patient_name));
create index study_referring_name_eq on study using gin (name_groups(referring_physician_name));
create index study_referring_name_like on study using gin (fold(referring_physician_name) gin_trgm_ops);
create index study_description_like on study using gin (fold(study_description) gin_trgm_ops);
create index study_patient_id_like on study using gin (fold(patient_id) gin_trgm_ops);
create index study_accession_like on study using gin (fold(accession_number) gin_trgm_ops);
-- eq of StudyID, which has no order
create index study_study_id on study (study_id);
create index study_study_id_like on study using gin (fold(study_id) gin_trgm_ops);
-- eq of counts in the default order: the page is read where the number stands, newest first
create index study_series on study (number_of_series, study_date desc nulls last, study_uid);
create index study_instances on study (number_of_instances, study_date desc nulls last, study_uid);
-- eq and ranges of PatientBirthDate
create index study_birth_date on study (patient_birth_date);
-- modalitiesInStudy: has
create index study_modalities on study using gin (modalities);
-- `text` (db/lists/text_search.py); of series: 0008_names.sql
create index study_search on study using gin (search);
-- eq and in of what has no order, in lists of series and below filters of studies
create index series_body_part on series (body_part_examined);
create index series_manufacturer on series (manufacturer);
create index series_model on series (manufacturer_model_name);
-- patterns, as of studies
create index series_description_like on series using gin (fold(series_description) gin_trgm_ops);
create index series_protocol_like on series using gin (fold(protocol_name) gin_trgm_ops);
-- eq and in of SOPClassUID
create index instance_sop_class on instance (sop_class_uid);

-- A LIKE is estimated by how many of the sampled values it matches: of a hundred, one says one percent, and a
-- page then walks its order instead of the trigram index. A thousand tell rare from common.
alter index study_page_patient_name alter column 1 set statistics 1000;
alter index study_page_description alter column 1 set statistics 1000;
alter index study_referring_name_like alter column 1 set statistics 1000;
alter index study_patient_id_like alter column 1 set statistics 1000;
alter index study_accession_like alter column 1 set statistics 1000;
alter index series_page_description alter column 1 set statistics 1000;
alter index series_protocol_like alter column 1 set statistics 1000;
create statistics study_patient_sex on fold(patient_sex) from study;
