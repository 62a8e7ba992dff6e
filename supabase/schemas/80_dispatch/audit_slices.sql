comment on function agg.audit_slices is
'Verifies one slice of history of each asset: at least a day, and a whole window of its longest task, before what its round has verified. Slices pass over time without bars. Returns how many windows are wrong.
Each wrong window becomes a correction, and an alert of the kind wrong for its task. What waits to be built again is not wrong. Tasks that cannot be computed get a correction, which tells windows apart and reports its failure.
Bars behind the start of a task, and so behind a floor, are not verified. Locks: no task and no bar.';

create function agg.audit_slices(p_symbols text[], p_now timestamptz)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by a key, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_spans agg.changed_span[];
  v_wrong integer;
begin
  update agg.audit as a
  set round_started_at = p_now, wrong_timeframes = '{}'
  where a.canonical_symbol = any (p_symbols) and a.next_utc is null;

  -- All timeframes of an asset, in whole windows of the longest: what is below a wrong bar is found wrong with it, and built first.
  with moved as (
    update agg.audit as a
    set
      audited_at = p_now,
      error = null,
      next_utc = case when s.from_utc > s.start_utc then s.from_utc end,
      verified_since = case when s.from_utc > s.start_utc then a.verified_since else a.round_started_at end
    from (
      select y.symbol, b.start_utc, w.from_utc, w.to_utc
      from unnest(p_symbols) as y (symbol)
      join agg.audit as u on u.canonical_symbol = y.symbol
      cross join lateral (
        select t.window_length, t.run_interval_minutes, t.window_time_zone, t.window_origin
        from agg.runnable_task as t
        where t.canonical_symbol = y.symbol
        order by t.run_interval_minutes desc
        limit 1
      ) as l
      cross join lateral (
        select
          agg.window_start(min(t.agg_start_utc), l.window_length, l.window_time_zone, l.window_origin) as start_utc,
          least(max(t.followed_to_utc), u.next_utc) as end_utc
        from agg.runnable_task as t
        where t.canonical_symbol = y.symbol
      ) as b
      cross join lateral (
        select max(x.last_utc) as last_utc
        from (
          select (
            select max(d.ts_utc)
            from public.data_bars as d
            where d.canonical_symbol = i.symbol and d.timeframe = '1m' and d.ts_utc < b.end_utc
          ) as last_utc
          from (
            select y.symbol
            union all
            select k.component from agg.task_component as k where k.canonical_symbol = y.symbol
          ) as i (symbol)
          union all
          select (
            select max(d.ts_utc)
            from public.derived_data_bars as d
            where d.canonical_symbol = y.symbol and d.timeframe = t.timeframe and d.ts_utc < b.end_utc
          )
          from agg.runnable_task as t
          where t.canonical_symbol = y.symbol
        ) as x
      ) as n
      -- Where no bar is left, an empty slice ends the round.
      cross join lateral (
        select agg.window_end(coalesce(n.last_utc, b.start_utc), l.window_length, l.window_time_zone, l.window_origin) as to_utc
      ) as e
      cross join lateral (
        select
          case
            when n.last_utc >= b.start_utc
              then agg.window_start(e.to_utc - interval '24 hours', l.window_length, l.window_time_zone, l.window_origin)
            else b.start_utc
          end as from_utc,
          case when n.last_utc >= b.start_utc then e.to_utc else b.start_utc end as to_utc
      ) as w
    ) as s
    where a.canonical_symbol = s.symbol
    returning a.canonical_symbol, s.from_utc, s.to_utc
  )
  select coalesce(array_agg((m.canonical_symbol, t.timeframe, tstzmultirange(tstzrange(m.from_utc, m.to_utc)), now(), 0)::agg.changed_span), '{}')
  into v_spans
  from moved as m
  join agg.runnable_task as t on t.canonical_symbol = m.canonical_symbol
  where m.from_utc < m.to_utc;

  -- One statement, so that all sees what the same transactions have done.
  with difference as materialized (
    select d.canonical_symbol, d.timeframe, d.ts_utc, d.ends_utc, d.problem
    from agg.verify_spans(v_spans) as d
    where not d.is_pending
  ),
  -- Adding rows needs no lock of the task.
  corrected as (
    insert into agg.correction (canonical_symbol, timeframe, spans, changed_at)
    select d.canonical_symbol, d.timeframe, range_agg(tstzrange(d.ts_utc, d.ends_utc)), now()
    from difference as d
    group by d.canonical_symbol, d.timeframe
  ),
  wrong as materialized (
    select
      d.canonical_symbol, d.timeframe, count(*) as windows, min(d.ts_utc) as first_utc, max(d.ends_utc) as end_utc,
      count(*) filter (where d.problem = 'missing') as missing,
      count(*) filter (where d.problem = 'different') as different,
      count(*) filter (where d.problem = 'stale') as stale
    from difference as d
    where d.problem <> 'failed'
    group by d.canonical_symbol, d.timeframe
  ),
  alerted as (
    insert into agg.alert as r (kind, canonical_symbol, timeframe, severity, message, raised_at)
    select
      'wrong', w.canonical_symbol, w.timeframe, 'warning',
      format(
        'at %s the audit found %s wrong windows in [%s, %s): %s missing, %s different, %s stale; the next run builds them again',
        p_now, w.windows, w.first_utc, w.end_utc, w.missing, w.different, w.stale
      ),
      p_now
    from wrong as w
    on conflict (kind, canonical_symbol, timeframe) where resolved_at is null
    -- The newest first; what was found before stays readable.
    do update set message = left(excluded.message || E'\n' || r.message, 1000)
  ),
  marked as (
    update agg.audit as a
    set wrong_timeframes = array(select distinct t.timeframe from unnest(a.wrong_timeframes || w.timeframes) as t (timeframe))
    from (select w.canonical_symbol, array_agg(w.timeframe) as timeframes from wrong as w group by w.canonical_symbol) as w
    where a.canonical_symbol = w.canonical_symbol
  )
  select coalesce(sum(w.windows), 0) into v_wrong from wrong as w;

  update agg.alert as r
  set resolved_at = p_now
  from agg.audit as a
  where r.kind = 'wrong' and r.resolved_at is null and a.canonical_symbol = r.canonical_symbol
    and a.canonical_symbol = any (p_symbols) and a.next_utc is null and r.timeframe <> all (a.wrong_timeframes)
    and not exists (
      select from agg.correction as k
      -- What is switched off is not built.
      join agg.runnable_task as t on t.canonical_symbol = k.canonical_symbol and t.timeframe = k.timeframe
      where k.canonical_symbol = r.canonical_symbol and k.timeframe = r.timeframe and not k.is_backfill
    );
  return v_wrong;
end;
$$;
