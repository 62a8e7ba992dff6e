comment on function agg.check_series is
  'The checks series, components and price_range of agg_check: a row PASS for each, and a row for each series that does not pass. A series is open while it and all of its components are.';

create function agg.check_series(p_now timestamptz)
returns table (check_name text, subject text, status text, value text, hint text)
language sql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
  with series as materialized (
    select s.canonical_symbol, s.session_time_zone, s.session_minutes, s.calendar
    from public.data_agg_state as s
    where s.basket is not null and s.enabled
  ),
  component as materialized (
    select
      s.canonical_symbol, k.component, o.is_open, l.ts_utc as last_utc, coalesce(l.ts_utc > p_now - interval '5 minutes', false) as is_fresh
    from series as s
    join agg.synthetic_component as k on k.canonical_symbol = s.canonical_symbol
    left join lateral (
      select t.session_time_zone, t.session_minutes, t.calendar
      from public.data_agg_state as t
      where t.canonical_symbol = k.component and t.enabled
      limit 1
    ) as m on true
    cross join lateral (
      select agg.open_spans(m.session_time_zone, m.session_minutes, m.calendar, p_now - interval '5 minutes', p_now)
        @> tstzrange(p_now - interval '5 minutes', p_now)
      offset 0
    ) as o (is_open)
    left join lateral (
      select b.ts_utc
      from public.data_bars as b
      where b.canonical_symbol = k.component and b.timeframe = '1m' and b.ts_utc <= p_now
      order by b.ts_utc desc
      limit 1
    ) as l on true
  ),
  judged as materialized (
    select
      s.canonical_symbol, c.asked, c.fresh, c.stale, c.has_bars, l.ts_utc as last_utc, n.bars,
      c.is_open and agg.open_spans(s.session_time_zone, s.session_minutes, s.calendar, p_now - interval '5 minutes', p_now)
        @> tstzrange(p_now - interval '5 minutes', p_now) as is_open
    from series as s
    cross join lateral (
      select
        bool_and(k.is_open) as is_open,
        count(*) filter (where k.is_open) as asked,
        count(*) filter (where k.is_open and k.is_fresh) as fresh,
        bool_or(k.last_utc is not null) as has_bars,
        string_agg(format('%s (%s)', k.component, coalesce('last bar ' || k.last_utc, 'no bar')), ', ' order by k.component)
          filter (where k.is_open and not k.is_fresh) as stale
      from component as k
      where k.canonical_symbol = s.canonical_symbol
    ) as c
    cross join lateral (
      select count(*) as bars
      from public.data_bars as b
      where b.canonical_symbol = s.canonical_symbol and b.timeframe = '1m' and b.ts_utc > p_now - interval '5 minutes' and b.ts_utc <= p_now
    ) as n
    left join lateral (
      select b.ts_utc
      from public.data_bars as b
      where b.canonical_symbol = s.canonical_symbol and b.timeframe = '1m' and b.ts_utc <= p_now
      order by b.ts_utc desc
      limit 1
    ) as l on true
  ),
  dollar_index as (
    select round(avg(b.close)::numeric, 2) as average, max(b.ts_utc) as last_utc
    from judged as j
    join public.data_bars as b
      on b.canonical_symbol = j.canonical_symbol and b.timeframe = '1m'
      and b.ts_utc > j.last_utc - interval '1 hour' and b.ts_utc <= j.last_utc
    where j.canonical_symbol = 'DXY'
  )
  select
    'series', '*', 'PASS',
    format('%s series up to date, %s closed', count(*) filter (where j.is_open), count(*) filter (where not j.is_open)), null
  from judged as j
  union all
  select
    'series', j.canonical_symbol, case when j.bars > 0 or not j.has_bars or agg.is_paused(p_now) then 'WARN' else 'FAIL' end,
    format('%s bars in the last five minutes, the last is %s', j.bars, coalesce(j.last_utc::text, 'none')),
    case
      when not j.has_bars then 'no component has a bar yet: send some, or set active to false'
      when j.stale is not null then 'a minute needs all components; the check components says which are late'
      else format('select * from agg_health() where canonical_symbol = %L', j.canonical_symbol)
    end
  from judged as j
  where j.is_open and j.bars < 3
  union all
  select
    'components', '*', 'PASS',
    coalesce(
      string_agg(
        j.canonical_symbol || ': ' || case when j.asked = 0 then 'closed' else format('%s of %s', j.fresh, j.asked) end, ', '
        order by j.canonical_symbol
      ),
      'no series'
    ),
    null
  from judged as j
  union all
  select
    'components', j.canonical_symbol, 'WARN', format('%s of %s open components have a bar in the last five minutes', j.fresh, j.asked),
    'look at the ingest of ' || j.stale
  from judged as j
  where j.fresh < j.asked
  union all
  select 'price_range', '*', 'PASS', coalesce('DXY: ' || x.average, 'no DXY'), null
  from dollar_index as x
  union all
  select
    'price_range', 'DXY', 'FAIL', format('%s on average over the hour up to %s, not from 80 to 120', x.average, x.last_utc),
    'compare the prices of its components with another source'
  from dollar_index as x
  where x.average not between 80 and 120;
$$;
