-- Consent takes effect at once and everywhere; pseudonymised rows know for whom they were made.

-- When the consent that holds was first given: null while none of the three is. Accesses since then can be listed.
alter table consent add column given_at timestamptz;

-- Whose shift of dates the row has, as that patient's pseudonym; '' where the study has one of its own.
alter table pseudonymised.study add column made_for text not null default '';
alter table pseudonymised.series add column made_for text not null default '';
alter table pseudonymised.instance add column made_for text not null default '';

-- Families to remake after a change of keys wait behind what was just written.
alter table pseudonymised.waiting add column rotating boolean not null default false;
