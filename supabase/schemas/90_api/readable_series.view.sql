comment on view agg.readable_series is
  'Where the windows of a series begin, when its market is open, how far it is decided, how long its revisions are kept, and from when on they are whole: for get_bars. It reads with the rights of its owner, and holds only the series of which its reader may read a bar: agg.source_bar asks with the rights of the reader.';

create view agg.readable_series as
select
  s.canonical_symbol, s.timeframe, s.run_interval_minutes, s.window_time_zone, s.window_origin,
  s.session_time_zone, s.session_minutes, s.calendar, s.last_agg_bar_ts_utc as cursor_utc,
  (
    select r.metadata #> '{agg,revisions}' from public.core_asset_registry_all as r where r.canonical_symbol = s.canonical_symbol
  ) as revisions,
  (select f.floor_utc from agg.revision_floor as f where f.canonical_symbol = s.canonical_symbol) as revision_floor_utc
from public.data_agg_state as s
where exists (
  select from agg.source_bar as b where b.canonical_symbol = s.canonical_symbol and b.timeframe in ('1m', s.timeframe)
);
