create function agg.build_bars(p_orders agg.build_order[])
returns setof agg.build_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_results agg.build_result[];
  v_passed_on agg.change[];
begin
  v_results := array(
    select r from agg.build_windows(p_orders) as r
    union all
    select r from agg.build_synthetic(p_orders) as r
  );
  -- What is built ahead of a cursor no other task has used yet; writes to 1m bars leave notes of their own.
  v_passed_on := array(
    select row(
      r.canonical_symbol, t.timeframe,
      range_agg(tstzrange(r.from_utc, case when r.removed > 0 then r.to_utc else r.decided_to_utc end)), now(), 0
    )::agg.change
    from unnest(v_results) as r
    join agg.timeframe as t on t.source_timeframe = r.timeframe
    where r.is_rebuild and r.timeframe <> '1m' and r.inserted + r.updated + r.removed > 0
    group by r.canonical_symbol, t.timeframe
  );
  if cardinality(v_passed_on) > 0 then
    perform agg.note_tasks(v_passed_on);
  end if;
  return query select r.* from unnest(v_results) as r;
end;
$$;

create function agg.require_fresh_snapshots()
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    raise exception 'bars are built in read committed transactions only, not in %', current_setting('transaction_isolation')
      using errcode = 'active_sql_transaction',
        hint = 'A snapshot older than the lock on a task may miss bars whose change notes are already read.';
  end if;
end;
$$;

create function agg.lock_task(p_symbol text, p_timeframe text)
returns public.data_agg_state
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_task public.data_agg_state;
begin
  perform agg.require_fresh_snapshots();
  select s.* into v_task
  from public.data_agg_state as s
  where s.canonical_symbol = p_symbol and s.timeframe = p_timeframe
  for update;
  return v_task;
end;
$$;

create function agg.note_built(p_symbol text, p_timeframe text, p_built_to_utc timestamptz)
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
  update public.data_agg_state as s
  set built_to_utc = p_built_to_utc
  where s.canonical_symbol = p_symbol and s.timeframe = p_timeframe
    and p_built_to_utc > greatest(
      s.last_agg_bar_ts_utc + make_interval(mins => s.run_interval_minutes), s.built_to_utc
    );
$$;

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

create function agg.raise_no_task(p_symbol text, p_timeframe text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'there is no task % %', p_symbol, p_timeframe
    using errcode = 'no_data_found',
      hint = 'Add the asset to core_asset_registry_all, then run sync_agg_state_from_registry().';
end;
$$;

create function agg.new_cursor(p_result agg.build_result)
returns timestamptz
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case when p_result.decided_to_utc > p_result.from_utc then p_result.decided_to_utc - p_result.window_length end;
$$;

create function agg.stopped_reason(p_result agg.build_result)
returns text
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_result.from_utc + p_result.window_length > p_result.frontier_utc then 'cursor_at_frontier'
    when p_result.is_limited then 'max_windows'
    when p_result.decided_to_utc >= p_result.frontier_utc then 'frontier'
    else 'no_source_data'
  end;
$$;

revoke execute on function agg.build_bars(agg.build_order[]) from public, anon, authenticated, service_role;
revoke execute on function agg.require_fresh_snapshots() from public, anon, authenticated, service_role;
revoke execute on function agg.lock_task(text, text) from public, anon, authenticated, service_role;
revoke execute on function agg.note_built(text, text, timestamptz) from public, anon, authenticated, service_role;
revoke execute on function agg.lock_series(text, text) from public, anon, authenticated, service_role;
revoke execute on function agg.raise_no_task(text, text) from public, anon, authenticated, service_role;
revoke execute on function agg.new_cursor(agg.build_result) from public, anon, authenticated, service_role;
revoke execute on function agg.stopped_reason(agg.build_result) from public, anon, authenticated, service_role;

comment on function agg.build_bars(agg.build_order[]) is
  'Builds every order, windows and synthetic minutes alike: one result an order. What it changes behind a cursor becomes a correction of the tasks that build from it.';
comment on function agg.require_fresh_snapshots() is
  'Raises active_sql_transaction in a transaction that keeps one snapshot: a build must see what was committed before its task was locked.';
comment on function agg.lock_task(text, text) is
  'Locks the row of a task to the end of the transaction, waiting for whoever holds it, and returns it; null where there is no such task.';
comment on function agg.note_built(text, text, timestamptz) is
  'Remembers that windows up to p_built_to_utc were built ahead of the cursor of a task, so that changes of their source are followed. The caller holds the task.';
comment on function agg.lock_series(text, text) is
  'Makes whoever builds bars of one series outside the dispatcher wait for the other, with or without a task. Build in a later statement, so that its snapshot is younger than the lock.';
comment on function agg.raise_no_task(text, text) is 'Raises no_data_found for a task that does not exist, and says how to get it.';
comment on function agg.new_cursor(agg.build_result) is
  'Start of the last window decided; null where none was and the cursor stays.';
comment on function agg.stopped_reason(agg.build_result) is
  'Why work stopped: cursor_at_frontier (nothing to decide yet), max_windows, frontier (time or source), no_source_data (waits at the data frontier).';
