comment on function agg.windows_between is
'The windows that touch [p_from_utc, p_to_utc), in order; see agg.window_bounds.';

create function agg.windows_between(
  p_from_utc timestamptz, p_to_utc timestamptz, p_length interval, p_time_zone text, p_origin timestamp
)
returns table (starts_utc timestamptz, ends_utc timestamptz)
language sql
stable
parallel safe
set search_path = pg_catalog, pg_temp
-- A day of p_length is 24 hours then, whatever the session says.
set timezone = 'UTC'
as $$
  select g.starts_utc, g.starts_utc + p_length
  from generate_series(
    date_bin(p_length, p_from_utc, p_origin at time zone 'UTC'), p_to_utc - interval '1 microsecond', p_length
  ) as g (starts_utc)
  where p_time_zone is null
  union all
  select w.starts_utc, w.ends_utc
  from (
    select b.starts_utc, lead(b.starts_utc) over (order by b.starts_utc) as ends_utc
    from generate_series(
      date_bin(p_length, p_from_utc at time zone p_time_zone, p_origin) - p_length,
      (p_to_utc at time zone p_time_zone) + 2 * p_length,
      p_length
    ) as g (wall)
    cross join lateral (select agg.instant_of(g.wall, p_time_zone)) as b (starts_utc)
    where p_time_zone is not null
  ) as w
  -- Of a window that a change of the clock skips nothing is left.
  where w.starts_utc < p_to_utc and w.ends_utc > p_from_utc and w.starts_utc < w.ends_utc;
$$;
