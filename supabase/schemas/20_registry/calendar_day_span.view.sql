comment on view agg.calendar_day_span is
  'The rows of agg.calendar_day as spans of the wall clock: of the trading day what is closed, or what a special opening opens.';

create view agg.calendar_day_span with (security_invoker = true) as
select
  d.calendar, c.time_zone, d.day, d.kind, b.day_from, b.day_to,
  d.kind <> 'special_opening' as is_closed,
  case d.kind when 'early_close' then o.closes when 'special_opening' then o.opens else b.day_from end as from_wall,
  case d.kind when 'late_opening' then o.opens when 'special_opening' then o.closes else b.day_to end as to_wall
from agg.calendar_day as d
join agg.calendar as c on c.name = d.calendar
cross join lateral (
  select d.day + c.day_start - case when c.day_start >= '12:00' then interval '1 day' else interval '0' end
) as a (day_from)
cross join lateral (select a.day_from, a.day_from + interval '1 day') as b (day_from, day_to)
cross join lateral (
  select
    b.day_from + (d.opens_at - c.day_start) + case when d.opens_at < c.day_start then interval '1 day' else interval '0' end,
    b.day_from + (d.closes_at - c.day_start) + case when d.closes_at <= c.day_start then interval '1 day' else interval '0' end
) as o (opens, closes);
