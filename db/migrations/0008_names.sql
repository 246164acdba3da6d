-- Names by their keys (model/name_keys.py), and words of series.

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

-- `fuzzy`: records.studies_named looks up words by their keys. Without a list of pending entries: a search reads it from
-- end to end, hundreds of keys against each entry.
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

-- `text` of series: their words are an expression; the studies' are a column. Pseudonymised series are not searched by
-- text.
create index series_search on series using gin (words(series_description, body_part_examined, protocol_name));
