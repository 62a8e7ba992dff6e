comment on function agg.begins_on_hours is
  'Whether every day of metadata.agg.day_close begins on a whole hour of UTC, from 1970 to 2050, so that its windows hold whole hours. Those of Kolkata, Kathmandu and Lord Howe Island do not.';

create function agg.begins_on_hours(p_day_close jsonb)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select p_day_close is null or not exists (
    -- What is to be found is an offset of the zone, in summer or in winter.
    select
    from generate_series(timestamp '1970-01-01', '2050-01-01', interval '3 months') as d (day)
    where extract(minute from agg.instant_of(d.day + (p_day_close ->> 'time')::time, p_day_close ->> 'time_zone') at time zone 'UTC') <> 0
  );
$$;
