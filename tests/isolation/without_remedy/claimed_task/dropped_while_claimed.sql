-- Whoever reads a note trusts the cursor of a task that a worker has claimed.
select pg_temp.take_away('agg.note_tasks(agg.change[])', 's.running_started_at_utc is null', 'true');
