comment on function agg.nth_weekday is
  'The nth day of a month that falls on a day of the week (1 is Monday): p_nth counts from 1, and -1 is the last.';

create function agg.nth_weekday(p_year integer, p_month integer, p_weekday integer, p_nth integer)
returns date
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_nth > 0
      then m.first_day + mod(p_weekday - extract(isodow from m.first_day)::integer + 7, 7) + 7 * (p_nth - 1)
    else m.last_day - mod(extract(isodow from m.last_day)::integer - p_weekday + 7, 7) + 7 * (p_nth + 1)
  end
  from (
    select make_date(p_year, p_month, 1), (make_date(p_year, p_month, 1) + interval '1 month' - interval '1 day')::date
  ) as m (first_day, last_day);
$$;
