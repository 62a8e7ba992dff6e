comment on function agg.lock_series is
'Lets one session at a time build bars of a series outside the dispatcher, with or without a task.
Build in a later statement, so that its snapshot is younger than the lock.';

create function agg.lock_series(p_symbol text, p_timeframe text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform agg.lock_task(p_symbol, p_timeframe);
  -- A series without a task has no row to lock.
  perform pg_advisory_xact_lock(hashtextextended(format('pgbars.series %s %s', p_symbol, p_timeframe), 0));
end;
$$;
