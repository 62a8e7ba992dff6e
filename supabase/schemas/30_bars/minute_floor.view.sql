comment on view agg.minute_floor is
  'From when on 1m bars of a symbol are kept (metadata.agg.keep), and in words why earlier ones are refused.';

create view agg.minute_floor with (security_invoker = true) as
select
  f.canonical_symbol, f.floor_utc,
  format(
    '%s keeps 1m bars from %s UTC on (metadata.agg.keep) and takes none before', f.canonical_symbol,
    to_char(f.floor_utc at time zone 'UTC', 'YYYY-MM-DD HH24:MI')
  ) as problem
from agg.floor as f
where f.timeframe = '1m';
