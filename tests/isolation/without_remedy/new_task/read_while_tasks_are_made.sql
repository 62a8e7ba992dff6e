-- Whoever reads a note takes a task that is not to be seen for one that does not exist.
select pg_temp.take_away(
  'agg.take_notes(integer)',
  $$not pg_try_advisory_xact_lock_shared(agg.new_tasks_key())$$,
  'false'
);
