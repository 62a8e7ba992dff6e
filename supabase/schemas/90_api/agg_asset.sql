comment on function public.agg_asset is
'Says how the tasks of one asset stand at p_now, in words: a row a timeframe, by length.
state, lag, due_for and explanation are those of agg_health, words and attention those of agg_fleet. decided_to_utc: the end of what is decided. Bars of 1m that arrive from outside have no task: their row has state null, and decided_to_utc is the end of the last one.
No row for an unknown symbol. Reads only.';

create function public.agg_asset(p_symbol text, p_now timestamptz default now())
returns table (
  timeframe text,
  is_mandatory boolean,
  state text,
  words text,
  attention integer,
  lag interval,
  due_for interval,
  decided_to_utc timestamptz,
  next_run_at timestamptz,
  explanation text
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set jit = off
as $$
  with task as materialized (
    select h.* from agg.task_health(p_now, array[p_symbol]) as h where h.state <> 'switched_off'
  ),
  alert as (
    select a.timeframe, max(case a.severity when 'critical' then 3 else 2 end) as attention, string_agg(a.message, '; ' order by a.severity, a.kind) as message
    from agg.alert as a
    where a.canonical_symbol = p_symbol and a.resolved_at is null
    group by a.timeframe
  ),
  minute as (
    select max(b.ts_utc) as last_utc from public.data_bars as b where b.canonical_symbol = p_symbol and b.timeframe = '1m'
  )
  select
    r.timeframe, r.is_mandatory, r.state, r.words, greatest(r.attention, a.attention), r.lag, r.due_for, r.decided_to_utc, r.next_run_at,
    r.explanation || coalesce('; ' || a.message, '')
  from (
    select
      t.run_interval_minutes, t.timeframe, t.is_mandatory, t.state, s.words,
      case when t.is_mandatory then s.mandatory_attention else s.attention end as attention,
      t.lag, t.due_for, t.decided_to_utc, t.next_run_at, t.explanation
    from task as t
    join agg.task_state as s on s.state = t.state
    union all
    select
      1, '1m', false, null, 'arrives', 0, null, null, m.last_utc + interval '1 minute', null,
      format('bars arrive from outside; the last one is of %s', m.last_utc)
    from minute as m
    where m.last_utc is not null and not exists (select from task as t where t.timeframe = '1m')
  ) as r
  left join alert as a on a.timeframe = r.timeframe
  order by r.run_interval_minutes;
$$;
