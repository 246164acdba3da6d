-- Consent takes effect at once and everywhere; pseudonymised rows know for whom they were made.

-- When the consent that holds was first given: null while none of the three is. Accesses since then can be listed.
alter table consent add column given_at timestamptz;
update consent set given_at = changed_at where care or registry or research;

-- Whose shift of dates the row has, as that patient's pseudonym; '' where the study has one of its own.
alter table pseudonymised.study add column made_for text not null default '';
alter table pseudonymised.series add column made_for text not null default '';
alter table pseudonymised.instance add column made_for text not null default '';

-- Families to remake after a change of keys wait behind what was just written.
alter table pseudonymised.waiting add column rotating boolean not null default false;

-- What stands in an index from before has no pseudonymised rows yet: `ernfed pseudonyms rotate` makes them.
insert into pseudonymised.waiting (study_uid, rotating)
select distinct study_uid, true from study on conflict do nothing;

-- ---- statistics: of an archive that shows pseudonyms with consent only, what has the consent counts -----

create or replace view counts.study as
    select s.* from public.study s
    where array_position((select scope_of('full') || scope_of('pseudonymised') || scope_of('counted'))::smallint[], archive_id)
        is not null
        and (archive_id <> all ((select scope_of('consented'))::smallint[])
            or exists (
                select from public.consent c
                where c.archive_id = s.archive_id and c.study_uid = s.study_uid and c.research));

create or replace view counts.series as
    select s.* from public.series s
    where array_position((select scope_of('full') || scope_of('pseudonymised') || scope_of('counted'))::smallint[], archive_id)
        is not null
        and (archive_id <> all ((select scope_of('consented'))::smallint[])
            or exists (
                select from public.consent c
                where c.archive_id = s.archive_id and c.study_uid = s.study_uid and c.research));

create or replace view counts.instance as
    select s.* from public.instance s
    where array_position((select scope_of('full') || scope_of('pseudonymised') || scope_of('counted'))::smallint[], archive_id)
        is not null
        and (archive_id <> all ((select scope_of('consented'))::smallint[])
            or exists (
                select from public.consent c
                where c.archive_id = s.archive_id and c.study_uid = s.study_uid and c.research));

create or replace view counts.consent as
    select archive_id, study_uid, care, registry, research from public.consent
    where archive_id = any ((select scope_of('full') || scope_of('pseudonymised') || scope_of('counted'))::smallint[])
        and (archive_id <> all ((select scope_of('consented'))::smallint[]) or research);

create or replace view pseudonyms.consent as
    select p.archive_id, p.study_uid, c.care, c.registry, c.research
    from public.consent c
    join public.study s on s.archive_id = c.archive_id and s.study_uid = c.study_uid
    join pseudonymised.study p on p.source_pk = s.study_pk
    where c.archive_id = any ((select scope_of('pseudonymised'))::smallint[])
        and (c.archive_id <> all ((select scope_of('consented'))::smallint[]) or c.research);
