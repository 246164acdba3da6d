-- An index of :studies studies for plan tests, as a run over four archives would leave it. The temporary table
-- person (number, keys, forms) has the keys of names of :studies / 3 people.
-- Indexes that no constraint needs are made when the rows are there: row by row takes minutes.
create temp table made_later as
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
    from pg_index
    where indrelid in ('study'::regclass, 'series'::regclass, 'instance'::regclass) and not indisunique;
do $$ declare each record; begin
    for each in select * from made_later loop execute 'drop index ' || each.name; end loop;
end $$;
insert into archive (code, ern, title, kind, index_level, rank)
    select 'a' || n, 'ERN-EYE', 'a', 'folder', 'series', n from generate_series(1, 4) n;
insert into study (archive_id, study_uid, study_date, accession_number, study_id, study_description, patient_id,
        patient_name, patient_birth_date, patient_sex, referring_physician_name, modalities, number_of_series,
        number_of_instances, data, series_synced_at, search, patient_name_keys, patient_name_forms,
        referring_physician_name_keys, referring_physician_name_forms)
    select 1 + n % 4, '1.2.3.' || n, case when n % 20 > 0 then date '2000-01-01' + (n * 7919 % 9000) end,
        'A' || n, 'S' || n % 1000, 'Study ' || left(md5((n % 5000)::text), 12), 'P' || n / 3,
        left(md5((n / 3)::text), 12) || '^' || left(md5((n % 977)::text), 6), date '1950-01-01' + n % 20000,
        (array['F', 'M'])[1 + n % 2], 'Ref^' || left(md5((n % 300)::text), 12),
        array[(array['MR', 'CT', 'OP', 'US', 'CR'])[1 + n % 5]] || case when n % 5000 = 0 then '{XRARE}' end::text[],
        2, n % 500, jsonb_build_object('00100020', jsonb_build_object('vr', 'LO', 'Value', jsonb_build_array('P'))),
        now(), words('Study ' || left(md5((n % 5000)::text), 12)), array_to_tsvector(p.keys), p.forms,
        array_to_tsvector(r.keys), r.forms
    from generate_series(1, :studies) n
    join person p on p.number = n / 3
    join person r on r.number = n % 300
    order by n;
insert into series (archive_id, study_uid, series_uid, modality, series_number, series_date, series_description,
        body_part_examined, protocol_name, manufacturer, manufacturer_model_name, number_of_instances, data)
    select s.archive_id, s.study_uid, s.study_uid || '.' || k, s.modalities[1], k, s.study_date,
        'Series ' || left(md5((s.study_pk % 3000)::text), 12), (array['HEAD', 'CHEST', 'EYE', null])[1 + s.study_pk % 4],
        'Protocol ' || s.study_pk % 700, 'ACME ' || s.study_pk % 9, 'Model ' || s.study_pk % 900, 10, '{}'
    from study s, generate_series(1, 2) k;
-- one study in a hundred is also held by the next archive
insert into study (archive_id, study_uid, study_date, patient_id, patient_name, modalities, number_of_series,
        number_of_instances, data, shared)
    select 1 + archive_id % 4, study_uid, study_date, patient_id, patient_name, modalities, number_of_series,
        number_of_instances, data, true from study where study_pk % 100 = 0;
update study set shared = true where study_pk % 100 = 0;
update series set shared = true where study_uid in (select study_uid from study where shared);
insert into instance (archive_id, study_uid, series_uid, sop_uid, sop_class_uid, instance_number, rows, columns, data)
    select archive_id, study_uid, series_uid, series_uid || '.1', '1.2.840.10008.5.1.4.1.1.4', 1, 256, 256, '{}'
    from series;
update series set instances_synced_at = now() where series_pk % 2 = 0;
do $$ declare each record; begin
    for each in select * from made_later loop execute each.definition; end loop;
end $$;
insert into study_value
    select s.study_pk, v.archive_id, v.name, v.value, s.study_date, s.study_uid, s.shared
    from study s cross join lateral study_values(s.study_uid, s.archive_id, s.shared) v;
