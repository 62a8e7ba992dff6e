-- A note ahead of the committed cursor is dropped although another dispatcher may hold the task.
select pg_temp.take_away('agg.add_corrections(agg.changed_span[],boolean)', 'for update of s skip locked');
