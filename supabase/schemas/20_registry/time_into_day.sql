comment on function agg.time_into_day is
  'How long after the beginning of a trading day, at p_day_start, a clock shows p_time for the first time.';

create function agg.time_into_day(p_time time, p_day_start time)
returns interval
language plpgsql
immutable
strict
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return p_time - p_day_start + case when p_time < p_day_start then interval '24 hours' else interval '0' end;
end;
$$;
