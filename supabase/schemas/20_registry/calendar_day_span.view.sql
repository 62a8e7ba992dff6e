comment on view agg.calendar_day_span is
  'The rows of agg.calendar_day as spans of the wall clock: of the trading day what is closed, or what a special opening opens.';

create view agg.calendar_day_span with (security_invoker = true) as
select
  d.calendar, c.time_zone, d.day, d.kind <> 'special_opening' as is_closed,
  b.day_from + case d.kind
    when 'early_close' then e.closes
    when 'special_opening' then agg.time_into_day(d.opens_at, c.day_start)
    else interval '0'
  end as from_wall,
  b.day_from + case d.kind
    when 'late_opening' then agg.time_into_day(d.opens_at, c.day_start)
    when 'special_opening' then e.closes
    else interval '24 hours'
  end as to_wall
from agg.calendar_day as d
join agg.calendar as c on c.name = d.calendar
cross join lateral (
  select d.day + c.day_start - case when c.day_start >= '12:00' then interval '24 hours' else interval '0' end
) as b (day_from)
cross join lateral (
  select coalesce(nullif(agg.time_into_day(d.closes_at, c.day_start), interval '0'), interval '24 hours')
) as e (closes);
