comment on function agg.day_close_problem is
  'Why metadata.agg.day_close cannot be read; null where it can, or where nothing is said. A time in steps of five minutes, since days are built from 5m bars where hours do not fit.';

create function agg.day_close_problem(p_day_close jsonb)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select format(
    'agg.day_close must be a local time in steps of five minutes and its time zone, such as {"time": "17:00", "time_zone": "America/New_York"}, not %s',
    p_day_close
  )
  where not coalesce(
    jsonb_typeof(p_day_close) = 'object'
    and p_day_close ->> 'time' ~ '^([01][0-9]|2[0-3]):[0-5][05]$' and agg.is_time_zone(p_day_close ->> 'time_zone')
    and (case jsonb_typeof(p_day_close) when 'object' then p_day_close else '{}' end) - 'time' - 'time_zone' = '{}',
    p_day_close is null
  );
$$;
