-- name: spend  takes what this process handed out ($2, by $1) from the shared buckets of $3 tokens at most,
-- which gain $4 a second; a debt is never more than a bucket
insert into rate_bucket as b (who, tokens, at)
select s.who, $3 - s.spent, clock_timestamp()
from unnest($1::bytea[], $2::double precision[]) s (who, spent)
order by s.who
on conflict (who) do update set
    tokens = greatest(
        -$3::double precision,
        least($3, b.tokens + $4 * greatest(0, extract(epoch from excluded.at - b.at)::double precision))
            - ($3 - excluded.tokens)),
    at = greatest(b.at, excluded.at)
returning who, tokens;

-- name: forget  buckets that are full again
delete from rate_bucket where at < clock_timestamp() - interval '5 minutes';
