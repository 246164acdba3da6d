-- name: make  keeps the first value that any process brings
insert into secret (name, value) values ($1, $2) on conflict (name) do nothing;

-- name: read  the value that all processes share
select value from secret where name = $1;
