comment on view agg.defaults is
  'The numbers that functions share, in one row. Defaults of columns and bounds in checks repeat some of them, and a test compares. The planner folds the view into constants.';

create view agg.defaults with (security_invoker = true) as
select
  timestamptz '2025-07-01 00:00:00+00' as start_utc,
  300 as delay_seconds,
  80::smallint as good_percent,
  60::smallint as poor_percent,
  -- Hard failures in a row that disable an optional task and mark a mandatory one.
  3 as hard_failures,
  -- A claim, a due task or an unread change that has waited this long is overdue.
  interval '15 minutes' as overdue_after,
  -- Bars and starts lie in [least_utc, end_utc).
  timestamptz '1900-01-01 00:00:00+00' as least_utc,
  timestamptz '2200-01-01 00:00:00+00' as end_utc,
  -- A message of an alert that could not be delivered for so long is given up.
  interval '3 days' as message_life;
