comment on view agg.task_state is
  'The states of agg_health in words, and how much attention each needs: 0 not any, 1 it waits or catches up, 2 look at it today, 3 bars are missing or about to be. A mandatory task needs mandatory_attention.';

create view agg.task_state with (security_invoker = true) as
select s.*
from (values
  ('current', 'up to date', 0, 0),
  ('market_closed', 'market closed', 0, 0),
  ('running', 'running', 0, 0),
  ('due', 'due', 0, 0),
  ('waiting_for_source', 'waits for its source', 1, 1),
  ('waiting_for_data', 'waits for data', 1, 1),
  ('catching_up', 'catching up', 1, 1),
  ('paused', 'paused', 1, 1),
  ('never_ran', 'never ran', 2, 3),
  ('overdue', 'overdue', 2, 3),
  ('failing', 'failing', 2, 3),
  ('hard_failed', 'failed hard', 3, 3),
  ('disabled', 'disabled', 2, 3),
  ('unregistered', 'not registered', 2, 2),
  ('switched_off', 'switched off', 0, 0)
) as s (state, words, attention, mandatory_attention);
