-- Audit lines: append-only and chained; and the shared buckets of the rate limit.

-- id counts without gaps, in chain order. digest = sha256(digest before || payload); the first one follows
-- 32 zero bytes. payload is canonical JSON (access/audit.py), so it is text: jsonb would rewrite it.
create table audit_event (
    id bigint primary key,
    at timestamptz not null,
    digest bytea not null check (length(digest) = 32),
    payload text collate "C" not null
);
-- Exports and retention go by time.
create index audit_event_at on audit_event (at);

-- Which studies and patients a line touched, as keyed hashes: "who saw this record".
create table audit_touch (
    key bytea not null,
    event_id bigint not null,
    primary key (key, event_id)
);
-- What a line touched: exports (audit.sql).
create index audit_touch_event on audit_touch (event_id);

-- Lines are never changed. Retention is the work of a superuser, who can switch triggers off
-- (session_replication_role = replica) and notes the digest of the last line that went.
create function audit_refuse() returns trigger
    language plpgsql
    as $$
begin
    raise insufficient_privilege using message = format('%s is append-only', tg_table_name);
end $$;

create trigger audit_event_append_only before update or delete or truncate on audit_event
    for each statement execute function audit_refuse();
create trigger audit_touch_append_only before update or delete or truncate on audit_touch
    for each statement execute function audit_refuse();

-- Appends lines; touch_line says of each key which of `lines` (from 1) it belongs to. One process at a time,
-- until its commit, so that the chain has one order. Needs read committed: the head is read under the lock.
create function audit_append(lines text[], times timestamptz[], touch_line integer[], touch_key bytea[])
    returns bigint
    language plpgsql
    as $$
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

-- One bucket a person. Unlogged: after a crash everybody has a full one.
create unlogged table rate_bucket (
    who bytea primary key,
    tokens double precision not null,
    at timestamptz not null
);
