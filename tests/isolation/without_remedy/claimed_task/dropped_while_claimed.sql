-- Whoever reads a note trusts the cursor of a task that a worker has claimed.
select pg_temp.take_away('agg.add_corrections(agg.changed_span[])', 's.running_started_at_utc is null', 'true');
