-- Any attribute: the values at a path as one expression, so that an index can be made of it.

-- ---- values at a path -----------------------------------------------------------------------------------
-- A path is the steps of model/paths.py: 'GGGGEEEE', or '(creator)GGGGEE' of a private attribute. All values of
-- all items count. What is empty but for padding is no value.

create function path_texts(data jsonb, path text[]) returns text[]
    language plpgsql immutable parallel safe cost 300 as $$
declare
    first text := path[1];
    items jsonb[];
    step text;
    one text;
    creator text;
    family text;
begin
    if data is null or data = '{}' then
        return '{}';
    end if;
    if left(first, 1) <> '(' then
        items[1] := data -> first -> 'Value';
        if items[1] is null then
            return '{}';
        end if;
        if cardinality(path) = 1 and jsonb_typeof(items[1]) = 'array' and not items[1] @? '$[*] ? (@.type() == "object")' then
            if items[1] -> 1 is null then -- as nearly all are: one value
                one := btrim(items[1] ->> 0, E' \t\n\r\f\v');
                return case when one <> '' then array[one] else '{}' end;
            end if;
            return array(
                select t.value from jsonb_array_elements_text(items[1]) v (raw), btrim(v.raw, E' \t\n\r\f\v') t (value)
                where t.value <> '');
        end if;
    end if;
    items := array[data];
    foreach step in array path loop
        if left(step, 1) = '(' then
            -- wherever its creator reserved a block (PS3.5 7.8.1)
            creator := split_part(substr(step, 2), ')', 1);
            family := left(split_part(step, ')', 2), 4);
            items := array(
                select v.value
                from unnest(items) i (item),
                    jsonb_object_keys(case jsonb_typeof(i.item) when 'object' then i.item else '{}' end) k (block),
                    jsonb_array_elements(case
                        when jsonb_typeof(i.item -> (family || substr(k.block, 7, 2) || right(step, 2)) -> 'Value') = 'array'
                            then i.item -> (family || substr(k.block, 7, 2) || right(step, 2)) -> 'Value'
                        else '[]' end) v (value)
                where k.block like family || '00__' and k.block >= family || '0010'
                    and jsonb_typeof(i.item -> k.block) = 'object' and btrim(i.item -> k.block -> 'Value' ->> 0) = creator);
        else
            items := array(
                select v.value
                from unnest(items) i (item),
                    jsonb_array_elements(case
                        when jsonb_typeof(i.item -> step -> 'Value') = 'array' then i.item -> step -> 'Value'
                        else '[]' end) v (value));
        end if;
        if items = '{}' then
            return '{}';
        end if;
    end loop;
    return array(
        select t.value
        from unnest(items) i (item),
            -- of a PN each group
            jsonb_each_text(case jsonb_typeof(i.item) when 'object' then i.item else jsonb_build_object('', i.item) end) v,
            btrim(v.value, E' \t\n\r\f\v') t (value)
        where t.value <> '');
end $$;

-- A value as a number, null when it is none: an FD may have 309 digits as jsonb writes it.
create function path_number(value text) returns numeric
    language sql immutable strict parallel safe
    return case
        when length(value) <= 800 and value ~ '^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?$'
            then value::numeric end;

-- The numbers among them. A value asked for lies in this set, or a range overlaps it: GiST answers both.
create function path_numbers(data jsonb, path text[]) returns nummultirange
    language plpgsql immutable parallel safe cost 300 as $$
declare
    texts text[] := public.path_texts(data, path);
    number numeric;
    numbers nummultirange := '{}';
    value text;
begin
    foreach value in array texts loop
        number := public.path_number(value);
        if number is not null then
            numbers := numbers + nummultirange(numrange(number, number, '[]'));
        end if;
    end loop;
    return numbers;
end $$;

-- A DA or DT in seconds since 1970, a TM in seconds since midnight; null for what is none. A value of little
-- precision is its beginning (2020 is the first of January); an offset from UTC counts where it is given.
-- An AS in seconds of age: a year has 365.25 days, a month is its twelfth.
create function moment_seconds(vr text, value text) returns numeric
    language plpgsql immutable strict parallel safe cost 100 as $$
declare
    part text[];
    leap boolean;
    day bigint := 0;
    clock text[];
begin
    if vr = 'AS' then
        part := regexp_match(upper(value), '^([0-9]{1,3})([DWMY])$');
        return part[1]::numeric * 86400
            * case part[2] when 'D' then 1 when 'W' then 7 when 'M' then 30.4375 when 'Y' then 365.25 end;
    end if;
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
end $$;

create function path_moments(data jsonb, path text[], vr text) returns nummultirange
    language plpgsql immutable parallel safe cost 400 as $$
declare
    texts text[] := public.path_texts(data, path);
    seconds numeric;
    moments nummultirange := '{}';
    value text;
begin
    foreach value in array texts loop
        seconds := public.moment_seconds(vr, value);
        if seconds is not null then
            moments := moments + nummultirange(numrange(seconds, seconds, '[]'));
        end if;
    end loop;
    return moments;
end $$;

-- The texts folded, each between unit separators (U+001F): what patterns are looked for in.
create function path_words(data jsonb, path text[]) returns text
    language plpgsql immutable parallel safe cost 400 as $$
declare
    texts text[] := public.path_texts(data, path);
begin
    if texts = '{}' then
        return '';
    end if;
    return E'\x1f' || public.fold(array_to_string(array(select translate(v, E'\x1f', ' ') from unnest(texts) v), E'\x1f'))
        || E'\x1f';
end $$;

-- ---- the representative of a series ---------------------------------------------------------------------
-- The data set of one of its instances, without bulk data and long sequences: what only instances tell (slice
-- thickness, echo time) without an index of all of them. Made again when the series changed after it.

alter table series
    add column representative jsonb,
    add column representative_synced_at timestamptz;
alter table pseudonymised.series
    add column representative jsonb,
    add column representative_synced_at timestamptz;

-- Of its instances, where runs go down to them: when all their whole data sets were there; else when they were asked
-- for last. Both are null again as soon as one of them changes.
alter table series
    add column data_sets_synced_at timestamptz,
    add column data_sets_tried_at timestamptz;

-- Which series are fetched whole next (data_sets.sql).
create index series_without_data_sets on series (archive_id, data_sets_tried_at nulls first, series_pk)
    where data_sets_synced_at is null and instances_synced_at is not null;
-- Archives with instances of which only a search told: gaps of attribute filters (db/lists/gaps.py), searched_only.
create index instance_searched on instance (archive_id) where metadata_synced_at is null;
create index instance_searched on pseudonymised.instance (archive_id) where metadata_synced_at is null;

-- Archives with series without a representative (db/lists/gaps.py).
create index series_unrepresented on series (archive_id, series_uid) where representative is null;
-- Which representatives are fetched next (representatives.sql).
create index series_lacking on series (archive_id, series_pk)
    where representative_synced_at is null or representative_synced_at < synced_at;
-- As of stored series.
create index series_unrepresented on pseudonymised.series (archive_id, series_uid) where representative is null;

-- ---- declared attributes --------------------------------------------------------------------------------
-- What an operator declared in archives.toml: each has indexes of its own (db/declared.py), which are built beside
-- the running service. Ready when all of them are there.

create table declared_attribute (
    level text not null check (level in ('study', 'series', 'instance')),
    path text[] not null,
    name text not null,
    declared_at timestamptz not null default now(),
    ready_at timestamptz,
    -- the last attempt to build failed with this
    error text,
    primary key (level, path)
);
