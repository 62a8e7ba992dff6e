comment on function agg.measure_silence is
'Measures agg.allowed_silence anew for at most p_limit series whose measurement is a day old or missing, oldest first. Returns how many.
Measured are the four weeks up to the last bar: 15 minutes, or the longest gap in open time, where that is longer; three days at least where there is less than a week of bars. A gap whose alert no_data became critical was an outage, and does not count.';

create function agg.measure_silence(p_now timestamptz, p_limit integer default 40)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_measured integer;
begin
  delete from agg.allowed_silence as a
  where not exists (select from agg.watched_series as w where w.canonical_symbol = a.canonical_symbol);
  insert into agg.allowed_silence (canonical_symbol, silence, measured_at)
  select
    w.canonical_symbol,
    greatest(d.overdue_after, g.longest, case when w.last_utc - g.first_utc < interval '7 days' then interval '3 days' end),
    p_now
  from (
    select s.*, l.ts_utc as last_utc
    from agg.watched_series as s
    left join agg.allowed_silence as a on a.canonical_symbol = s.canonical_symbol
    cross join lateral (
      select b.ts_utc
      from public.data_bars as b
      where b.canonical_symbol = s.canonical_symbol and b.timeframe = '1m' and b.ts_utc < p_now
      order by b.ts_utc desc
      limit 1
    ) as l
    where (a.measured_at between p_now - interval '1 day' and p_now) is not true
    order by a.measured_at nulls first, s.canonical_symbol
    limit p_limit
  ) as w
  cross join agg.defaults as d
  cross join lateral (
    select agg.open_spans(w.session_time_zone, w.session_minutes, w.calendar, w.last_utc - interval '28 days', w.last_utc)
    offset 0
  ) as o (open)
  cross join lateral (
    select
      min(b.ts_utc) as first_utc,
      max(agg.time_within(o.open, b.ts_utc + interval '1 minute', b.next_utc)) filter (
        where b.next_utc - b.ts_utc > d.overdue_after and not exists (
          select from agg.alert as a
          where a.kind = 'no_data' and a.severity = 'critical' and a.canonical_symbol = w.canonical_symbol
            and a.raised_at > b.ts_utc and a.raised_at <= b.next_utc
        )
      ) as longest
    from (
      select m.ts_utc, lead(m.ts_utc) over (order by m.ts_utc) as next_utc
      from public.data_bars as m
      where m.canonical_symbol = w.canonical_symbol and m.timeframe = '1m'
        and m.ts_utc >= w.last_utc - interval '28 days' and m.ts_utc <= w.last_utc
    ) as b
  ) as g
  on conflict (canonical_symbol) do update set silence = excluded.silence, measured_at = excluded.measured_at;
  get diagnostics v_measured = row_count;
  return v_measured;
end;
$$;
