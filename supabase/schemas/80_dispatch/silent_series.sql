comment on function agg.silent_series is
'The series of 1m bars that are silent at p_now for more open time than they may be: metadata.agg.max_silence of the asset, otherwise agg.allowed_silence. A series that never had a bar is not silent, nor is one that is not measured yet.';

create function agg.silent_series(p_now timestamptz)
returns table (canonical_symbol text, last_utc timestamptz, silence interval, allowed interval)
language sql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
  with series as materialized (
    select s.*, l.ts_utc as last_utc, coalesce(n.max_silence, a.silence) as allowed
    from agg.watched_series as s
    left join agg.allowed_silence as a on a.canonical_symbol = s.canonical_symbol
    left join lateral (
      select (r.metadata #>> '{agg,max_silence}')::interval as max_silence
      from public.core_asset_registry_all as r
      where r.canonical_symbol = s.canonical_symbol and agg.is_duration(r.metadata #> '{agg,max_silence}')
    ) as n on true
    cross join lateral (
      select b.ts_utc
      from public.data_bars as b
      where b.canonical_symbol = s.canonical_symbol and b.timeframe = '1m' and b.ts_utc < p_now
      order by b.ts_utc desc
      limit 1
    ) as l
    where l.ts_utc < p_now - coalesce(n.max_silence, a.silence)
  ),
  -- What was open of late, once for all series that share a session and a calendar: fifty times what they are allowed, since a
  -- market may be open for a small part of the time.
  market as materialized (
    select m.*, agg.open_spans(m.session_time_zone, m.session_minutes, m.calendar, m.from_utc, p_now) as open
    from (
      select
        s.session_time_zone, s.session_minutes, s.calendar,
        greatest(min(s.last_utc), p_now - least(interval '10 years', greatest(interval '35 days', 50 * max(s.allowed)))) as from_utc
      from series as s
      group by s.session_time_zone, s.session_minutes, s.calendar
    ) as m
  )
  select s.canonical_symbol, s.last_utc, t.silence, s.allowed
  from series as s
  join market as m
    on coalesce(m.session_time_zone, '') = coalesce(s.session_time_zone, '')
    and coalesce(m.session_minutes, '{(,)}') = coalesce(s.session_minutes, '{(,)}')
    and coalesce(m.calendar, '') = coalesce(s.calendar, '')
  cross join lateral (
    select agg.time_within(m.open, s.last_utc + interval '1 minute', p_now)
    offset 0
  ) as t (silence)
  where t.silence > s.allowed;
$$;
