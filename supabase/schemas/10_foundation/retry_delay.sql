comment on function agg.retry_delay is 'How long to wait after a failure that followed p_failures others: a minute, doubled each time, at most an hour.';

create function agg.retry_delay(p_failures integer)
returns interval
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select least(interval '1 hour', interval '1 minute' * 2 ^ least(p_failures, 6));
$$;
