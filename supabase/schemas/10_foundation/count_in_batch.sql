comment on function agg.count_in_batch is
'Adds one to a counter of the transaction, and returns it. agg.run_batch sets the counters lock_waits and failed_builds to 0.';

create function agg.count_in_batch(p_counter text)
returns integer
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
  select set_config(
    'pgbars.' || p_counter, (coalesce(nullif(current_setting('pgbars.' || p_counter, true), ''), '0')::integer + 1)::text, true
  )::integer;
$$;
