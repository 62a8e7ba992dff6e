-- A note ahead of the stored cursor is dropped although a worker has claimed the task.
select pg_temp.take_away('agg.add_corrections(agg.changed_span[],boolean)', 's.running_started_at_utc is null', 'true');
