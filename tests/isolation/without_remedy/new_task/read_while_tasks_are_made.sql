-- Notes are read while another transaction makes tasks, so that a note of a task that is not visible yet is dropped.
select pg_temp.take_away(
  'agg.take_notes(integer)',
  $$not pg_try_advisory_xact_lock_shared(agg.new_tasks_key())$$,
  'false'
);
