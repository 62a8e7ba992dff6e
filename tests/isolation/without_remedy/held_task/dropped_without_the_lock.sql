-- Whoever reads a note trusts the cursor that is committed, whoever may hold the task.
select pg_temp.take_away('agg.add_corrections(agg.changed_span[])', 'for update of s skip locked');
