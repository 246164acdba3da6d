-- name: append  chains lines to the head and stores them; the id of the last one
select audit_append($1::text[], $2::timestamptz[], $3::integer[], $4::bytea[]);

-- name: patients  whose studies these copies are, as stored or pseudonymised
select s.study_uid, s.archive_id, s.patient_id, s.issuer_of_patient_id
from unnest($1::text[], $2::smallint[]) c (study_uid, archive_id)
join study s on s.study_uid = c.study_uid and s.archive_id = c.archive_id
where s.patient_id is not null
union
select p.study_uid, p.archive_id, p.patient_id, null
from unnest($1::text[], $2::smallint[]) c (study_uid, archive_id)
join pseudonymised.study p on p.study_uid = c.study_uid and p.archive_id = c.archive_id
where p.patient_id is not null;

-- name: read  lines after an id, in chain order, with what they touched
select e.id, e.at, e.digest, e.payload,
    array(select t.key from audit_touch t where t.event_id = e.id order by t.key) as keys
from audit_event e
where e.id > $1 and ($2::timestamptz is null or e.at >= $2) and ($3::timestamptz is null or e.at < $3)
order by e.id
limit $4;

-- name: first  the first line that is still there
select min(id) as id from audit_event;

-- name: stray  what is said to be touched by no line at all
select min(t.event_id) as id from audit_touch t
where not exists (select from audit_event e where e.id = t.event_id);

-- name: who_saw  the lines that touched one of these, newest last
select e.id, e.at, e.digest, e.payload
from audit_event e
where e.id in (select t.event_id from audit_touch t where t.key = any($1::bytea[]))
order by e.id;

-- name: studies_of_patient  the studies that the index knows of a patient, by whichever issuer when $2 is null
select distinct study_uid from study
where patient_id = $1 and ($2::text is null or issuer_of_patient_id = $2);

-- name: issuers_of_patient  who issued a patient's id, as far as the index knows
select distinct issuer_of_patient_id as issuer from study
where patient_id = $1 and issuer_of_patient_id is not null;

-- name: accesses  how many others than $3 were shown one of these ($1) since $2, by purpose; and in all (is_total)
select purpose, grouping(purpose) = 1 as is_total, count(*) as requests, count(distinct subject) as people
from (
    select e.payload::jsonb ->> 'purpose' as purpose, e.payload::jsonb ->> 'subject' as subject
    from audit_event e
    where e.at >= $2 and e.id in (select t.event_id from audit_touch t where t.key = any($1::bytea[]))
    ) line
where subject <> $3
group by grouping sets ((purpose), ())
order by is_total, purpose nulls last;

-- name: exports  the files since $2 that held one of these ($1), oldest first: one for each request, of many pages
select min(e.at) as at, min(e.payload::jsonb ->> 'purpose') as purpose
from audit_event e
where e.at >= $2 and e.id in (select t.event_id from audit_touch t where t.key = any($1::bytea[]))
    and starts_with(e.payload::jsonb ->> 'endpoint', $3) and e.payload::jsonb ->> 'outcome' in ('OK', 'PARTIAL')
group by e.payload::jsonb ->> 'request', e.payload::jsonb ->> 'subject'
order by 1
limit 1000;
