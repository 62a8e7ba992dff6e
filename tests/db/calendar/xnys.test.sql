begin;
select plan(12);

create function pg_temp.kinds(variadic p_days date[]) returns setof text
language sql as $$
  select to_char(d.day, 'YYYY-MM-DD ') || coalesce(
    (
      select concat_ws(' ', c.kind, to_char(c.closes_at, 'HH24:MI')) from agg.calendar_day as c where c.calendar = 'XNYS' and c.day = d.day
    ), 'full'
  )
  from unnest(p_days) with ordinality as d (day, n)
  order by d.n
$$;

-- The length of each trading day of us_equity.
create temporary table trading_day as
select (lower(o.span) at time zone 'America/New_York')::date as day, upper(o.span) - lower(o.span) as length
from unnest(
  agg.open_spans('America/New_York', agg.session_minutes('"us_equity"'), 'XNYS', '2000-01-01 00:00+00', '2041-01-01 12:00+00')
) as o (span);
select results_eq(
  $$ select t.length, count(*) from trading_day as t group by 1 order by 1 $$,
  $$ values (interval '3 hours 30 minutes', 89::bigint), (interval '6 hours 30 minutes', 10305 - 89::bigint) $$,
  'XNYS has 10,305 trading days from 2000 to 2040, 89 of them half-days of 210 minutes'
);
select results_eq(
  $$ select extract(year from t.day)::integer, count(*) from trading_day as t where extract(year from t.day) in (2024, 2026) group by 1 order by 1 $$,
  $$ values (2024, 252::bigint), (2026, 251) $$,
  'there are 252 in 2024 and 251 in 2026'
);
-- Ten of the closed days are special days.
select results_eq(
  $$ select d.kind, count(*) from agg.calendar_day as d where d.calendar = 'XNYS' group by 1 order by 1 $$,
  $$ values ('closed', 381 + 10::bigint), ('early_close', 89) $$,
  'the rules make 381 holidays and 89 half-days'
);
select results_eq(
  $$
    select y.year, (
      select count(*) from agg.calendar_day as d
      where d.calendar = 'XNYS' and d.kind = 'closed' and extract(year from d.day) = y.year
    )
    from unnest(array[2000, 2003, 2005, 2011, 2021, 2022, 2023, 2026, 2028, 2033, 2039]) as y (year)
    order by 1
  $$,
  $$
    values
      (2000, 8::bigint), (2003, 9), (2005, 8), (2011, 8), (2021, 9), (2022, 9), (2023, 10), (2026, 10), (2028, 9), (2033, 9), (2039, 9)
  $$,
  'a year has nine holidays, ten from 2022 on, and one less where New Year is a Saturday'
);
select is_empty(
  $$ select d.day from agg.calendar_day as d where d.calendar = 'XNYS' and extract(isodow from d.day) > 5 $$, 'no holiday is on a weekend'
);
select results_eq(
  $$ select * from pg_temp.kinds('2021-12-31', '2027-12-31', '2023-01-02', '2021-06-18', '2022-06-20', '2027-06-18') $$,
  array['2021-12-31 full', '2027-12-31 full', '2023-01-02 closed', '2021-06-18 full', '2022-06-20 closed', '2027-06-18 closed'],
  'New Year on a Saturday is not observed, and Juneteenth is a holiday from 2022 on'
);
select results_eq(
  $$ select * from pg_temp.kinds('2026-07-02', '2026-07-03', '2027-07-05', '2026-10-12', '2026-11-11') $$,
  array['2026-07-02 full', '2026-07-03 closed', '2027-07-05 closed', '2026-10-12 full', '2026-11-11 full'],
  'the Fourth is observed on a Friday or a Monday; Columbus and Veterans Day are trading days'
);
select results_eq(
  $$ select * from pg_temp.kinds('2000-07-03', '2001-07-03', '2002-07-03', '2002-07-05', '2003-07-03', '2013-07-03', '2013-07-05', '2024-07-03', '2025-07-03') $$,
  array[
    '2000-07-03 early_close 13:00', '2001-07-03 early_close 13:00', '2002-07-03 full', '2002-07-05 early_close 13:00',
    '2003-07-03 early_close 13:00', '2013-07-03 early_close 13:00', '2013-07-05 full', '2024-07-03 early_close 13:00',
    '2025-07-03 early_close 13:00'
  ],
  'the eve of the Fourth is a half-day, and so was the Friday after a Thursday until 2012'
);
select results_eq(
  $$
    select * from pg_temp.kinds(
      '2026-11-27', '2025-12-24', '2021-12-24', '2027-12-24', '2022-12-23', '2003-12-26', '2008-12-26', '2014-12-26', '2022-12-26'
    )
  $$,
  array[
    '2026-11-27 early_close 13:00', '2025-12-24 early_close 13:00', '2021-12-24 closed', '2027-12-24 closed', '2022-12-23 full',
    '2003-12-26 early_close 13:00', '2008-12-26 full', '2014-12-26 full', '2022-12-26 closed'
  ],
  'so are the day after Thanksgiving and 24 December from Monday to Thursday'
);
select results_eq(
  $$
    select * from pg_temp.kinds(
      '2001-09-10', '2001-09-11', '2001-09-12', '2001-09-13', '2001-09-14', '2001-09-17', '2004-06-11', '2007-01-02', '2012-10-29',
      '2012-10-30', '2012-10-31', '2018-12-05', '2025-01-09'
    )
  $$,
  array[
    '2001-09-10 full', '2001-09-11 closed', '2001-09-12 closed', '2001-09-13 closed', '2001-09-14 closed', '2001-09-17 full',
    '2004-06-11 closed', '2007-01-02 closed', '2012-10-29 closed', '2012-10-30 closed', '2012-10-31 full', '2018-12-05 closed',
    '2025-01-09 closed'
  ],
  'the special days are closed'
);
select results_eq(
  $$ select * from pg_temp.kinds('2000-04-21', '2008-03-21', '2011-04-22', '2026-04-03', '2038-04-23', '2040-03-30', '2026-01-19', '2026-02-16', '2026-05-25', '2026-09-07', '2026-11-26') $$,
  array[
    '2000-04-21 closed', '2008-03-21 closed', '2011-04-22 closed', '2026-04-03 closed', '2038-04-23 closed', '2040-03-30 closed',
    '2026-01-19 closed', '2026-02-16 closed', '2026-05-25 closed', '2026-09-07 closed', '2026-11-26 closed'
  ],
  'Good Friday follows Easter, the others the weeks of their months'
);
select results_eq(
  $$
    select upper(agg.open_spans('America/New_York', agg.session_minutes('"us_equity"'), 'XNYS', d.day, d.day + interval '24 hours'))
    from (values (timestamptz '2025-07-03 00:00Z'), ('2026-11-27 00:00Z'), ('2001-09-17 00:00Z'), ('2005-06-01 00:00Z')) as d (day)
  $$,
  $$ values (timestamptz '2025-07-03 17:00Z'), ('2026-11-27 18:00Z'), ('2001-09-17 20:00Z'), ('2005-06-01 20:00Z') $$,
  'a half-day ends at 13:00 New York, and all other days at 16:00'
);

select * from finish();
rollback;
