-- All migrations in one, made by `python -m db.schema`. Change db/migrations, not this file.

CREATE SCHEMA counts;

CREATE SCHEMA jobs;

CREATE SCHEMA pseudonymised;

CREATE SCHEMA pseudonyms;

CREATE SCHEMA records;

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;

CREATE EXTENSION IF NOT EXISTS unaccent WITH SCHEMA public;

CREATE TYPE jobs.pgqueuer_status AS ENUM (
    'queued',
    'picked',
    'successful',
    'exception',
    'canceled',
    'deleted',
    'failed'
);

CREATE TYPE public.instance_group AS (
	sop_class_uid text,
	instances integer
);

CREATE TYPE public.series_group AS (
	modality text,
	body_part_examined text,
	manufacturer text,
	series_description text,
	series integer,
	instances integer
);

CREATE FUNCTION public.scope_of(name text) RETURNS smallint[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (COALESCE(NULLIF(current_setting(('ernfed.'::text || name), true), ''::text), '{}'::text))::smallint[];

CREATE TABLE public.consent (
    archive_id smallint NOT NULL,
    study_uid text NOT NULL COLLATE pg_catalog."C",
    care boolean DEFAULT false NOT NULL,
    registry boolean DEFAULT false NOT NULL,
    research boolean DEFAULT false NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_by text NOT NULL,
    given_at timestamp with time zone
);

CREATE TABLE public.series (
    series_pk bigint NOT NULL,
    archive_id smallint NOT NULL,
    study_uid text NOT NULL COLLATE pg_catalog."C",
    series_uid text NOT NULL COLLATE pg_catalog."C",
    modality text COLLATE pg_catalog."C",
    series_number integer,
    series_date date,
    series_time time without time zone,
    series_description text,
    body_part_examined text COLLATE pg_catalog."C",
    laterality text COLLATE pg_catalog."C",
    protocol_name text,
    manufacturer text COLLATE pg_catalog."C",
    manufacturer_model_name text COLLATE pg_catalog."C",
    number_of_instances integer,
    shared boolean DEFAULT false NOT NULL,
    data jsonb NOT NULL,
    synced_at timestamp with time zone DEFAULT now() NOT NULL,
    instances_synced_at timestamp with time zone,
    representative jsonb,
    representative_synced_at timestamp with time zone
);

CREATE VIEW counts.series AS
 SELECT series_pk,
    archive_id,
    study_uid,
    series_uid,
    modality,
    series_number,
    series_date,
    series_time,
    series_description,
    body_part_examined,
    laterality,
    protocol_name,
    manufacturer,
    manufacturer_model_name,
    number_of_instances,
    shared,
    data,
    synced_at,
    instances_synced_at,
    representative,
    representative_synced_at
   FROM public.series s
  WHERE ((archive_id = ANY (( SELECT ((public.scope_of('full'::text) || public.scope_of('pseudonymised'::text)) || public.scope_of('counted'::text)))::smallint[])) AND ((archive_id <> ALL (( SELECT public.scope_of('consented'::text) AS scope_of)::smallint[])) OR (EXISTS ( SELECT
           FROM public.consent c
          WHERE ((c.archive_id = s.archive_id) AND (c.study_uid = s.study_uid) AND c.research)))));

CREATE FUNCTION counts.series_union_instances(uid text, archives smallint[]) RETURNS integer
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT max(series.number_of_instances) AS max
    FROM counts.series
   WHERE ((series.series_uid = series_union_instances.uid) AND (series.archive_id = ANY (series_union_instances.archives)));
END;

CREATE TABLE public.study (
    study_pk bigint NOT NULL,
    archive_id smallint NOT NULL,
    study_uid text NOT NULL COLLATE pg_catalog."C",
    study_date date,
    study_time time without time zone,
    accession_number text COLLATE pg_catalog."C",
    study_id text COLLATE pg_catalog."C",
    study_description text,
    referring_physician_name text,
    patient_id text COLLATE pg_catalog."C",
    issuer_of_patient_id text COLLATE pg_catalog."C",
    patient_name text,
    patient_birth_date date,
    patient_sex text COLLATE pg_catalog."C",
    modalities text[] DEFAULT '{}'::text[] NOT NULL,
    number_of_series integer,
    number_of_instances integer,
    shared boolean DEFAULT false NOT NULL,
    search tsvector DEFAULT ''::tsvector NOT NULL,
    data jsonb NOT NULL,
    synced_at timestamp with time zone DEFAULT now() NOT NULL,
    series_synced_at timestamp with time zone,
    patient_key text GENERATED ALWAYS AS (((COALESCE(patient_id, ''::text) || '\'::text) || COALESCE(issuer_of_patient_id, ''::text))) STORED NOT NULL COLLATE pg_catalog."C",
    patient_name_keys tsvector DEFAULT ''::tsvector NOT NULL,
    patient_name_forms text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    referring_physician_name_keys tsvector DEFAULT ''::tsvector NOT NULL,
    referring_physician_name_forms text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C"
);

CREATE VIEW counts.study AS
 SELECT study_pk,
    archive_id,
    study_uid,
    study_date,
    study_time,
    accession_number,
    study_id,
    study_description,
    referring_physician_name,
    patient_id,
    issuer_of_patient_id,
    patient_name,
    patient_birth_date,
    patient_sex,
    modalities,
    number_of_series,
    number_of_instances,
    shared,
    search,
    data,
    synced_at,
    series_synced_at,
    patient_key,
    patient_name_keys,
    patient_name_forms,
    referring_physician_name_keys,
    referring_physician_name_forms
   FROM public.study s
  WHERE ((archive_id = ANY (( SELECT ((public.scope_of('full'::text) || public.scope_of('pseudonymised'::text)) || public.scope_of('counted'::text)))::smallint[])) AND ((archive_id <> ALL (( SELECT public.scope_of('consented'::text) AS scope_of)::smallint[])) OR (EXISTS ( SELECT
           FROM public.consent c
          WHERE ((c.archive_id = s.archive_id) AND (c.study_uid = s.study_uid) AND c.research)))));

CREATE FUNCTION counts.study_union_instances(uid text, archives smallint[]) RETURNS integer
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT (GREATEST(( SELECT sum(largest.n) AS sum
            FROM ( SELECT max(series.number_of_instances) AS n
                    FROM counts.series
                   WHERE ((series.study_uid = study_union_instances.uid) AND (series.archive_id = ANY (study_union_instances.archives)))
                   GROUP BY series.series_uid) largest), (( SELECT max(study.number_of_instances) AS max
            FROM counts.study
           WHERE ((study.study_uid = study_union_instances.uid) AND (study.archive_id = ANY (study_union_instances.archives)))))::bigint))::integer AS "greatest";
END;

CREATE FUNCTION counts.study_union_modalities(uid text, archives smallint[]) RETURNS text[]
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT COALESCE(array_agg(DISTINCT modality.modality ORDER BY modality.modality), '{}'::text[]) AS "coalesce"
    FROM counts.study,
     LATERAL unnest(study.modalities) modality(modality)
   WHERE ((study.study_uid = study_union_modalities.uid) AND (study.archive_id = ANY (study_union_modalities.archives)));
END;

CREATE FUNCTION counts.study_union_series(uid text, archives smallint[]) RETURNS integer
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT (GREATEST(( SELECT count(DISTINCT series.series_uid) AS count
            FROM counts.series
           WHERE ((series.study_uid = study_union_series.uid) AND (series.archive_id = ANY (study_union_series.archives)))), (( SELECT max(study.number_of_series) AS max
            FROM counts.study
           WHERE ((study.study_uid = study_union_series.uid) AND (study.archive_id = ANY (study_union_series.archives)))))::bigint))::integer AS "greatest";
END;

CREATE FUNCTION jobs.fn_pgqueuer_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    to_emit BOOLEAN := false;  -- Flag to decide whether to emit a notification
BEGIN
    -- Check operation type and set the emit flag accordingly
    IF TG_OP = 'UPDATE' AND OLD IS DISTINCT FROM NEW THEN
        to_emit := true;
    ELSIF TG_OP = 'DELETE' THEN
        to_emit := true;
    ELSIF TG_OP = 'INSERT' THEN
        to_emit := true;
    ELSIF TG_OP = 'TRUNCATE' THEN
        to_emit := true;
    END IF;

    -- Perform notification if the emit flag is set
    IF to_emit THEN
        PERFORM pg_notify(
            'ernfed_jobs',
            json_build_object(
                'channel', 'ernfed_jobs',
                'operation', lower(TG_OP),
                'sent_at', NOW(),
                'table', TG_TABLE_NAME,
                'type', 'table_changed_event'
            )::text
        );
    END IF;

    -- Return appropriate value based on the operation
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        RETURN NEW;
    ELSIF TG_OP = 'DELETE' THEN
        RETURN OLD;
    ELSE
        RETURN NULL; -- For TRUNCATE and other non-row-specific contexts
    END IF;

END;
$$;

CREATE TABLE pseudonymised.series (
    series_pk bigint NOT NULL,
    archive_id smallint NOT NULL,
    study_uid text NOT NULL COLLATE pg_catalog."C",
    series_uid text NOT NULL COLLATE pg_catalog."C",
    modality text COLLATE pg_catalog."C",
    series_number integer,
    series_date date,
    series_time time without time zone,
    series_description text,
    body_part_examined text COLLATE pg_catalog."C",
    laterality text COLLATE pg_catalog."C",
    protocol_name text,
    manufacturer text COLLATE pg_catalog."C",
    manufacturer_model_name text COLLATE pg_catalog."C",
    number_of_instances integer,
    shared boolean DEFAULT false NOT NULL,
    data jsonb NOT NULL,
    synced_at timestamp with time zone DEFAULT now() NOT NULL,
    instances_synced_at timestamp with time zone,
    source_pk bigint NOT NULL,
    key_id text DEFAULT ''::text NOT NULL,
    research boolean DEFAULT false NOT NULL,
    made_for text DEFAULT ''::text NOT NULL,
    representative jsonb,
    representative_synced_at timestamp with time zone
);

CREATE VIEW pseudonyms.series AS
 SELECT series_pk,
    archive_id,
    study_uid,
    series_uid,
    modality,
    series_number,
    series_date,
    series_time,
    series_description,
    body_part_examined,
    laterality,
    protocol_name,
    manufacturer,
    manufacturer_model_name,
    number_of_instances,
    shared,
    data,
    synced_at,
    instances_synced_at,
    source_pk,
    key_id,
    research,
    made_for,
    representative,
    representative_synced_at
   FROM pseudonymised.series p
  WHERE ((archive_id = ANY (( SELECT public.scope_of('pseudonymised'::text) AS scope_of)::smallint[])) AND ((archive_id <> ALL (( SELECT public.scope_of('consented'::text) AS scope_of)::smallint[])) OR research));

CREATE FUNCTION pseudonyms.series_union_instances(uid text, archives smallint[]) RETURNS integer
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT max(series.number_of_instances) AS max
    FROM pseudonyms.series
   WHERE ((series.series_uid = series_union_instances.uid) AND (series.archive_id = ANY (series_union_instances.archives)));
END;

CREATE TABLE pseudonymised.study (
    study_pk bigint NOT NULL,
    archive_id smallint NOT NULL,
    study_uid text NOT NULL COLLATE pg_catalog."C",
    study_date date,
    study_time time without time zone,
    accession_number text COLLATE pg_catalog."C",
    study_id text COLLATE pg_catalog."C",
    study_description text,
    referring_physician_name text,
    patient_id text COLLATE pg_catalog."C",
    issuer_of_patient_id text COLLATE pg_catalog."C",
    patient_name text,
    patient_birth_date date,
    patient_sex text COLLATE pg_catalog."C",
    modalities text[] DEFAULT '{}'::text[] NOT NULL,
    number_of_series integer,
    number_of_instances integer,
    shared boolean DEFAULT false NOT NULL,
    search tsvector DEFAULT ''::tsvector NOT NULL,
    data jsonb NOT NULL,
    synced_at timestamp with time zone DEFAULT now() NOT NULL,
    series_synced_at timestamp with time zone,
    patient_key text GENERATED ALWAYS AS (((COALESCE(patient_id, ''::text) || '\'::text) || COALESCE(issuer_of_patient_id, ''::text))) STORED NOT NULL COLLATE pg_catalog."C",
    source_pk bigint NOT NULL,
    key_id text DEFAULT ''::text NOT NULL,
    research boolean DEFAULT false NOT NULL,
    made_for text DEFAULT ''::text NOT NULL,
    patient_name_keys tsvector DEFAULT ''::tsvector NOT NULL,
    patient_name_forms text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    referring_physician_name_keys tsvector DEFAULT ''::tsvector NOT NULL,
    referring_physician_name_forms text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C"
);

CREATE VIEW pseudonyms.study AS
 SELECT study_pk,
    archive_id,
    study_uid,
    study_date,
    study_time,
    accession_number,
    study_id,
    study_description,
    referring_physician_name,
    patient_id,
    issuer_of_patient_id,
    patient_name,
    patient_birth_date,
    patient_sex,
    modalities,
    number_of_series,
    number_of_instances,
    shared,
    search,
    data,
    synced_at,
    series_synced_at,
    patient_key,
    source_pk,
    key_id,
    research,
    made_for,
    patient_name_keys,
    patient_name_forms,
    referring_physician_name_keys,
    referring_physician_name_forms
   FROM pseudonymised.study p
  WHERE ((archive_id = ANY (( SELECT public.scope_of('pseudonymised'::text) AS scope_of)::smallint[])) AND ((archive_id <> ALL (( SELECT public.scope_of('consented'::text) AS scope_of)::smallint[])) OR research));

CREATE FUNCTION pseudonyms.study_union_instances(uid text, archives smallint[]) RETURNS integer
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT (GREATEST(( SELECT sum(largest.n) AS sum
            FROM ( SELECT max(series.number_of_instances) AS n
                    FROM pseudonyms.series
                   WHERE ((series.study_uid = study_union_instances.uid) AND (series.archive_id = ANY (study_union_instances.archives)))
                   GROUP BY series.series_uid) largest), (( SELECT max(study.number_of_instances) AS max
            FROM pseudonyms.study
           WHERE ((study.study_uid = study_union_instances.uid) AND (study.archive_id = ANY (study_union_instances.archives)))))::bigint))::integer AS "greatest";
END;

CREATE FUNCTION pseudonyms.study_union_modalities(uid text, archives smallint[]) RETURNS text[]
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT COALESCE(array_agg(DISTINCT modality.modality ORDER BY modality.modality), '{}'::text[]) AS "coalesce"
    FROM pseudonyms.study,
     LATERAL unnest(study.modalities) modality(modality)
   WHERE ((study.study_uid = study_union_modalities.uid) AND (study.archive_id = ANY (study_union_modalities.archives)));
END;

CREATE FUNCTION pseudonyms.study_union_series(uid text, archives smallint[]) RETURNS integer
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT (GREATEST(( SELECT count(DISTINCT series.series_uid) AS count
            FROM pseudonyms.series
           WHERE ((series.study_uid = study_union_series.uid) AND (series.archive_id = ANY (study_union_series.archives)))), (( SELECT max(study.number_of_series) AS max
            FROM pseudonyms.study
           WHERE ((study.study_uid = study_union_series.uid) AND (study.archive_id = ANY (study_union_series.archives)))))::bigint))::integer AS "greatest";
END;

CREATE FUNCTION public.age_band(study_date date, patient_birth_date date) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ((study_date < patient_birth_date) OR (EXTRACT(year FROM age((study_date)::timestamp without time zone, (patient_birth_date)::timestamp without time zone)) > (130)::numeric)) THEN NULL::text WHEN (EXTRACT(year FROM age((study_date)::timestamp without time zone, (patient_birth_date)::timestamp without time zone)) >= (90)::numeric) THEN '90+'::text ELSE ((((((EXTRACT(year FROM age((study_date)::timestamp without time zone, (patient_birth_date)::timestamp without time zone)))::integer / 5) * 5))::text || '-'::text) || (((((EXTRACT(year FROM age((study_date)::timestamp without time zone, (patient_birth_date)::timestamp without time zone)))::integer / 5) * 5) + 4))::text) END;

CREATE FUNCTION public.audit_append(lines text[], times timestamp with time zone[], touch_line integer[], touch_key bytea[]) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
    line text;
    head bytea;
    before bigint;
    number bigint;
begin
    perform pg_advisory_xact_lock(1634493799);
    select e.id, e.digest into before, head from audit_event e order by e.id desc limit 1;
    if not found then
        before := 0;
        head := decode(repeat('00', 32), 'hex');
    end if;
    number := before;
    foreach line in array lines loop
        number := number + 1;
        head := sha256(head || convert_to(line, 'UTF8'));
        insert into audit_event (id, at, digest, payload) values (number, times[number - before], head, line);
    end loop;
    insert into audit_touch (key, event_id)
        select t.key, before + t.line from unnest(touch_line, touch_key) t (line, key);
    return number;
end $$;

CREATE FUNCTION public.audit_refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise insufficient_privilege using message = format('%s is append-only', tg_table_name);
end $$;

CREATE TABLE public.study_fact (
    study_uid text NOT NULL COLLATE pg_catalog."C",
    archive_id smallint NOT NULL,
    person text NOT NULL COLLATE pg_catalog."C",
    study_date date,
    patient_birth_date date,
    patient_sex text COLLATE pg_catalog."C",
    study_description text,
    modalities text[] NOT NULL,
    body_parts text[] NOT NULL,
    manufacturers text[] NOT NULL,
    series_descriptions text[] NOT NULL,
    sop_classes text[] NOT NULL,
    number_of_series integer NOT NULL,
    number_of_instances integer NOT NULL,
    series_groups public.series_group[] NOT NULL,
    instance_groups public.instance_group[] NOT NULL,
    series_rows integer NOT NULL,
    instance_rows integer NOT NULL
);

CREATE FUNCTION public.cells_of(f public.study_fact) RETURNS TABLE(kind smallint, study_date date, patient_birth_date date, patient_sex text, age_band text, study_description text, series_description text, modalities text[], body_parts text[], manufacturers text[], sop_classes text[], nodes integer, number_of_series integer, number_of_instances integer, series_rows integer, instance_rows integer)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT (0)::smallint AS int2,
     NULL::date AS date,
     NULL::date AS date,
     NULL::text AS text,
     NULL::text AS text,
     NULL::text AS text,
     NULL::text AS text,
     NULL::text[] AS text,
     NULL::text[] AS text,
     NULL::text[] AS text,
     NULL::text[] AS text,
     1,
     (cells_of.f).number_of_series AS number_of_series,
     (cells_of.f).number_of_instances AS number_of_instances,
     (cells_of.f).series_rows AS series_rows,
     (cells_of.f).instance_rows AS instance_rows
 UNION ALL
  SELECT 1,
     (date_trunc('year'::text, ((cells_of.f).study_date)::timestamp without time zone))::date AS date_trunc,
     NULL::date,
     (cells_of.f).patient_sex AS patient_sex,
     NULL::text,
     NULL::text,
     NULL::text,
     (cells_of.f).modalities AS modalities,
     (cells_of.f).body_parts AS body_parts,
     NULL::text[],
     NULL::text[],
     1,
     (cells_of.f).number_of_series AS number_of_series,
     (cells_of.f).number_of_instances AS number_of_instances,
     0,
     0
 UNION ALL
  SELECT 2,
     NULL::date,
     NULL::date,
     NULL::text,
     NULL::text,
     NULL::text,
     NULL::text,
     (cells_of.f).modalities AS modalities,
     (cells_of.f).body_parts AS body_parts,
     (cells_of.f).manufacturers AS manufacturers,
     NULL::text[],
     1,
     (cells_of.f).number_of_series AS number_of_series,
     (cells_of.f).number_of_instances AS number_of_instances,
     0,
     0
 UNION ALL
  SELECT 3,
     NULL::date,
     NULL::date,
     (cells_of.f).patient_sex AS patient_sex,
     public.age_band((cells_of.f).study_date, (cells_of.f).patient_birth_date) AS age_band,
     NULL::text,
     NULL::text,
     (cells_of.f).modalities AS modalities,
     NULL::text[],
     NULL::text[],
     NULL::text[],
     1,
     (cells_of.f).number_of_series AS number_of_series,
     (cells_of.f).number_of_instances AS number_of_instances,
     0,
     0
 UNION ALL
  SELECT 4,
     (date_trunc('month'::text, ((cells_of.f).study_date)::timestamp without time zone))::date AS date_trunc,
     NULL::date,
     (cells_of.f).patient_sex AS patient_sex,
     NULL::text,
     NULL::text,
     NULL::text,
     (cells_of.f).modalities AS modalities,
     NULL::text[],
     NULL::text[],
     NULL::text[],
     1,
     (cells_of.f).number_of_series AS number_of_series,
     (cells_of.f).number_of_instances AS number_of_instances,
     0,
     0
 UNION ALL
  SELECT 5,
     NULL::date,
     NULL::date,
     NULL::text,
     NULL::text,
     NULL::text,
     NULL::text,
     NULL::text[],
     NULL::text[],
     NULL::text[],
     (cells_of.f).sop_classes AS sop_classes,
     1,
     (cells_of.f).number_of_series AS number_of_series,
     (cells_of.f).number_of_instances AS number_of_instances,
     0,
     0
 UNION ALL
  SELECT 6,
     NULL::date,
     NULL::date,
     NULL::text,
     NULL::text,
     (cells_of.f).study_description AS study_description,
     NULL::text,
     NULL::text[],
     NULL::text[],
     NULL::text[],
     NULL::text[],
     1,
     (cells_of.f).number_of_series AS number_of_series,
     (cells_of.f).number_of_instances AS number_of_instances,
     0,
     0
 UNION ALL
  SELECT 7,
     (cells_of.f).study_date AS study_date,
     NULL::date,
     NULL::text,
     NULL::text,
     NULL::text,
     NULL::text,
     NULL::text[],
     NULL::text[],
     NULL::text[],
     NULL::text[],
     1,
     (cells_of.f).number_of_series AS number_of_series,
     (cells_of.f).number_of_instances AS number_of_instances,
     0,
     0
 UNION ALL
  SELECT 8,
     NULL::date,
     (cells_of.f).patient_birth_date AS patient_birth_date,
     NULL::text,
     NULL::text,
     NULL::text,
     NULL::text,
     NULL::text[],
     NULL::text[],
     NULL::text[],
     NULL::text[],
     1,
     (cells_of.f).number_of_series AS number_of_series,
     (cells_of.f).number_of_instances AS number_of_instances,
     0,
     0
 UNION ALL
  SELECT 9,
     NULL::date,
     NULL::date,
     NULL::text,
     NULL::text,
     NULL::text,
     d.d,
     NULL::text[],
     NULL::text[],
     NULL::text[],
     NULL::text[],
     1,
     (cells_of.f).number_of_series AS number_of_series,
     (cells_of.f).number_of_instances AS number_of_instances,
     0,
     0
    FROM unnest(
         CASE
             WHEN ((cells_of.f).series_descriptions = '{}'::text[]) THEN ARRAY[NULL::text]
             ELSE (cells_of.f).series_descriptions
         END) d(d)
 UNION ALL
  SELECT 20,
     NULL::date,
     NULL::date,
     NULL::text,
     NULL::text,
     NULL::text,
     NULL::text,
     array_remove(ARRAY[g.modality], NULL::text) AS array_remove,
     array_remove(ARRAY[g.body_part_examined], NULL::text) AS array_remove,
     array_remove(ARRAY[g.manufacturer], NULL::text) AS array_remove,
     NULL::text[],
     g.series,
     g.series,
     g.instances,
     0,
     0
    FROM unnest((cells_of.f).series_groups) g(modality, body_part_examined, manufacturer, series_description, series, instances)
 UNION ALL
  SELECT 21,
     NULL::date,
     NULL::date,
     NULL::text,
     NULL::text,
     NULL::text,
     g.series_description,
     array_remove(ARRAY[g.modality], NULL::text) AS array_remove,
     NULL::text[],
     NULL::text[],
     NULL::text[],
     g.series,
     g.series,
     g.instances,
     0,
     0
    FROM unnest((cells_of.f).series_groups) g(modality, body_part_examined, manufacturer, series_description, series, instances)
 UNION ALL
  SELECT 22,
     (date_trunc('year'::text, ((cells_of.f).study_date)::timestamp without time zone))::date AS date_trunc,
     NULL::date,
     (cells_of.f).patient_sex AS patient_sex,
     public.age_band((cells_of.f).study_date, (cells_of.f).patient_birth_date) AS age_band,
     NULL::text,
     NULL::text,
     array_remove(ARRAY[g.modality], NULL::text) AS array_remove,
     NULL::text[],
     NULL::text[],
     NULL::text[],
     g.series,
     g.series,
     g.instances,
     0,
     0
    FROM unnest((cells_of.f).series_groups) g(modality, body_part_examined, manufacturer, series_description, series, instances)
 UNION ALL
  SELECT 30,
     NULL::date,
     NULL::date,
     NULL::text,
     NULL::text,
     NULL::text,
     NULL::text,
     NULL::text[],
     NULL::text[],
     NULL::text[],
     array_remove(ARRAY[g.sop_class_uid], NULL::text) AS array_remove,
     g.instances,
     0,
     g.instances,
     0,
     0
    FROM unnest((cells_of.f).instance_groups) g(sop_class_uid, instances);
END;

CREATE FUNCTION public.count_person_sets() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    delete from rollup_person_set;
    insert into rollup_person_set (archives, persons)
    select archives, count(*)
    from (select array_agg(archive_id order by archive_id) as archives from rollup_person group by person) p
    group by archives;
    return null;
end
$$;

CREATE FUNCTION public.element_values(item jsonb, tag text) RETURNS SETOF jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN jsonb_array_elements(CASE jsonb_typeof(((item -> tag) -> 'Value'::text)) WHEN 'array'::text THEN ((item -> tag) -> 'Value'::text) ELSE '[]'::jsonb END);

CREATE TABLE public.instance (
    instance_pk bigint NOT NULL,
    archive_id smallint NOT NULL,
    study_uid text NOT NULL COLLATE pg_catalog."C",
    series_uid text NOT NULL COLLATE pg_catalog."C",
    sop_uid text NOT NULL COLLATE pg_catalog."C",
    sop_class_uid text COLLATE pg_catalog."C",
    instance_number integer,
    rows integer,
    columns integer,
    number_of_frames integer,
    transfer_syntax_uid text COLLATE pg_catalog."C",
    shared boolean DEFAULT false NOT NULL,
    data jsonb NOT NULL,
    synced_at timestamp with time zone DEFAULT now() NOT NULL,
    metadata_synced_at timestamp with time zone
);

CREATE VIEW public.fact_now AS
 SELECT s.study_uid,
    s.archive_id,
        CASE
            WHEN (s.patient_id IS NULL) THEN ('\\'::text || s.study_uid)
            ELSE s.patient_key
        END AS person,
    s.study_date,
    s.patient_birth_date,
    s.patient_sex,
    s.study_description,
    s.modalities,
    COALESCE(x.body_parts, '{}'::text[]) AS body_parts,
    COALESCE(x.manufacturers, '{}'::text[]) AS manufacturers,
    COALESCE(x.series_descriptions, '{}'::text[]) AS series_descriptions,
    COALESCE(i.sop_classes, '{}'::text[]) AS sop_classes,
    COALESCE(s.number_of_series, 0) AS number_of_series,
    COALESCE(s.number_of_instances, 0) AS number_of_instances,
    COALESCE(x.groups, '{}'::public.series_group[]) AS series_groups,
    COALESCE(i.groups, '{}'::public.instance_group[]) AS instance_groups,
    COALESCE(x.series_rows, 0) AS series_rows,
    COALESCE(i.instance_rows, 0) AS instance_rows
   FROM ((public.study s
     CROSS JOIN LATERAL ( SELECT array_agg(DISTINCT g.body_part_examined) FILTER (WHERE (g.body_part_examined IS NOT NULL)) AS body_parts,
            array_agg(DISTINCT g.manufacturer) FILTER (WHERE (g.manufacturer IS NOT NULL)) AS manufacturers,
            array_agg(DISTINCT g.series_description) FILTER (WHERE (g.series_description IS NOT NULL)) AS series_descriptions,
            array_agg(ROW(g.modality, g.body_part_examined, g.manufacturer, g.series_description, g.series, g.instances)::public.series_group ORDER BY g.modality, g.body_part_examined, g.manufacturer, g.series_description) AS groups,
            (sum(g.series))::integer AS series_rows
           FROM ( SELECT series.modality,
                    series.body_part_examined,
                    series.manufacturer,
                    series.series_description,
                    (count(*))::integer AS series,
                    (LEAST(COALESCE(sum(series.number_of_instances), (0)::bigint), (2147483647)::bigint))::integer AS instances
                   FROM public.series
                  WHERE ((series.study_uid = s.study_uid) AND (series.archive_id = s.archive_id))
                  GROUP BY series.modality, series.body_part_examined, series.manufacturer, series.series_description) g) x)
     CROSS JOIN LATERAL ( SELECT array_agg(g.sop_class_uid ORDER BY g.sop_class_uid) FILTER (WHERE (g.sop_class_uid IS NOT NULL)) AS sop_classes,
            array_agg(ROW(g.sop_class_uid, g.instances)::public.instance_group ORDER BY g.sop_class_uid) AS groups,
            (sum(g.instances))::integer AS instance_rows
           FROM ( SELECT instance.sop_class_uid,
                    (count(*))::integer AS instances
                   FROM public.instance
                  WHERE ((instance.study_uid = s.study_uid) AND (instance.archive_id = s.archive_id))
                  GROUP BY instance.sop_class_uid) g) i)
  WHERE (NOT s.shared);

CREATE TABLE public.rollup_cell (
    archive_id smallint NOT NULL,
    kind smallint NOT NULL,
    cell uuid NOT NULL,
    study_date date,
    patient_birth_date date,
    patient_sex text COLLATE pg_catalog."C",
    age_band text COLLATE pg_catalog."C",
    study_description text,
    series_description text,
    modalities text[],
    body_parts text[],
    manufacturers text[],
    sop_classes text[],
    nodes bigint NOT NULL,
    number_of_series bigint NOT NULL,
    number_of_instances bigint NOT NULL,
    series_rows bigint NOT NULL,
    instance_rows bigint NOT NULL
);

CREATE TABLE public.rollup_person (
    person text NOT NULL COLLATE pg_catalog."C",
    archive_id smallint NOT NULL,
    studies integer NOT NULL
);

CREATE TABLE public.rollup_person_set (
    archives smallint[] NOT NULL,
    persons bigint NOT NULL
);

CREATE PROCEDURE public.fill_rollups()
    LANGUAGE sql
    BEGIN ATOMIC
 DELETE FROM public.study_fact;
 DELETE FROM public.rollup_cell;
 DELETE FROM public.rollup_person;
 DELETE FROM public.rollup_person_set;
 INSERT INTO public.study_fact (study_uid, archive_id, person, study_date, patient_birth_date, patient_sex, study_description, modalities, body_parts, manufacturers, series_descriptions, sop_classes, number_of_series, number_of_instances, series_groups, instance_groups, series_rows, instance_rows)  SELECT fact_now.study_uid,
             fact_now.archive_id,
             fact_now.person,
             fact_now.study_date,
             fact_now.patient_birth_date,
             fact_now.patient_sex,
             fact_now.study_description,
             fact_now.modalities,
             fact_now.body_parts,
             fact_now.manufacturers,
             fact_now.series_descriptions,
             fact_now.sop_classes,
             fact_now.number_of_series,
             fact_now.number_of_instances,
             fact_now.series_groups,
             fact_now.instance_groups,
             fact_now.series_rows,
             fact_now.instance_rows
            FROM public.fact_now;
 INSERT INTO public.rollup_cell (archive_id, kind, cell, study_date, patient_birth_date, patient_sex, age_band, study_description, series_description, modalities, body_parts, manufacturers, sop_classes, nodes, number_of_series, number_of_instances, series_rows, instance_rows)  SELECT f.archive_id,
             c.kind,
             (md5((jsonb_build_array(c.study_date, c.patient_birth_date, c.patient_sex, c.age_band, c.study_description, c.series_description, c.modalities, c.body_parts, c.manufacturers, c.sop_classes))::text))::uuid AS md5,
             c.study_date,
             c.patient_birth_date,
             c.patient_sex,
             c.age_band,
             c.study_description,
             c.series_description,
             c.modalities,
             c.body_parts,
             c.manufacturers,
             c.sop_classes,
             sum(c.nodes) AS sum,
             sum(c.number_of_series) AS sum,
             sum(c.number_of_instances) AS sum,
             sum(c.series_rows) AS sum,
             sum(c.instance_rows) AS sum
            FROM (public.study_fact f
              CROSS JOIN LATERAL public.cells_of(f.*) c(kind, study_date, patient_birth_date, patient_sex, age_band, study_description, series_description, modalities, body_parts, manufacturers, sop_classes, nodes, number_of_series, number_of_instances, series_rows, instance_rows))
           GROUP BY f.archive_id, c.kind, c.study_date, c.patient_birth_date, c.patient_sex, c.age_band, c.study_description, c.series_description, c.modalities, c.body_parts, c.manufacturers, c.sop_classes;
 INSERT INTO public.rollup_person (person, archive_id, studies)  SELECT study_fact.person,
             study_fact.archive_id,
             count(*) AS count
            FROM public.study_fact
           GROUP BY study_fact.person, study_fact.archive_id;
 INSERT INTO public.rollup_person_set (archives, persons)  SELECT p.archives,
             count(*) AS count
            FROM ( SELECT array_agg(rollup_person.archive_id ORDER BY rollup_person.archive_id) AS archives
                    FROM public.rollup_person
                   GROUP BY rollup_person.person) p
           GROUP BY p.archives;
END;

CREATE FUNCTION public.fold(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN translate(lower((public.unaccent('public.unaccent'::regdictionary, NORMALIZE(value, NFKC)) COLLATE pg_c_utf8)), 'ς'::text, 'σ'::text);

CREATE FUNCTION public.numeric_value(value text) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN (value ~ '^\s*[+-]?(\d{1,60}\.?\d{0,60}|\.\d{1,60})([eE][+-]?\d{1,3})?\s*$'::text) THEN (value)::numeric ELSE NULL::numeric END;

CREATE FUNCTION public.integer_value(value text) RETURNS integer
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN ((public.numeric_value(value) = trunc(public.numeric_value(value))) AND (abs(public.numeric_value(value)) < ('2147483648'::bigint)::numeric)) THEN (public.numeric_value(value))::integer ELSE NULL::integer END;

CREATE FUNCTION public.like_literal(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN replace(replace(replace(public.fold(value), '\'::text, '\\'::text), '%'::text, '\%'::text), '_'::text, '\_'::text);

CREATE FUNCTION public.like_wildcard(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN replace(replace(public.like_literal(value), '*'::text, '%'::text), '?'::text, '_'::text);

CREATE FUNCTION public.moment_seconds(vr text, value text) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $_$
declare
    part text[];
    leap boolean;
    day bigint := 0;
    clock text[];
begin
    if vr = 'TM' then
        clock := regexp_match(value, '^([0-9]{2}):?(?:([0-9]{2}):?(?:([0-9]{2})(\.[0-9]{1,6})?)?)?$');
    else
        part := case vr
            when 'DA' then regexp_match(value, '^([0-9]{4})(\.?)([0-9]{2})\2([0-9]{2})$')
            else regexp_match(value,
                '^([0-9]{4})()(?:([0-9]{2})(?:([0-9]{2})([0-9.]*))?)?([-+][0-9]{4})?$') end;
        leap := part[1]::integer % 4 = 0 and (part[1]::integer % 100 <> 0 or part[1]::integer % 400 = 0);
        if part is null or part[1] = '0000' or coalesce(part[3], '01') not between '01' and '12'
            or coalesce(part[4]::integer, 1) not between 1 and
                (array[31, case when leap then 29 else 28 end, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
                    [coalesce(part[3]::integer, 1)] then
            return null;
        end if;
        day := (make_date(part[1]::integer, coalesce(part[3]::integer, 1), coalesce(part[4]::integer, 1))
            - date '1970-01-01')::bigint;
        clock := regexp_match(coalesce(nullif(part[5], ''), '00'),
            '^([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(\.[0-9]{1,6})?)?)?$');
        day := day * 86400 - case
            when part[6] is null then 0
            else (left(part[6], 1) || '1')::integer
                * (substr(part[6], 2, 2)::integer * 3600 + right(part[6], 2)::integer * 60) end;
    end if;
    if clock is null or clock[1] > '23' or clock[2] > '59' or clock[3] > '60' then
        return null;
    end if;
    -- a leap second is legal in TM and DT, and unknown to clocks
    return day + clock[1]::integer * 3600 + coalesce(clock[2]::integer, 0) * 60
        + least(coalesce(clock[3]::integer, 0), 59) + coalesce(clock[4]::numeric, 0);
end $_$;

CREATE FUNCTION public.moment_value(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN translate(value, '.:- T'::text, ''::text);

CREATE FUNCTION public.name_groups(value text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (string_to_array(value, '='::text) || value);

CREATE FUNCTION public.name_is_read(keys tsvector) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE COST 200 PARALLEL SAFE
    AS $$begin return true; end$$;

CREATE FUNCTION public.name_likeness(forms text, plain text, sound text) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN GREATEST(((public.similarity(plain, split_part(forms, '='::text, 1)) + public.similarity(sound, split_part(forms, '='::text, 2))))::double precision, ((2)::double precision * public.similarity(plain, split_part(forms, '='::text, 3))), ((2)::double precision * public.similarity(plain, split_part(forms, '='::text, 4))));

CREATE FUNCTION public.path_texts(data jsonb, path text[]) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE COST 300 PARALLEL SAFE
    AS $$
declare
    items jsonb[] := array[data];
    step text;
begin
    if data is null or left(path[1], 1) <> '(' and data -> path[1] is null then
        return '{}';
    end if;
    foreach step in array path loop
        if left(step, 1) = '(' then
            items := array(
                select v.value from unnest(items) i (item), public.private_values(
                    i.item, split_part(substr(step, 2), ')', 1), left(split_part(step, ')', 2), 4), right(step, 2)) v (value));
        else
            items := array(
                select v.value from unnest(items) i (item), public.element_values(i.item, step) v (value));
        end if;
        if items = '{}' then
            return '{}';
        end if;
    end loop;
    return array(
        select t.value
        from unnest(items) i (item), public.value_texts(i.item) v (raw), btrim(v.raw, E' \t\n\r\f\v') t (value)
        where t.value <> '');
end $$;

CREATE FUNCTION public.path_moments(data jsonb, path text[], vr text) RETURNS nummultirange
    LANGUAGE sql IMMUTABLE COST 500 PARALLEL SAFE
    RETURN COALESCE((SELECT range_agg(numrange(s.value, s.value, '[]'::text)) AS range_agg FROM unnest(public.path_texts(path_moments.data, path_moments.path)) t(value), LATERAL public.moment_seconds(path_moments.vr, t.value) s(value) WHERE (s.value IS NOT NULL)), '{}'::nummultirange);

CREATE FUNCTION public.path_number(value text) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN ((length(value) <= 800) AND (value ~ '^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?$'::text)) THEN (value)::numeric ELSE NULL::numeric END;

CREATE FUNCTION public.path_numbers(data jsonb, path text[]) RETURNS nummultirange
    LANGUAGE sql IMMUTABLE COST 500 PARALLEL SAFE
    RETURN COALESCE((SELECT range_agg(numrange(n.value, n.value, '[]'::text)) AS range_agg FROM unnest(public.path_texts(path_numbers.data, path_numbers.path)) t(value), LATERAL public.path_number(t.value) n(value) WHERE (n.value IS NOT NULL)), '{}'::nummultirange);

CREATE FUNCTION public.path_words(data jsonb, path text[]) RETURNS text
    LANGUAGE sql IMMUTABLE COST 500 PARALLEL SAFE
    RETURN COALESCE((SELECT ((''::text || string_agg(public.fold(translate(t.value, ''::text, ' '::text)), ''::text)) || ''::text) FROM unnest(public.path_texts(path_words.data, path_words.path)) t(value)), ''::text);

CREATE FUNCTION public.private_values(item jsonb, creator text, group_number text, element text) RETURNS SETOF jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT v.value
    FROM jsonb_each(
         CASE jsonb_typeof(private_values.item)
             WHEN 'object'::text THEN private_values.item
             ELSE '{}'::jsonb
         END) block(key, value),
     LATERAL public.element_values(private_values.item, ((private_values.group_number || substr(block.key, 7, 2)) || private_values.element)) v(value)
   WHERE ((block.key ~~ (private_values.group_number || '00__'::text)) AND (block.key >= (private_values.group_number || '0010'::text)) AND (jsonb_typeof(block.value) = 'object'::text) AND (btrim(((block.value -> 'Value'::text) ->> 0)) = private_values.creator));
END;

CREATE FUNCTION public.words(VARIADIC texts text[]) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_tsvector('simple'::regconfig, public.fold(array_to_string(texts, ' '::text)));

CREATE FUNCTION public.study_facts(archive smallint, uid text, data jsonb, description text, series_known boolean) RETURNS TABLE(modalities text[], number_of_series integer, number_of_instances integer, search tsvector)
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT COALESCE(( SELECT array_agg(DISTINCT (both_say.m COLLATE "C") ORDER BY (both_say.m COLLATE "C")) AS array_agg
            FROM ( SELECT btrim((v.value #>> '{}'::text[]), ' 	

'::text) AS btrim
                    FROM public.element_values(study_facts.data, '00080061'::text) v(value)
                   WHERE (jsonb_typeof(v.value) = 'string'::text)
                 UNION
                  SELECT unnest(g.modalities) AS unnest) both_say(m)
           WHERE (both_say.m <> ''::text)), '{}'::text[]) AS "coalesce",
         CASE
             WHEN study_facts.series_known THEN g.series
             ELSE COALESCE(told.series, NULLIF(g.series, 0))
         END AS "coalesce",
         CASE
             WHEN (NOT study_facts.series_known) THEN COALESCE(told.instances, g.instances)
             WHEN (g.series = 0) THEN 0
             ELSE COALESCE(g.instances, told.instances)
         END AS "coalesce",
     (setweight(public.words(VARIADIC ARRAY[study_facts.description]), 'A'::"char") || setweight(public.words(VARIADIC ARRAY["left"(array_to_string(g.texts, ' '::text), 100000)]), 'B'::"char"))
    FROM (( SELECT (count(*))::integer AS series,
                 CASE
                     WHEN bool_and((s.number_of_instances IS NOT NULL)) THEN (sum(s.number_of_instances))::integer
                     ELSE NULL::integer
                 END AS instances,
             array_agg(DISTINCT s.modality) FILTER (WHERE (s.modality IS NOT NULL)) AS modalities,
             ((array_agg(DISTINCT s.series_description) || array_agg(DISTINCT s.body_part_examined)) || array_agg(DISTINCT s.protocol_name)) AS texts
            FROM public.series s
           WHERE ((s.study_uid = study_facts.uid) AND (s.archive_id = study_facts.archive))) g
      CROSS JOIN ( SELECT public.integer_value((study_facts.data #>> '{00201206,Value,0}'::text[])) AS series,
             public.integer_value((study_facts.data #>> '{00201208,Value,0}'::text[])) AS instances) told);
END;

CREATE FUNCTION public.value_texts(value jsonb) RETURNS SETOF text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT (value_texts.value #>> '{}'::text[])
   WHERE (jsonb_typeof(value_texts.value) <> 'object'::text)
 UNION ALL
  SELECT g.value
    FROM jsonb_each_text(
         CASE jsonb_typeof(value_texts.value)
             WHEN 'object'::text THEN value_texts.value
             ELSE '{}'::jsonb
         END) g(key, value);
END;

CREATE VIEW records.series AS
 SELECT series_pk,
    archive_id,
    study_uid,
    series_uid,
    modality,
    series_number,
    series_date,
    series_time,
    series_description,
    body_part_examined,
    laterality,
    protocol_name,
    manufacturer,
    manufacturer_model_name,
    number_of_instances,
    shared,
    data,
    synced_at,
    instances_synced_at,
    representative,
    representative_synced_at
   FROM public.series
  WHERE (archive_id = ANY (( SELECT public.scope_of('full'::text) AS scope_of)::smallint[]));

CREATE FUNCTION records.series_union_instances(uid text, archives smallint[]) RETURNS integer
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT max(series.number_of_instances) AS max
    FROM records.series
   WHERE ((series.series_uid = series_union_instances.uid) AND (series.archive_id = ANY (series_union_instances.archives)));
END;

CREATE VIEW records.study AS
 SELECT study_pk,
    archive_id,
    study_uid,
    study_date,
    study_time,
    accession_number,
    study_id,
    study_description,
    referring_physician_name,
    patient_id,
    issuer_of_patient_id,
    patient_name,
    patient_birth_date,
    patient_sex,
    modalities,
    number_of_series,
    number_of_instances,
    shared,
    search,
    data,
    synced_at,
    series_synced_at,
    patient_key,
    patient_name_keys,
    patient_name_forms,
    referring_physician_name_keys,
    referring_physician_name_forms
   FROM public.study
  WHERE (archive_id = ANY (( SELECT public.scope_of('full'::text) AS scope_of)::smallint[]));

CREATE FUNCTION records.study_union_instances(uid text, archives smallint[]) RETURNS integer
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT (GREATEST(( SELECT sum(largest.n) AS sum
            FROM ( SELECT max(series.number_of_instances) AS n
                    FROM records.series
                   WHERE ((series.study_uid = study_union_instances.uid) AND (series.archive_id = ANY (study_union_instances.archives)))
                   GROUP BY series.series_uid) largest), (( SELECT max(study.number_of_instances) AS max
            FROM records.study
           WHERE ((study.study_uid = study_union_instances.uid) AND (study.archive_id = ANY (study_union_instances.archives)))))::bigint))::integer AS "greatest";
END;

CREATE FUNCTION records.study_union_modalities(uid text, archives smallint[]) RETURNS text[]
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT COALESCE(array_agg(DISTINCT modality.modality ORDER BY modality.modality), '{}'::text[]) AS "coalesce"
    FROM records.study,
     LATERAL unnest(study.modalities) modality(modality)
   WHERE ((study.study_uid = study_union_modalities.uid) AND (study.archive_id = ANY (study_union_modalities.archives)));
END;

CREATE FUNCTION records.study_union_series(uid text, archives smallint[]) RETURNS integer
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT (GREATEST(( SELECT count(DISTINCT series.series_uid) AS count
            FROM records.series
           WHERE ((series.study_uid = study_union_series.uid) AND (series.archive_id = ANY (study_union_series.archives)))), (( SELECT max(study.number_of_series) AS max
            FROM records.study
           WHERE ((study.study_uid = study_union_series.uid) AND (study.archive_id = ANY (study_union_series.archives)))))::bigint))::integer AS "greatest";
END;

CREATE VIEW counts.consent AS
 SELECT archive_id,
    study_uid,
    care,
    registry,
    research
   FROM public.consent
  WHERE ((archive_id = ANY (( SELECT ((public.scope_of('full'::text) || public.scope_of('pseudonymised'::text)) || public.scope_of('counted'::text)))::smallint[])) AND ((archive_id <> ALL (( SELECT public.scope_of('consented'::text) AS scope_of)::smallint[])) OR research));

CREATE VIEW counts.instance AS
 SELECT instance_pk,
    archive_id,
    study_uid,
    series_uid,
    sop_uid,
    sop_class_uid,
    instance_number,
    rows,
    columns,
    number_of_frames,
    transfer_syntax_uid,
    shared,
    data,
    synced_at,
    metadata_synced_at
   FROM public.instance s
  WHERE ((archive_id = ANY (( SELECT ((public.scope_of('full'::text) || public.scope_of('pseudonymised'::text)) || public.scope_of('counted'::text)))::smallint[])) AND ((archive_id <> ALL (( SELECT public.scope_of('consented'::text) AS scope_of)::smallint[])) OR (EXISTS ( SELECT
           FROM public.consent c
          WHERE ((c.archive_id = s.archive_id) AND (c.study_uid = s.study_uid) AND c.research)))));

CREATE VIEW counts.rollup_cell AS
 SELECT archive_id,
    kind,
    cell,
    study_date,
    patient_birth_date,
    patient_sex,
    age_band,
    study_description,
    series_description,
    modalities,
    body_parts,
    manufacturers,
    sop_classes,
    nodes,
    number_of_series,
    number_of_instances,
    series_rows,
    instance_rows
   FROM public.rollup_cell
  WHERE (archive_id = ANY (( SELECT public.scope_of('full'::text) AS scope_of)::smallint[]));

CREATE VIEW counts.rollup_person_set AS
 SELECT ARRAY( SELECT a.a
           FROM unnest(rollup_person_set.archives) a(a)
          WHERE (a.a = ANY (( SELECT public.scope_of('full'::text) AS scope_of)::smallint[]))) AS archives,
    persons
   FROM public.rollup_person_set
  WHERE (archives && ( SELECT public.scope_of('full'::text) AS scope_of));

CREATE TABLE jobs.pgqueuer (
    id bigint NOT NULL,
    priority integer NOT NULL,
    queue_manager_id uuid,
    created timestamp with time zone DEFAULT now() NOT NULL,
    updated timestamp with time zone DEFAULT now() NOT NULL,
    heartbeat timestamp with time zone DEFAULT now() NOT NULL,
    execute_after timestamp with time zone DEFAULT now() NOT NULL,
    status jobs.pgqueuer_status NOT NULL,
    entrypoint text NOT NULL,
    dedupe_key text,
    payload bytea,
    headers jsonb,
    attempts integer DEFAULT 0 NOT NULL,
    slot bigint
);

CREATE SEQUENCE jobs.pgqueuer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE jobs.pgqueuer_id_seq OWNED BY jobs.pgqueuer.id;

CREATE TABLE jobs.pgqueuer_log (
    id bigint NOT NULL,
    created timestamp with time zone DEFAULT now() NOT NULL,
    job_id bigint NOT NULL,
    status jobs.pgqueuer_status NOT NULL,
    priority integer NOT NULL,
    entrypoint text NOT NULL,
    traceback jsonb,
    aggregated boolean DEFAULT false
);

ALTER TABLE jobs.pgqueuer_log ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME jobs.pgqueuer_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE jobs.pgqueuer_schedules (
    id bigint NOT NULL,
    expression text NOT NULL,
    entrypoint text NOT NULL,
    heartbeat timestamp with time zone DEFAULT now() NOT NULL,
    created timestamp with time zone DEFAULT now() NOT NULL,
    updated timestamp with time zone DEFAULT now() NOT NULL,
    next_run timestamp with time zone DEFAULT now() NOT NULL,
    last_run timestamp with time zone,
    status jobs.pgqueuer_status DEFAULT 'queued'::jobs.pgqueuer_status
);

CREATE SEQUENCE jobs.pgqueuer_schedules_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE jobs.pgqueuer_schedules_id_seq OWNED BY jobs.pgqueuer_schedules.id;

CREATE TABLE jobs.pgqueuer_statistics (
    id bigint NOT NULL,
    created timestamp with time zone DEFAULT date_trunc('sec'::text, now()) NOT NULL,
    count bigint NOT NULL,
    priority integer NOT NULL,
    status jobs.pgqueuer_status NOT NULL,
    entrypoint text NOT NULL
);

CREATE SEQUENCE jobs.pgqueuer_statistics_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE jobs.pgqueuer_statistics_id_seq OWNED BY jobs.pgqueuer_statistics.id;

CREATE TABLE pseudonymised.instance (
    instance_pk bigint NOT NULL,
    archive_id smallint NOT NULL,
    study_uid text NOT NULL COLLATE pg_catalog."C",
    series_uid text NOT NULL COLLATE pg_catalog."C",
    sop_uid text NOT NULL COLLATE pg_catalog."C",
    sop_class_uid text COLLATE pg_catalog."C",
    instance_number integer,
    rows integer,
    columns integer,
    number_of_frames integer,
    transfer_syntax_uid text COLLATE pg_catalog."C",
    shared boolean DEFAULT false NOT NULL,
    data jsonb NOT NULL,
    synced_at timestamp with time zone DEFAULT now() NOT NULL,
    metadata_synced_at timestamp with time zone,
    source_pk bigint NOT NULL,
    key_id text DEFAULT ''::text NOT NULL,
    research boolean DEFAULT false NOT NULL,
    made_for text DEFAULT ''::text NOT NULL
);

ALTER TABLE pseudonymised.instance ALTER COLUMN instance_pk ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pseudonymised.instance_instance_pk_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE pseudonymised.series ALTER COLUMN series_pk ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pseudonymised.series_series_pk_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE pseudonymised.study ALTER COLUMN study_pk ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pseudonymised.study_study_pk_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pseudonymised.waiting (
    study_uid text NOT NULL COLLATE pg_catalog."C",
    since timestamp with time zone DEFAULT now() NOT NULL,
    rotating boolean DEFAULT false NOT NULL
);

CREATE VIEW pseudonyms.consent AS
 SELECT p.archive_id,
    p.study_uid,
    c.care,
    c.registry,
    c.research
   FROM ((public.consent c
     JOIN public.study s ON (((s.archive_id = c.archive_id) AND (s.study_uid = c.study_uid))))
     JOIN pseudonymised.study p ON ((p.source_pk = s.study_pk)))
  WHERE ((c.archive_id = ANY (( SELECT public.scope_of('pseudonymised'::text) AS scope_of)::smallint[])) AND ((c.archive_id <> ALL (( SELECT public.scope_of('consented'::text) AS scope_of)::smallint[])) OR c.research));

CREATE VIEW pseudonyms.instance AS
 SELECT instance_pk,
    archive_id,
    study_uid,
    series_uid,
    sop_uid,
    sop_class_uid,
    instance_number,
    rows,
    columns,
    number_of_frames,
    transfer_syntax_uid,
    shared,
    data,
    synced_at,
    metadata_synced_at,
    source_pk,
    key_id,
    research
   FROM pseudonymised.instance p
  WHERE ((archive_id = ANY (( SELECT public.scope_of('pseudonymised'::text) AS scope_of)::smallint[])) AND ((archive_id <> ALL (( SELECT public.scope_of('consented'::text) AS scope_of)::smallint[])) OR research));

CREATE TABLE public.archive (
    archive_id smallint NOT NULL,
    code text NOT NULL,
    ern text NOT NULL,
    title text NOT NULL,
    kind text NOT NULL,
    index_level text NOT NULL,
    rank smallint NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    health_state text DEFAULT 'UNKNOWN'::text NOT NULL,
    health_checked_at timestamp with time zone,
    health_latency_ms double precision,
    health_error_code text,
    health_error_message text,
    capabilities jsonb DEFAULT '{}'::jsonb NOT NULL,
    change_cursor bigint,
    last_completed_at timestamp with time zone,
    last_reconciled_at timestamp with time zone,
    last_change_at timestamp with time zone,
    CONSTRAINT archive_health_state_check CHECK ((health_state = ANY (ARRAY['UP'::text, 'DEGRADED'::text, 'DOWN'::text, 'UNKNOWN'::text]))),
    CONSTRAINT archive_index_level_check CHECK ((index_level = ANY (ARRAY['study'::text, 'series'::text, 'instance'::text])))
);

ALTER TABLE public.archive ALTER COLUMN archive_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.archive_archive_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.archive_definition (
    archive_id smallint NOT NULL,
    origin text NOT NULL,
    definition jsonb NOT NULL,
    disabled boolean DEFAULT false NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_by text,
    CONSTRAINT archive_definition_origin_check CHECK ((origin = ANY (ARRAY['file'::text, 'api'::text])))
);

CREATE VIEW public.archive_job AS
 SELECT (headers ->> 'archive'::text) AS code,
    entrypoint AS kind,
    (status = 'picked'::jobs.pgqueuer_status) AS running,
    created AS queued_at,
    execute_after AS due_at,
        CASE
            WHEN (status = 'picked'::jobs.pgqueuer_status) THEN updated
            ELSE NULL::timestamp with time zone
        END AS started_at
   FROM jobs.pgqueuer job
  WHERE (status = ANY (ARRAY['queued'::jobs.pgqueuer_status, 'picked'::jobs.pgqueuer_status]));

CREATE TABLE public.archive_schedule (
    archive_id smallint NOT NULL,
    sync_every interval NOT NULL,
    reconcile_every interval NOT NULL,
    next_sync_at timestamp with time zone DEFAULT now() NOT NULL,
    next_reconcile_at timestamp with time zone DEFAULT now() NOT NULL,
    next_probe_at timestamp with time zone DEFAULT (now() + '1 day'::interval) NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    current_as_of timestamp with time zone,
    feed_marks jsonb DEFAULT '{}'::jsonb NOT NULL
);

CREATE TABLE public.audit_event (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    digest bytea NOT NULL,
    payload text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT audit_event_digest_check CHECK ((length(digest) = 32))
);

CREATE TABLE public.audit_touch (
    key bytea NOT NULL,
    event_id bigint NOT NULL
);

CREATE TABLE public.index_run (
    run_id bigint NOT NULL,
    archive_id smallint NOT NULL,
    kind text NOT NULL,
    state text DEFAULT 'running'::text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    touched_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone,
    checkpoint text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    change_cursor bigint,
    done integer DEFAULT 0 NOT NULL,
    total integer,
    rejected integer DEFAULT 0 NOT NULL,
    removed integer DEFAULT 0 NOT NULL,
    error_code text,
    error_message text,
    CONSTRAINT index_run_kind_check CHECK ((kind = ANY (ARRAY['full'::text, 'incremental'::text]))),
    CONSTRAINT index_run_state_check CHECK ((state = ANY (ARRAY['running'::text, 'completed'::text, 'failed'::text, 'interrupted'::text])))
);

ALTER TABLE public.index_run ALTER COLUMN run_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.index_run_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.instance ALTER COLUMN instance_pk ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.instance_instance_pk_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.migration (
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE UNLOGGED TABLE public.rate_bucket (
    who bytea NOT NULL,
    tokens double precision NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.rejected_record (
    rejected_id bigint NOT NULL,
    archive_id smallint NOT NULL,
    level text NOT NULL,
    uid text,
    reason text NOT NULL,
    data jsonb NOT NULL,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    last_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    fingerprint text GENERATED ALWAYS AS (md5((data)::text)) STORED
);

ALTER TABLE public.rejected_record ALTER COLUMN rejected_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.rejected_record_rejected_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.secret (
    name text NOT NULL,
    value bytea NOT NULL
);

ALTER TABLE public.series ALTER COLUMN series_pk ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.series_series_pk_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.study_modality (
    study_pk bigint NOT NULL,
    modality text NOT NULL COLLATE pg_catalog."C",
    study_date date,
    study_uid text NOT NULL COLLATE pg_catalog."C"
);

ALTER TABLE public.study ALTER COLUMN study_pk ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.study_study_pk_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW records.consent AS
 SELECT archive_id,
    study_uid,
    care,
    registry,
    research
   FROM public.consent
  WHERE (archive_id = ANY (( SELECT public.scope_of('full'::text) AS scope_of)::smallint[]));

CREATE VIEW records.instance AS
 SELECT instance_pk,
    archive_id,
    study_uid,
    series_uid,
    sop_uid,
    sop_class_uid,
    instance_number,
    rows,
    columns,
    number_of_frames,
    transfer_syntax_uid,
    shared,
    data,
    synced_at,
    metadata_synced_at
   FROM public.instance
  WHERE (archive_id = ANY (( SELECT public.scope_of('full'::text) AS scope_of)::smallint[]));

ALTER TABLE ONLY jobs.pgqueuer ALTER COLUMN id SET DEFAULT nextval('jobs.pgqueuer_id_seq'::regclass);

ALTER TABLE ONLY jobs.pgqueuer_schedules ALTER COLUMN id SET DEFAULT nextval('jobs.pgqueuer_schedules_id_seq'::regclass);

ALTER TABLE ONLY jobs.pgqueuer_statistics ALTER COLUMN id SET DEFAULT nextval('jobs.pgqueuer_statistics_id_seq'::regclass);

ALTER TABLE ONLY jobs.pgqueuer_log
    ADD CONSTRAINT pgqueuer_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY jobs.pgqueuer
    ADD CONSTRAINT pgqueuer_pkey PRIMARY KEY (id);

ALTER TABLE ONLY jobs.pgqueuer_schedules
    ADD CONSTRAINT pgqueuer_schedules_expression_entrypoint_key UNIQUE (expression, entrypoint);

ALTER TABLE ONLY jobs.pgqueuer_schedules
    ADD CONSTRAINT pgqueuer_schedules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY jobs.pgqueuer_statistics
    ADD CONSTRAINT pgqueuer_statistics_pkey PRIMARY KEY (id);

ALTER TABLE ONLY pseudonymised.instance
    ADD CONSTRAINT instance_pkey PRIMARY KEY (instance_pk);

ALTER TABLE ONLY pseudonymised.instance
    ADD CONSTRAINT instance_source_pk_key UNIQUE (source_pk);

ALTER TABLE ONLY pseudonymised.series
    ADD CONSTRAINT series_pkey PRIMARY KEY (series_pk);

ALTER TABLE ONLY pseudonymised.series
    ADD CONSTRAINT series_source_pk_key UNIQUE (source_pk);

ALTER TABLE ONLY pseudonymised.study
    ADD CONSTRAINT study_pkey PRIMARY KEY (study_pk);

ALTER TABLE ONLY pseudonymised.study
    ADD CONSTRAINT study_source_pk_key UNIQUE (source_pk);

ALTER TABLE ONLY pseudonymised.waiting
    ADD CONSTRAINT waiting_pkey PRIMARY KEY (study_uid);

ALTER TABLE ONLY public.archive
    ADD CONSTRAINT archive_code_key UNIQUE (code);

ALTER TABLE ONLY public.archive_definition
    ADD CONSTRAINT archive_definition_pkey PRIMARY KEY (archive_id);

ALTER TABLE ONLY public.archive
    ADD CONSTRAINT archive_pkey PRIMARY KEY (archive_id);

ALTER TABLE ONLY public.archive_schedule
    ADD CONSTRAINT archive_schedule_pkey PRIMARY KEY (archive_id);

ALTER TABLE ONLY public.audit_event
    ADD CONSTRAINT audit_event_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.audit_touch
    ADD CONSTRAINT audit_touch_pkey PRIMARY KEY (key, event_id);

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT consent_pkey PRIMARY KEY (archive_id, study_uid);

ALTER TABLE ONLY public.index_run
    ADD CONSTRAINT index_run_pkey PRIMARY KEY (run_id);

ALTER TABLE ONLY public.instance
    ADD CONSTRAINT instance_archive_id_sop_uid_series_uid_key UNIQUE (archive_id, sop_uid, series_uid);

ALTER TABLE ONLY public.instance
    ADD CONSTRAINT instance_pkey PRIMARY KEY (instance_pk);

ALTER TABLE ONLY public.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.rate_bucket
    ADD CONSTRAINT rate_bucket_pkey PRIMARY KEY (who);

ALTER TABLE ONLY public.rejected_record
    ADD CONSTRAINT rejected_record_archive_id_level_fingerprint_key UNIQUE (archive_id, level, fingerprint);

ALTER TABLE ONLY public.rejected_record
    ADD CONSTRAINT rejected_record_pkey PRIMARY KEY (rejected_id);

ALTER TABLE ONLY public.rollup_cell
    ADD CONSTRAINT rollup_cell_pkey PRIMARY KEY (kind, archive_id, cell);

ALTER TABLE ONLY public.rollup_person
    ADD CONSTRAINT rollup_person_pkey PRIMARY KEY (person, archive_id);

ALTER TABLE ONLY public.rollup_person_set
    ADD CONSTRAINT rollup_person_set_pkey PRIMARY KEY (archives);

ALTER TABLE ONLY public.secret
    ADD CONSTRAINT secret_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.series
    ADD CONSTRAINT series_archive_id_series_uid_study_uid_key UNIQUE (archive_id, series_uid, study_uid);

ALTER TABLE ONLY public.series
    ADD CONSTRAINT series_pkey PRIMARY KEY (series_pk);

ALTER TABLE ONLY public.study
    ADD CONSTRAINT study_archive_id_study_uid_patient_key_key UNIQUE (archive_id, study_uid, patient_key);

ALTER TABLE ONLY public.study_fact
    ADD CONSTRAINT study_fact_pkey PRIMARY KEY (study_uid);

ALTER TABLE ONLY public.study_modality
    ADD CONSTRAINT study_modality_pkey PRIMARY KEY (study_pk, modality);

ALTER TABLE ONLY public.study
    ADD CONSTRAINT study_pkey PRIMARY KEY (study_pk);

CREATE INDEX pgqueuer_ep_ea_idx ON jobs.pgqueuer USING btree (entrypoint, execute_after) WHERE (status = 'queued'::jobs.pgqueuer_status);

CREATE INDEX pgqueuer_ep_prio_id_idx ON jobs.pgqueuer USING btree (entrypoint, priority DESC, id) WHERE (status = 'queued'::jobs.pgqueuer_status);

CREATE INDEX pgqueuer_log_created ON jobs.pgqueuer_log USING btree (created);

CREATE INDEX pgqueuer_log_job_id_status ON jobs.pgqueuer_log USING btree (job_id, created DESC);

CREATE INDEX pgqueuer_log_not_aggregated ON jobs.pgqueuer_log USING btree ((1)) WHERE (NOT aggregated);

CREATE INDEX pgqueuer_log_status ON jobs.pgqueuer_log USING btree (status);

CREATE INDEX pgqueuer_picked_heartbeat_idx ON jobs.pgqueuer USING btree (heartbeat) WHERE (status = 'picked'::jobs.pgqueuer_status);

CREATE UNIQUE INDEX pgqueuer_picked_slot_idx ON jobs.pgqueuer USING btree (entrypoint, slot) WHERE ((status = 'picked'::jobs.pgqueuer_status) AND (slot IS NOT NULL));

CREATE INDEX pgqueuer_priority_id_id1_idx ON jobs.pgqueuer USING btree (priority, id DESC) INCLUDE (id) WHERE (status = 'queued'::jobs.pgqueuer_status);

CREATE INDEX pgqueuer_queue_manager_id_idx ON jobs.pgqueuer USING btree (queue_manager_id) WHERE (queue_manager_id IS NOT NULL);

CREATE UNIQUE INDEX pgqueuer_statistics_unique_count ON jobs.pgqueuer_statistics USING btree (priority, date_trunc('sec'::text, timezone('UTC'::text, created)), status, entrypoint);

CREATE UNIQUE INDEX pgqueuer_unique_dedupe_key ON jobs.pgqueuer USING btree (dedupe_key) WHERE ((status = ANY (ARRAY['queued'::jobs.pgqueuer_status, 'picked'::jobs.pgqueuer_status])) AND (dedupe_key IS NOT NULL));

CREATE INDEX pgqueuer_updated_id_id1_idx ON jobs.pgqueuer USING btree (updated, id DESC) INCLUDE (id) WHERE (status = 'picked'::jobs.pgqueuer_status);

CREATE INDEX instance_instance_number_sop_uid_idx ON pseudonymised.instance USING btree (instance_number, sop_uid);

CREATE INDEX instance_instance_number_sop_uid_idx1 ON pseudonymised.instance USING btree (instance_number DESC NULLS LAST, sop_uid);

CREATE INDEX instance_instance_number_sop_uid_idx2 ON pseudonymised.instance USING btree (instance_number, sop_uid) WHERE shared;

CREATE INDEX instance_instance_number_sop_uid_idx3 ON pseudonymised.instance USING btree (instance_number DESC NULLS LAST, sop_uid) WHERE shared;

CREATE INDEX instance_series_uid_archive_id_idx ON pseudonymised.instance USING btree (series_uid, archive_id);

CREATE INDEX instance_sop_class_uid_idx ON pseudonymised.instance USING btree (sop_class_uid);

CREATE INDEX instance_sop_uid_idx ON pseudonymised.instance USING btree (sop_uid) WHERE shared;

CREATE INDEX instance_sop_uid_idx1 ON pseudonymised.instance USING btree (sop_uid);

CREATE INDEX instance_study_uid_idx ON pseudonymised.instance USING btree (study_uid);

CREATE INDEX series_archive_id_series_uid_idx ON pseudonymised.series USING btree (archive_id, series_uid) WHERE (instances_synced_at IS NULL);

CREATE INDEX series_body_part_examined_idx ON pseudonymised.series USING btree (body_part_examined);

CREATE INDEX series_fold_idx ON pseudonymised.series USING gin (public.fold(series_description) public.gin_trgm_ops);

CREATE INDEX series_fold_idx1 ON pseudonymised.series USING gin (public.fold(protocol_name) public.gin_trgm_ops);

CREATE INDEX series_fold_series_uid_idx ON pseudonymised.series USING btree (public.fold(series_description), series_uid);

CREATE INDEX series_fold_series_uid_idx1 ON pseudonymised.series USING btree (public.fold(series_description) DESC NULLS LAST, series_uid);

CREATE INDEX series_fold_series_uid_idx2 ON pseudonymised.series USING btree (public.fold(series_description), series_uid) WHERE shared;

CREATE INDEX series_fold_series_uid_idx3 ON pseudonymised.series USING btree (public.fold(series_description) DESC NULLS LAST, series_uid) WHERE shared;

CREATE INDEX series_manufacturer_idx ON pseudonymised.series USING btree (manufacturer);

CREATE INDEX series_manufacturer_model_name_idx ON pseudonymised.series USING btree (manufacturer_model_name);

CREATE INDEX series_modality_series_uid_idx ON pseudonymised.series USING btree (modality, series_uid);

CREATE INDEX series_modality_series_uid_idx1 ON pseudonymised.series USING btree (modality DESC NULLS LAST, series_uid);

CREATE INDEX series_modality_series_uid_idx2 ON pseudonymised.series USING btree (modality, series_uid) WHERE shared;

CREATE INDEX series_modality_series_uid_idx3 ON pseudonymised.series USING btree (modality DESC NULLS LAST, series_uid) WHERE shared;

CREATE INDEX series_number_of_instances_series_uid_idx ON pseudonymised.series USING btree (number_of_instances, series_uid);

CREATE INDEX series_number_of_instances_series_uid_idx1 ON pseudonymised.series USING btree (number_of_instances DESC NULLS LAST, series_uid);

CREATE INDEX series_series_date_series_uid_idx ON pseudonymised.series USING btree (series_date, series_uid);

CREATE INDEX series_series_date_series_uid_idx1 ON pseudonymised.series USING btree (series_date DESC NULLS LAST, series_uid);

CREATE INDEX series_series_date_series_uid_idx2 ON pseudonymised.series USING btree (series_date, series_uid) WHERE shared;

CREATE INDEX series_series_date_series_uid_idx3 ON pseudonymised.series USING btree (series_date DESC NULLS LAST, series_uid) WHERE shared;

CREATE INDEX series_series_number_series_uid_idx ON pseudonymised.series USING btree (series_number, series_uid);

CREATE INDEX series_series_number_series_uid_idx1 ON pseudonymised.series USING btree (series_number DESC NULLS LAST, series_uid);

CREATE INDEX series_series_number_series_uid_idx2 ON pseudonymised.series USING btree (series_number, series_uid) WHERE shared;

CREATE INDEX series_series_number_series_uid_idx3 ON pseudonymised.series USING btree (series_number DESC NULLS LAST, series_uid) WHERE shared;

CREATE INDEX series_series_uid_idx ON pseudonymised.series USING btree (series_uid) WHERE shared;

CREATE INDEX series_series_uid_idx1 ON pseudonymised.series USING btree (series_uid);

CREATE INDEX series_study_uid_archive_id_idx ON pseudonymised.series USING btree (study_uid, archive_id);

CREATE INDEX series_unrepresented ON pseudonymised.series USING btree (archive_id, series_uid) WHERE (representative IS NULL);

CREATE INDEX study_accession_number_study_uid_idx ON pseudonymised.study USING btree (accession_number, study_uid);

CREATE INDEX study_accession_number_study_uid_idx1 ON pseudonymised.study USING btree (accession_number DESC NULLS LAST, study_uid);

CREATE INDEX study_accession_number_study_uid_idx2 ON pseudonymised.study USING btree (accession_number, study_uid) WHERE shared;

CREATE INDEX study_accession_number_study_uid_idx3 ON pseudonymised.study USING btree (accession_number DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_archive_id_study_uid_idx ON pseudonymised.study USING btree (archive_id, study_uid) WHERE (series_synced_at IS NULL);

CREATE INDEX study_fold_idx ON pseudonymised.study USING gin (public.fold(patient_name) public.gin_trgm_ops);

CREATE INDEX study_fold_idx1 ON pseudonymised.study USING gin (public.fold(referring_physician_name) public.gin_trgm_ops);

CREATE INDEX study_fold_idx2 ON pseudonymised.study USING gin (public.fold(study_description) public.gin_trgm_ops);

CREATE INDEX study_fold_idx3 ON pseudonymised.study USING gin (public.fold(patient_id) public.gin_trgm_ops);

CREATE INDEX study_fold_idx4 ON pseudonymised.study USING gin (public.fold(accession_number) public.gin_trgm_ops);

CREATE INDEX study_fold_study_uid_idx ON pseudonymised.study USING btree (public.fold(patient_name), study_uid);

CREATE INDEX study_fold_study_uid_idx1 ON pseudonymised.study USING btree (public.fold(patient_name) DESC NULLS LAST, study_uid);

CREATE INDEX study_fold_study_uid_idx2 ON pseudonymised.study USING btree (public.fold(patient_name), study_uid) WHERE shared;

CREATE INDEX study_fold_study_uid_idx3 ON pseudonymised.study USING btree (public.fold(patient_name) DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_fold_study_uid_idx4 ON pseudonymised.study USING btree (public.fold(study_description), study_uid);

CREATE INDEX study_fold_study_uid_idx5 ON pseudonymised.study USING btree (public.fold(study_description) DESC NULLS LAST, study_uid);

CREATE INDEX study_fold_study_uid_idx6 ON pseudonymised.study USING btree (public.fold(study_description), study_uid) WHERE shared;

CREATE INDEX study_fold_study_uid_idx7 ON pseudonymised.study USING btree (public.fold(study_description) DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_modalities_idx ON pseudonymised.study USING gin (modalities);

CREATE INDEX study_name_groups_idx ON pseudonymised.study USING gin (public.name_groups(patient_name));

CREATE INDEX study_number_of_instances_study_uid_idx ON pseudonymised.study USING btree (number_of_instances, study_uid);

CREATE INDEX study_number_of_instances_study_uid_idx1 ON pseudonymised.study USING btree (number_of_instances DESC NULLS LAST, study_uid);

CREATE INDEX study_patient_birth_date_idx ON pseudonymised.study USING btree (patient_birth_date);

CREATE INDEX study_patient_id_study_uid_idx ON pseudonymised.study USING btree (patient_id, study_uid);

CREATE INDEX study_patient_id_study_uid_idx1 ON pseudonymised.study USING btree (patient_id DESC NULLS LAST, study_uid);

CREATE INDEX study_patient_id_study_uid_idx2 ON pseudonymised.study USING btree (patient_id, study_uid) WHERE shared;

CREATE INDEX study_patient_id_study_uid_idx3 ON pseudonymised.study USING btree (patient_id DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_search_idx ON pseudonymised.study USING gin (search);

CREATE INDEX study_study_date_study_uid_idx ON pseudonymised.study USING btree (study_date, study_uid);

CREATE INDEX study_study_date_study_uid_idx1 ON pseudonymised.study USING btree (study_date DESC NULLS LAST, study_uid);

CREATE INDEX study_study_date_study_uid_idx2 ON pseudonymised.study USING btree (study_date, study_uid) WHERE shared;

CREATE INDEX study_study_date_study_uid_idx3 ON pseudonymised.study USING btree (study_date DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_study_id_idx ON pseudonymised.study USING btree (study_id);

CREATE INDEX study_study_uid_idx ON pseudonymised.study USING btree (study_uid) WHERE shared;

CREATE INDEX study_study_uid_idx1 ON pseudonymised.study USING btree (study_uid);

CREATE INDEX study_synced_at_study_uid_idx ON pseudonymised.study USING btree (synced_at, study_uid);

CREATE INDEX study_synced_at_study_uid_idx1 ON pseudonymised.study USING btree (synced_at DESC, study_uid);

CREATE INDEX study_synced_at_study_uid_idx2 ON pseudonymised.study USING btree (synced_at, study_uid) WHERE shared;

CREATE INDEX study_synced_at_study_uid_idx3 ON pseudonymised.study USING btree (synced_at DESC, study_uid) WHERE shared;

CREATE INDEX audit_event_at ON public.audit_event USING btree (at);

CREATE INDEX audit_touch_event ON public.audit_touch USING btree (event_id);

CREATE INDEX index_run_newest ON public.index_run USING btree (archive_id, run_id DESC);

CREATE INDEX instance_by_series ON public.instance USING btree (series_uid, archive_id);

CREATE INDEX instance_by_study ON public.instance USING btree (study_uid);

CREATE INDEX instance_by_uid ON public.instance USING btree (sop_uid);

CREATE INDEX instance_page_number ON public.instance USING btree (instance_number, sop_uid);

CREATE INDEX instance_page_number_desc ON public.instance USING btree (instance_number DESC NULLS LAST, sop_uid);

CREATE INDEX instance_shared ON public.instance USING btree (sop_uid) WHERE shared;

CREATE INDEX instance_shared_number ON public.instance USING btree (instance_number, sop_uid) WHERE shared;

CREATE INDEX instance_shared_number_desc ON public.instance USING btree (instance_number DESC NULLS LAST, sop_uid) WHERE shared;

CREATE INDEX instance_sop_class ON public.instance USING btree (sop_class_uid);

CREATE INDEX rollup_cell_archive ON public.rollup_cell USING btree (archive_id);

CREATE INDEX rollup_person_archive ON public.rollup_person USING btree (archive_id);

CREATE INDEX series_body_part ON public.series USING btree (body_part_examined);

CREATE INDEX series_by_study ON public.series USING btree (study_uid, archive_id);

CREATE INDEX series_by_uid ON public.series USING btree (series_uid);

CREATE INDEX series_description_like ON public.series USING gin (public.fold(series_description) public.gin_trgm_ops);

CREATE INDEX series_lacking ON public.series USING btree (archive_id, series_pk) WHERE ((representative_synced_at IS NULL) OR (representative_synced_at < synced_at));

CREATE INDEX series_manufacturer ON public.series USING btree (manufacturer);

CREATE INDEX series_model ON public.series USING btree (manufacturer_model_name);

CREATE INDEX series_page_date ON public.series USING btree (series_date, series_uid);

CREATE INDEX series_page_date_desc ON public.series USING btree (series_date DESC NULLS LAST, series_uid);

CREATE INDEX series_page_description ON public.series USING btree (public.fold(series_description), series_uid);
ALTER INDEX public.series_page_description ALTER COLUMN 1 SET STATISTICS 1000;

CREATE INDEX series_page_description_desc ON public.series USING btree (public.fold(series_description) DESC NULLS LAST, series_uid);

CREATE INDEX series_page_instances ON public.series USING btree (number_of_instances, series_uid);

CREATE INDEX series_page_instances_desc ON public.series USING btree (number_of_instances DESC NULLS LAST, series_uid);

CREATE INDEX series_page_modality ON public.series USING btree (modality, series_uid);

CREATE INDEX series_page_modality_desc ON public.series USING btree (modality DESC NULLS LAST, series_uid);

CREATE INDEX series_page_number ON public.series USING btree (series_number, series_uid);

CREATE INDEX series_page_number_desc ON public.series USING btree (series_number DESC NULLS LAST, series_uid);

CREATE INDEX series_protocol_like ON public.series USING gin (public.fold(protocol_name) public.gin_trgm_ops);
ALTER INDEX public.series_protocol_like ALTER COLUMN 1 SET STATISTICS 1000;

CREATE INDEX series_shared ON public.series USING btree (series_uid) WHERE shared;

CREATE INDEX series_shared_date ON public.series USING btree (series_date, series_uid) WHERE shared;

CREATE INDEX series_shared_date_desc ON public.series USING btree (series_date DESC NULLS LAST, series_uid) WHERE shared;

CREATE INDEX series_shared_description ON public.series USING btree (public.fold(series_description), series_uid) WHERE shared;

CREATE INDEX series_shared_description_desc ON public.series USING btree (public.fold(series_description) DESC NULLS LAST, series_uid) WHERE shared;

CREATE INDEX series_shared_modality ON public.series USING btree (modality, series_uid) WHERE shared;

CREATE INDEX series_shared_modality_desc ON public.series USING btree (modality DESC NULLS LAST, series_uid) WHERE shared;

CREATE INDEX series_shared_number ON public.series USING btree (series_number, series_uid) WHERE shared;

CREATE INDEX series_shared_number_desc ON public.series USING btree (series_number DESC NULLS LAST, series_uid) WHERE shared;

CREATE INDEX series_unindexed ON public.series USING btree (archive_id, series_uid) WHERE (instances_synced_at IS NULL);

CREATE INDEX series_unrepresented ON public.series USING btree (archive_id, series_uid) WHERE (representative IS NULL);

CREATE INDEX study_accession_like ON public.study USING gin (public.fold(accession_number) public.gin_trgm_ops);
ALTER INDEX public.study_accession_like ALTER COLUMN 1 SET STATISTICS 1000;

CREATE INDEX study_birth_date ON public.study USING btree (patient_birth_date);

CREATE INDEX study_by_uid ON public.study USING btree (study_uid);

CREATE INDEX study_description_like ON public.study USING gin (public.fold(study_description) public.gin_trgm_ops);

CREATE INDEX study_fact_archive ON public.study_fact USING btree (archive_id);

CREATE INDEX study_modalities ON public.study USING gin (modalities);

CREATE INDEX study_modality_page ON public.study_modality USING btree (modality, study_date, study_uid);

CREATE INDEX study_page_accession_number ON public.study USING btree (accession_number, study_uid);

CREATE INDEX study_page_accession_number_desc ON public.study USING btree (accession_number DESC NULLS LAST, study_uid);

CREATE INDEX study_page_date ON public.study USING btree (study_date, study_uid);

CREATE INDEX study_page_date_desc ON public.study USING btree (study_date DESC NULLS LAST, study_uid);

CREATE INDEX study_page_description ON public.study USING btree (public.fold(study_description), study_uid);
ALTER INDEX public.study_page_description ALTER COLUMN 1 SET STATISTICS 1000;

CREATE INDEX study_page_description_desc ON public.study USING btree (public.fold(study_description) DESC NULLS LAST, study_uid);

CREATE INDEX study_page_instances ON public.study USING btree (number_of_instances, study_uid);

CREATE INDEX study_page_instances_desc ON public.study USING btree (number_of_instances DESC NULLS LAST, study_uid);

CREATE INDEX study_page_patient_id ON public.study USING btree (patient_id, study_uid);

CREATE INDEX study_page_patient_id_desc ON public.study USING btree (patient_id DESC NULLS LAST, study_uid);

CREATE INDEX study_page_patient_name ON public.study USING btree (public.fold(patient_name), study_uid);
ALTER INDEX public.study_page_patient_name ALTER COLUMN 1 SET STATISTICS 1000;

CREATE INDEX study_page_patient_name_desc ON public.study USING btree (public.fold(patient_name) DESC NULLS LAST, study_uid);

CREATE INDEX study_page_synced ON public.study USING btree (synced_at, study_uid);

CREATE INDEX study_page_synced_desc ON public.study USING btree (synced_at DESC, study_uid);

CREATE INDEX study_patient_id_like ON public.study USING gin (public.fold(patient_id) public.gin_trgm_ops);
ALTER INDEX public.study_patient_id_like ALTER COLUMN 1 SET STATISTICS 1000;

CREATE INDEX study_patient_name_eq ON public.study USING gin (public.name_groups(patient_name));

CREATE INDEX study_patient_name_keys ON public.study USING gin (patient_name_keys) WITH (fastupdate=off);

CREATE INDEX study_patient_name_like ON public.study USING gin (public.fold(patient_name) public.gin_trgm_ops);

CREATE INDEX study_referring_name_keys ON public.study USING gin (referring_physician_name_keys) WITH (fastupdate=off);

CREATE INDEX study_referring_name_like ON public.study USING gin (public.fold(referring_physician_name) public.gin_trgm_ops);
ALTER INDEX public.study_referring_name_like ALTER COLUMN 1 SET STATISTICS 1000;

CREATE INDEX study_search ON public.study USING gin (search);

CREATE INDEX study_shared ON public.study USING btree (study_uid) WHERE shared;

CREATE INDEX study_shared_accession_number ON public.study USING btree (accession_number, study_uid) WHERE shared;

CREATE INDEX study_shared_accession_number_desc ON public.study USING btree (accession_number DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_shared_date ON public.study USING btree (study_date, study_uid) WHERE shared;

CREATE INDEX study_shared_date_desc ON public.study USING btree (study_date DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_shared_description ON public.study USING btree (public.fold(study_description), study_uid) WHERE shared;

CREATE INDEX study_shared_description_desc ON public.study USING btree (public.fold(study_description) DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_shared_patient_id ON public.study USING btree (patient_id, study_uid) WHERE shared;

CREATE INDEX study_shared_patient_id_desc ON public.study USING btree (patient_id DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_shared_patient_name ON public.study USING btree (public.fold(patient_name), study_uid) WHERE shared;

CREATE INDEX study_shared_patient_name_desc ON public.study USING btree (public.fold(patient_name) DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_shared_synced ON public.study USING btree (synced_at, study_uid) WHERE shared;

CREATE INDEX study_shared_synced_desc ON public.study USING btree (synced_at DESC, study_uid) WHERE shared;

CREATE INDEX study_study_id ON public.study USING btree (study_id);

CREATE INDEX study_unindexed ON public.study USING btree (archive_id, study_uid) WHERE (series_synced_at IS NULL);

CREATE TRIGGER tg_pgqueuer_changed AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON jobs.pgqueuer FOR EACH STATEMENT EXECUTE FUNCTION jobs.fn_pgqueuer_changed();

CREATE TRIGGER audit_event_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_event FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse();

CREATE TRIGGER audit_touch_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_touch FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse();

CREATE TRIGGER rollup_person_sets AFTER DELETE ON public.archive FOR EACH STATEMENT EXECUTE FUNCTION public.count_person_sets();

ALTER TABLE ONLY pseudonymised.instance
    ADD CONSTRAINT instance_source_pk_fkey FOREIGN KEY (source_pk) REFERENCES public.instance(instance_pk) ON DELETE CASCADE;

ALTER TABLE ONLY pseudonymised.series
    ADD CONSTRAINT series_source_pk_fkey FOREIGN KEY (source_pk) REFERENCES public.series(series_pk) ON DELETE CASCADE;

ALTER TABLE ONLY pseudonymised.study
    ADD CONSTRAINT study_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY pseudonymised.study
    ADD CONSTRAINT study_source_pk_fkey FOREIGN KEY (source_pk) REFERENCES public.study(study_pk) ON DELETE CASCADE;

ALTER TABLE ONLY public.archive_definition
    ADD CONSTRAINT archive_definition_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.archive_schedule
    ADD CONSTRAINT archive_schedule_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT consent_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.index_run
    ADD CONSTRAINT index_run_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.instance
    ADD CONSTRAINT instance_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.rejected_record
    ADD CONSTRAINT rejected_record_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.rollup_cell
    ADD CONSTRAINT rollup_cell_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.rollup_person
    ADD CONSTRAINT rollup_person_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.series
    ADD CONSTRAINT series_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.study
    ADD CONSTRAINT study_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.study_fact
    ADD CONSTRAINT study_fact_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.study_modality
    ADD CONSTRAINT study_modality_study_pk_fkey FOREIGN KEY (study_pk) REFERENCES public.study(study_pk) ON DELETE CASCADE;
