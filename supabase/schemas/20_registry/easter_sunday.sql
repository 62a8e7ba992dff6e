comment on function agg.easter_sunday is 'Easter Sunday of a year in the Gregorian calendar.';

-- The anonymous algorithm in the form of Meeus, Jones and Butcher.
create function agg.easter_sunday(p_year integer)
returns date
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select make_date(p_year, (d.days + 114) / 31, mod(d.days + 114, 31) + 1)
  from (select mod(p_year, 19), p_year / 100, mod(p_year, 100)) as y (golden, century, rest)
  cross join lateral (
    select mod(19 * y.golden + y.century - y.century / 4 - (y.century - (y.century + 8) / 25 + 1) / 3 + 15, 30)
  ) as m (moon)
  cross join lateral (
    select mod(32 + 2 * mod(y.century, 4) + 2 * (y.rest / 4) - m.moon - mod(y.rest, 4), 7)
  ) as w (weekday)
  cross join lateral (
    select m.moon + w.weekday - 7 * ((y.golden + 11 * m.moon + 22 * w.weekday) / 451)
  ) as d (days);
$$;
