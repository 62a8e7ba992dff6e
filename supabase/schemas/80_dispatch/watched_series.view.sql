comment on view agg.watched_series is
  'The series of 1m bars from which enabled tasks build, with their session and calendar: assets, and components of baskets. No computed series: it is silent when a component is.';

create view agg.watched_series with (security_invoker = true) as
select distinct on (w.canonical_symbol) w.canonical_symbol, w.session_time_zone, w.session_minutes, w.calendar
from (
  select s.canonical_symbol, s.session_time_zone, s.session_minutes, s.calendar, 1 as rank
  from public.data_agg_state as s
  where s.enabled and s.source_timeframe = '1m' and s.timeframe <> '1m'
  union all
  -- A component without tasks has the session of its basket.
  select k.component, s.session_time_zone, s.session_minutes, s.calendar, 2
  from public.data_agg_state as s
  join agg.synthetic_component as k on k.canonical_symbol = s.canonical_symbol
  where s.enabled and s.basket is not null
) as w
where not exists (select from public.data_agg_state as b where b.canonical_symbol = w.canonical_symbol and b.basket is not null)
order by w.canonical_symbol, w.rank;
