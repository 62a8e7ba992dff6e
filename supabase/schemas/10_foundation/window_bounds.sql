comment on function agg.window_bounds is
'The window that an instant lies in: [starts_utc, ends_utc).
Windows begin at p_origin plus or minus whole p_length. A null zone is UTC. Otherwise they begin so on the wall clock of the zone (see agg.instant_of), and are shorter or longer where the clock changes within them. Windows neither overlap nor leave a hole. p_length must be longer than any change of the clock.';

create function agg.window_bounds(
  p_ts_utc timestamptz, p_length interval, p_time_zone text, p_origin timestamp, out starts_utc timestamptz, out ends_utc timestamptz
)
returns record
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_time_zone is null then
    starts_utc := agg.window_start(p_ts_utc, p_length, null, p_origin);
    ends_utc := agg.window_end(p_ts_utc, p_length, null, p_origin);
    return;
  end if;
  -- Near a change of the clock the window that the wall clock shows may be one too early or too late.
  select max(b.boundary) filter (where b.boundary <= p_ts_utc), min(b.boundary) filter (where b.boundary > p_ts_utc)
  into starts_utc, ends_utc
  from generate_series(-1, 2) as i (step)
  cross join lateral (
    select agg.instant_of(date_bin(p_length, p_ts_utc at time zone p_time_zone, p_origin) + i.step * p_length, p_time_zone)
  ) as b (boundary);
end;
$$;
