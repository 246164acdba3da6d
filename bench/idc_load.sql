-- Fills an empty index from idc_series (a row a series), idc_holder (a row a copy) and idc_person (a row a patient),
-- as runs would leave it.
insert into study (archive_id, study_uid, study_date, accession_number, study_id, study_description, patient_id,
        patient_name, patient_birth_date, patient_sex, referring_physician_name, modalities, number_of_series,
        number_of_instances, data, series_synced_at, search, shared, patient_name_keys, patient_name_forms,
        referring_physician_name_keys, referring_physician_name_forms)
select h.archive_id, s.study_uid, s.study_date, 'ACC' || left(md5(s.study_uid), 10), left(md5(s.study_uid), 4),
    left(s.study_description, 400), s.patient_id,
    p.name,
    (s.study_date - make_interval(years => s.years, days => abs(hashtext(s.patient_id)) % 365))::date, s.sex,
    p.referring, s.modalities, s.series, s.instances,
    jsonb_strip_nulls(jsonb_build_object(
        '00100020', jsonb_build_object('vr', 'LO', 'Value', jsonb_build_array(s.patient_id)),
        '00081030', jsonb_build_object('vr', 'LO', 'Value', jsonb_build_array(s.study_description)),
        '00101010', jsonb_build_object('vr', 'AS', 'Value', jsonb_build_array(lpad(s.years::text, 3, '0') || 'Y')),
        '00101030', jsonb_build_object('vr', 'DS', 'Value', jsonb_build_array(abs(hashtext(s.patient_id)) % 1200 / 10.0)),
        '00400275', jsonb_build_object('vr', 'SQ', 'Value', jsonb_build_array(jsonb_build_object(
            '00400009', jsonb_build_object('vr', 'SH', 'Value', jsonb_build_array(left(md5(s.study_uid || 's'), 4)))))),
        '00430010', jsonb_build_object('vr', 'LO', 'Value', jsonb_build_array('ERNFED BENCH')),
        '00431002', jsonb_build_object('vr', 'DS', 'Value', jsonb_build_array(abs(hashtext(s.study_uid)) % 5000)))),
    now(), words(s.study_description, left(array_to_string(s.texts, ' '), 100000)), h.copies > 1,
    array_to_tsvector(p.name_keys), p.name_forms, array_to_tsvector(p.referring_keys), p.referring_forms
from (
    select study_uid, min(study_date) as study_date, min(study_description) as study_description,
        min(patient_id) as patient_id, min(sex) as sex, min(years) as years, count(*) as series,
        sum(instances) as instances, array_agg(distinct modality order by modality) as modalities,
        array_agg(distinct series_description) || array_agg(distinct body_part) as texts
    from idc_series group by study_uid) s
join (select study_uid, archive_id, count(*) over (partition by study_uid) as copies from idc_holder) h
    using (study_uid)
join idc_person p using (patient_id);

insert into series (archive_id, study_uid, series_uid, modality, series_number, series_date, series_description,
        body_part_examined, protocol_name, manufacturer, manufacturer_model_name, number_of_instances, data, shared)
select h.archive_id, s.study_uid, s.series_uid, s.modality, s.series_number, s.series_date,
    left(s.series_description, 400), s.body_part, left(s.series_description, 12), s.manufacturer, s.model, s.instances,
    jsonb_build_object('00080060', jsonb_build_object('vr', 'CS', 'Value', jsonb_build_array(s.modality)),
        '0008103E', jsonb_build_object('vr', 'LO', 'Value', jsonb_build_array(s.series_description))),
    h.copies > 1
from idc_series s
join (select study_uid, archive_id, count(*) over (partition by study_uid) as copies from idc_holder) h
    using (study_uid);

insert into study_value
select s.study_pk, v.archive_id, v.name, v.value, s.study_date, s.study_uid, s.shared
from study s cross join lateral study_values(s.study_uid, s.archive_id, s.shared) v;

update archive set last_completed_at = now();
