comment on view agg.session_preset is
  'The sessions that metadata.agg.session may name, each as the weekly session that it stands for.';

create view agg.session_preset with (security_invoker = true) as
select p.name, jsonb_build_object('time_zone', p.time_zone, 'weekly', p.weekly) as session
from (
  values
    ('fx', 'America/New_York', jsonb '[{"open": "Sun 17:00", "close": "Fri 17:00"}]'),
    ('us_equity', 'America/New_York', jsonb '[
      {"open": "Mon 09:30", "close": "Mon 16:00"}, {"open": "Tue 09:30", "close": "Tue 16:00"},
      {"open": "Wed 09:30", "close": "Wed 16:00"}, {"open": "Thu 09:30", "close": "Thu 16:00"},
      {"open": "Fri 09:30", "close": "Fri 16:00"}
    ]'),
    ('us_equity_extended', 'America/New_York', jsonb '[
      {"open": "Mon 04:00", "close": "Mon 20:00"}, {"open": "Tue 04:00", "close": "Tue 20:00"},
      {"open": "Wed 04:00", "close": "Wed 20:00"}, {"open": "Thu 04:00", "close": "Thu 20:00"},
      {"open": "Fri 04:00", "close": "Fri 20:00"}
    ]'),
    ('cme_globex', 'America/Chicago', jsonb '[
      {"open": "Sun 17:00", "close": "Mon 16:00"}, {"open": "Mon 17:00", "close": "Tue 16:00"},
      {"open": "Tue 17:00", "close": "Wed 16:00"}, {"open": "Wed 17:00", "close": "Thu 16:00"},
      {"open": "Thu 17:00", "close": "Fri 16:00"}
    ]')
) as p (name, time_zone, weekly);
