-- name: lacking  Series after $2 without a representative, or changed since it was made; in their order.
select series_pk, study_uid, series_uid from series
where archive_id = $1 and series_pk > $2
    and (representative_synced_at is null or representative_synced_at < synced_at)
order by series_pk limit $3

-- name: store  Representatives ($2) of series ($1); null: there is none, which is not asked again soon.
with told as (
    select * from unnest($1::bigint[], $2::jsonb[]) t (series_pk, data)
), written as (
    update series s
    set representative = t.data,
        representative_synced_at = now(),
        synced_at = case when s.representative is distinct from t.data then now() else s.synced_at end
    from told t where s.series_pk = t.series_pk
    returning s.study_uid
)
select distinct study_uid from written
