comment on function agg.minute_of_week is
  'Minutes since the last Monday 00:00 of the wall clock in p_time_zone.';

create function agg.minute_of_week(p_ts_utc timestamptz, p_time_zone text)
returns integer
language sql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select (extract(epoch from l.ts - date_trunc('week', l.ts)) / 60)::integer
  from (select p_ts_utc at time zone p_time_zone) as l (ts);
$$;
