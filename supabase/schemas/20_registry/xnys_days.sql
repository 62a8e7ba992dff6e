comment on function agg.xnys_days is
  'The days on which the New York Stock Exchange differs from Monday to Friday, for the years from p_first_year (2000 at the earliest) to p_last_year, by its rules and, up to 2025, its special days.';

-- A holiday on a Saturday is observed on the Friday before, one on a Sunday on the Monday after; New Year on a Saturday is not observed.
-- Sources differ in a few days. Here a half-day ends at 13:00, also where the exchange stopped some minutes before or after, and no
-- day opens late: some sources have openings between 09:31 and 12:00 on six days of 2001 to 2006, others 09:30.
create function agg.xnys_days(p_first_year integer, p_last_year integer)
returns table (day date, kind text, closes_at time)
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  with year as (
    select y.n as year, make_date(y.n, 7, 4) as fourth, agg.nth_weekday(y.n, 11, 4, 4) as thanksgiving
    from generate_series(p_first_year, p_last_year) as y (n)
  ),
  fixed as (
    select make_date(y.year, 1, 1) as day from year as y
    union all
    select make_date(y.year, 6, 19) from year as y where y.year >= 2022
    union all
    select y.fourth from year as y
    union all
    select make_date(y.year, 12, 25) from year as y
  ),
  holiday as (
    select case extract(isodow from f.day) when 6 then f.day - 1 when 7 then f.day + 1 else f.day end as day
    from fixed as f
    where not (extract(isodow from f.day) = 6 and extract(month from f.day) = 1)
    union all
    select agg.nth_weekday(y.year, 1, 1, 3) from year as y
    union all
    select agg.nth_weekday(y.year, 2, 1, 3) from year as y
    union all
    select agg.easter_sunday(y.year) - 2 from year as y
    union all
    select agg.nth_weekday(y.year, 5, 1, -1) from year as y
    union all
    select agg.nth_weekday(y.year, 9, 1, 1) from year as y
    union all
    select y.thanksgiving from year as y
    union all
    -- The attacks of 2001, mourning of presidents, and a storm.
    select s.day
    from unnest(array[
      date '2001-09-11', '2001-09-12', '2001-09-13', '2001-09-14', '2004-06-11', '2007-01-02', '2012-10-29', '2012-10-30', '2018-12-05',
      '2025-01-09'
    ]) as s (day)
    where extract(year from s.day) between p_first_year and p_last_year
  ),
  half_day as (
    select y.thanksgiving + 1 as day from year as y
    union all
    select make_date(y.year, 12, 24) from year as y where extract(isodow from make_date(y.year, 12, 24)) between 1 and 4
    union all
    -- Before the Fourth; until 2012, where that is a Thursday, after it.
    select case when extract(isodow from y.fourth) = 4 and y.year < 2013 then y.fourth + 1 else y.fourth - 1 end
    from year as y
    where extract(isodow from y.fourth) between 2 and 5
    union all
    select s.day from unnest(array[date '2003-12-26']) as s (day) where extract(year from s.day) between p_first_year and p_last_year
  )
  select h.day, 'closed', null::time from holiday as h
  union all
  select d.day, 'early_close', time '13:00' from half_day as d;
$$;
