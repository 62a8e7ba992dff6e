comment on function public.agg_fleet is
'Says in one value how every task stands at p_now, small enough for a dashboard of 2,000 assets that asks every few seconds.
now: p_now. paused: null, or until and reason of agg_pause. timeframes: those that have a task, by length. states: the words of each state of agg_health.
attention is 0 (not any), 1 (it waits or catches up), 2 (a warning) or 3 (critical): of the state, and of the alerts that are open. tasks: how many tasks have attention 0, 1, 2 and 3.
assets: for each an array of its symbol, its attention, and one cell a timeframe, in the order of timeframes: null without a task, otherwise an array of state, lag in seconds and attention. By attention, most first, then by symbol. Tasks that are switched off are left out.
look: what has attention 2 or 3, most first, at most 200 objects with symbol, timeframe, attention, state (or the kind of the alert), words, lag in seconds and explanation. looks: how many there are.
Reads only.';

create function public.agg_fleet(p_now timestamptz default now())
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set jit = off
as $$
  with alert as materialized (
    select
      a.canonical_symbol, a.timeframe, case a.severity when 'critical' then 3 else 2 end as attention, a.kind, a.message,
      extract(epoch from p_now - a.raised_at)::bigint as age
    from agg.alert as a
    where a.resolved_at is null
  ),
  task as materialized (
    select
      h.canonical_symbol, h.timeframe, h.run_interval_minutes, h.state, s.words,
      greatest(case when h.is_mandatory then s.mandatory_attention else s.attention end, a.attention) as attention,
      extract(epoch from h.lag)::bigint as lag, h.explanation
    from agg.task_health(p_now) as h
    join agg.task_state as s on s.state = h.state
    left join (
      select a.canonical_symbol, a.timeframe, max(a.attention) as attention from alert as a group by a.canonical_symbol, a.timeframe
    ) as a on a.canonical_symbol = h.canonical_symbol and a.timeframe = h.timeframe
    where h.state <> 'switched_off'
  ),
  timeframe as materialized (
    select t.timeframe, row_number() over (order by min(t.run_interval_minutes), t.timeframe) as place
    from task as t
    group by t.timeframe
  ),
  asset as (
    select
      t.canonical_symbol, max(t.attention) as attention,
      jsonb_object_agg(t.timeframe, jsonb_build_array(t.state, t.lag, t.attention)) as cells
    from task as t
    group by t.canonical_symbol
  ),
  look as materialized (
    select l.*, row_number() over (order by l.attention desc, l.lag desc nulls last, l.canonical_symbol, l.run_interval_minutes) as place
    from (
      select t.canonical_symbol, t.timeframe, t.run_interval_minutes, t.attention, t.state, t.words, t.lag, t.explanation
      from task as t
      join agg.task_state as s on s.state = t.state
      where s.attention > 1
      union all
      -- What a task says by itself is not said again.
      select
        a.canonical_symbol, a.timeframe, 0, a.attention, a.kind, replace(a.kind, '_', ' '), a.age, a.message
      from alert as a
      where not exists (
        select
        from task as t
        join agg.task_state as s on s.state = t.state
        where t.canonical_symbol = a.canonical_symbol and t.timeframe = a.timeframe and s.attention > 1
      )
    ) as l
  )
  select jsonb_build_object(
    'now', p_now,
    'paused', (
      select jsonb_build_object('until', e.paused_until, 'reason', e.paused_reason) from agg.environment as e where e.paused_until > p_now
    ),
    'timeframes', (select coalesce(jsonb_agg(f.timeframe order by f.place), '[]') from timeframe as f),
    'states', (select jsonb_object_agg(s.state, s.words) from agg.task_state as s),
    'tasks', (
      select jsonb_agg(n.tasks order by n.attention)
      from (
        select g.attention, count(t.canonical_symbol) as tasks
        from generate_series(0, 3) as g (attention)
        left join task as t on t.attention = g.attention
        group by g.attention
      ) as n
    ),
    'assets', (
      select coalesce(jsonb_agg(
        jsonb_build_array(o.canonical_symbol, o.attention, (
          select jsonb_agg(o.cells -> f.timeframe order by f.place) from timeframe as f
        )) order by o.attention desc, o.canonical_symbol
      ), '[]')
      from (
        select s.canonical_symbol, greatest(s.attention, a.attention) as attention, s.cells
        from asset as s
        left join (select a.canonical_symbol, max(a.attention) as attention from alert as a group by a.canonical_symbol) as a
          on a.canonical_symbol = s.canonical_symbol
      ) as o
    ),
    'looks', (select count(*) from look),
    'look', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'symbol', l.canonical_symbol, 'timeframe', l.timeframe, 'attention', l.attention, 'state', l.state, 'words', l.words,
        'lag', l.lag, 'explanation', l.explanation
      ) order by l.place), '[]')
      from look as l
      where l.place <= 200
    )
  );
$$;
