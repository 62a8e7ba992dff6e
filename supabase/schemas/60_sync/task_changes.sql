comment on function agg.task_changes is
  'How the tasks of p_symbols (null: of all assets) differ from agg.wanted_task in p_env; no row where they do not. p_problems are what agg.asset_problems says of the active ones: tasks that they leave out do not differ. Reads only.';

create function agg.task_changes(
  p_env text, p_symbols text[], p_problems agg.asset_problem[], p_default_start_utc timestamptz
)
returns setof agg.task_change
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Compiling the plan of a run over all tasks would take longer than the run.
set jit = off
-- A plan for some symbols and one for all have little in common.
set plan_cache_mode = force_custom_plan
as $$
begin
  return query
  with left_out as materialized (
    select distinct p.canonical_symbol, p.leaves_out from unnest(p_problems) as p where p.leaves_out <> 'key'
  ),
  wanted as materialized (
    select t.*
    from agg.active_asset as a
    join agg.wanted_task as t on t.canonical_symbol = a.canonical_symbol
    where a.is_test = (select agg.is_test(p_env))
      and (p_symbols is null or a.canonical_symbol = any (p_symbols))
      and not exists (
        select from left_out as o
        where o.canonical_symbol = t.canonical_symbol and (o.leaves_out = 'asset' or t.basket is not null)
      )
  ),
  -- Many assets share a session, and reading one costs more than all else here.
  session as materialized (
    select d.session, agg.session_minutes(d.session) as minutes, agg.weekly_session(d.session) ->> 'time_zone' as time_zone
    from (select distinct w.session from wanted as w where w.session is not null) as d
  ),
  present as materialized (
    select s.*
    from public.data_agg_state as s
    where (p_symbols is null or s.canonical_symbol = any (p_symbols))
      and not exists (
        select from left_out as o
        where o.canonical_symbol = s.canonical_symbol and (o.leaves_out = 'asset' or s.basket is not null)
      )
  )
  select
    c.action,
    coalesce(w.canonical_symbol, s.canonical_symbol), coalesce(w.timeframe, s.timeframe),
    w.source_timeframe, w.run_interval_minutes, w.aggregation_delay_seconds, w.is_mandatory, b.agg_start_utc,
    w.good_percent, w.poor_percent, n.time_zone, n.minutes, w.basket,
    c.action <> 'disable' and s.canonical_symbol is not null and (
      b.agg_start_utc < s.agg_start_utc
      or (s.good_percent, s.poor_percent, s.session_time_zone, s.session_minutes, s.basket)
        is distinct from (w.good_percent, w.poor_percent, n.time_zone, n.minutes, w.basket)
    )
  from wanted as w
  left join session as n on n.session = w.session
  full join present as s on s.canonical_symbol = w.canonical_symbol and s.timeframe = w.timeframe
  cross join lateral (
    select case when w.canonical_symbol is not null then coalesce(w.agg_start_utc, s.agg_start_utc, p_default_start_utc) end
  ) as b (agg_start_utc)
  cross join lateral (
    select case
      when s.canonical_symbol is null then 'insert'
      when w.canonical_symbol is null then case when s.enabled then 'disable' end
      when not s.enabled or (s.status = 'disabled' and s.hard_fail_streak < (select f.hard_failures from agg.defaults as f))
        then 'reenable'
      when (
        s.source_timeframe, s.run_interval_minutes, s.is_mandatory, s.agg_start_utc,
        s.good_percent, s.poor_percent, s.session_time_zone, s.session_minutes, s.basket
      ) is distinct from (
        w.source_timeframe, w.run_interval_minutes, w.is_mandatory, b.agg_start_utc,
        w.good_percent, w.poor_percent, n.time_zone, n.minutes, w.basket
      ) then 'update'
    end
  ) as c (action)
  where c.action is not null;
end;
$$;
